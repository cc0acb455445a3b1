#include "rest/reply_cache.h"

namespace gearbox::rest {

namespace {

constexpr std::size_t most_bytes = 4 * 1024 * 1024;

}  // namespace

std::optional<std::string> ReplyCache::find(const std::string& key, std::int64_t version) {
    const std::lock_guard lock(mutex_);
    const auto found = by_key_.find(key);
    if (version != version_ || found == by_key_.end()) {
        return std::nullopt;
    }
    entries_.splice(entries_.begin(), entries_, found->second);
    return found->second->body;
}

void ReplyCache::put(const std::string& key, std::int64_t version, const std::string& body) {
    const std::lock_guard lock(mutex_);
    if (version < version_ || key.size() + body.size() > most_bytes / 4) {
        return;
    }
    if (version > version_) {
        entries_.clear();
        by_key_.clear();
        bytes_ = 0;
        version_ = version;
    }
    if (by_key_.contains(key)) {
        return;
    }
    entries_.push_front({key, body});
    by_key_[key] = entries_.begin();
    bytes_ += key.size() + body.size();
    while (bytes_ > most_bytes) {
        const Entry& last = entries_.back();
        bytes_ -= last.key.size() + last.body.size();
        by_key_.erase(last.key);
        entries_.pop_back();
    }
}

}  // namespace gearbox::rest
