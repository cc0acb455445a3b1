// The cartridges on offer.
#pragma once
#include "broker/core.h"

#include <map>
#include <memory>
#include <mutex>

namespace gearbox {

class CartridgeCatalogue {
public:
    explicit CartridgeCatalogue(Core& core) : core_(core) {}

    using List = std::shared_ptr<const std::vector<Cartridge>>;  // shared with running requests
    /// By base name, newest version first.
    List list() const;
    /// What is on offer has changed.
    void forget();
    std::optional<Cartridge> find(const std::string& full_name) const;
    /// The same of one that is part of an application: its own, or the one on offer, or one that was.
    std::optional<Cartridge> find(const InstalledCartridge& installed) const;
    /// What a word means: the one of that full name; else the newest version of every cartridge
    /// that provides the word and is not obsolete. More than one: ambiguous.
    std::vector<Cartridge> match(const std::string& word) const;

private:
    struct Lists {
        List offered;
        List withdrawn;
    };
    Lists lists() const;

    Core& core_;
    mutable std::mutex mutex_;
    mutable Lists cached_;
    mutable std::int64_t until_ms_ = 0;
    mutable std::map<std::pair<std::string, std::string>, Cartridge> own_;  ///< by full name and manifest; a cache
};

/// web framework, plugins and services, embedded ones; within a rank what Configure-Order and
/// Requires ask for comes first.
std::vector<Cartridge> in_configure_order(std::vector<Cartridge> cartridges);

}  // namespace gearbox
