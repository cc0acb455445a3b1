// Bodies of replies that depend on nothing but the store, kept until the store changes.
#pragma once
#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

namespace gearbox::rest {

/// Thread-safe. Holds at most 4 MiB; what was used longest ago goes first.
class ReplyCache {
public:
    /// The body, if it was made when the store had this version (StateStore::version).
    std::optional<std::string> find(const std::string& key, std::int64_t version);
    /// version: of the store before anything was read for the body.
    void put(const std::string& key, std::int64_t version, const std::string& body);

private:
    struct Entry {
        std::string key;
        std::string body;
    };
    using Entries = std::list<Entry>;

    std::mutex mutex_;
    std::int64_t version_ = 0;  ///< of every entry
    std::size_t bytes_ = 0;
    Entries entries_;  ///< the one used last first
    std::unordered_map<std::string, Entries::iterator> by_key_;
};

}  // namespace gearbox::rest
