#include "broker/catalogue.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

constexpr std::int64_t cached_ms = 10 * 1000;

int rank_of(const Cartridge& cartridge) {
    constexpr std::array<std::string_view, 7> order = {
        "web_framework", "plugin", "service", "embedded", "ci_builder", "web_proxy", "external"};
    for (std::size_t rank = 0; rank < order.size(); ++rank) {
        if (cartridge.has_category(order[rank])) {
            return static_cast<int>(rank);
        }
    }
    return static_cast<int>(order.size());
}

bool needs(const Cartridge& cartridge, const Cartridge& other) {
    const auto answered = [&](const std::string& word) { return other.answers_to(word); };
    if (std::any_of(cartridge.requires_features.begin(), cartridge.requires_features.end(),
                    answered)) {
        return true;
    }
    // "first, second": everything named before this cartridge goes before it.
    for (const std::vector<std::string>& words : cartridge.configure_order) {
        const auto names = [&](const Cartridge& one) {
            return std::any_of(words.begin(), words.end(), [&](const std::string& word) { return one.answers_to(word); });
        };
        if (names(cartridge)) {
            return false;
        }
        if (names(other)) {
            return true;
        }
    }
    return false;
}

std::optional<Cartridge> find_name(const std::vector<Cartridge>& all, const std::string& full_name) {
    const auto found = std::find_if(all.begin(), all.end(), [&](const Cartridge& c) { return c.full_name() == full_name; });
    return found == all.end() ? std::nullopt : std::optional(*found);
}

}  // namespace

std::vector<Cartridge> in_configure_order(std::vector<Cartridge> cartridges) {
    std::stable_sort(cartridges.begin(), cartridges.end(),
                     [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
    std::vector<Cartridge> sorted;
    while (!cartridges.empty()) {
        // The first one that needs none of the remaining; the first at all when they go in circles.
        auto next = std::find_if(cartridges.begin(), cartridges.end(), [&](const Cartridge& c) {
            return c.is_web_framework() ||
                   std::none_of(cartridges.begin(), cartridges.end(), [&](const Cartridge& other) {
                       return &other != &c && needs(c, other);
                   });
        });
        if (next == cartridges.end()) {
            next = cartridges.begin();
        }
        sorted.push_back(std::move(*next));
        cartridges.erase(next);
    }
    return sorted;
}

CartridgeCatalogue::List CartridgeCatalogue::list() const {
    return lists().offered;
}

CartridgeCatalogue::Lists CartridgeCatalogue::lists() const {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = core_.clock.monotonic_ms();
    if (cached_.offered && now < until_ms_) {
        return cached_;
    }
    auto found = core_.agent.cartridges();
    std::erase_if(found, [](const Cartridge& c) { return !CartridgeName::parse(c.full_name()); });
    std::stable_sort(found.begin(), found.end(), [](const Cartridge& a, const Cartridge& b) {
        return a.name != b.name ? a.name < b.name : compare_versions(a.version, b.version) > 0;
    });
    cached_.offered = std::make_shared<const std::vector<Cartridge>>(std::move(found));
    cached_.withdrawn = std::make_shared<const std::vector<Cartridge>>(core_.agent.withdrawn_cartridges());
    until_ms_ = now + cached_ms;
    return cached_;
}

void CartridgeCatalogue::forget() {
    const std::lock_guard lock(mutex_);
    cached_ = {};
}

std::optional<Cartridge> CartridgeCatalogue::find(const std::string& full_name) const {
    return find_name(*list(), full_name);
}

std::optional<Cartridge> CartridgeCatalogue::find(const InstalledCartridge& installed) const {
    if (installed.url.empty()) {
        const Lists known = lists();
        const auto offered = find_name(*known.offered, installed.name.text());
        return offered ? offered : find_name(*known.withdrawn, installed.name.text());
    }
    const std::lock_guard lock(mutex_);
    const std::pair key(installed.name.text(), installed.manifest);
    const auto known = own_.find(key);
    if (known != own_.end()) {
        Cartridge cartridge = known->second;
        cartridge.url = installed.url;
        return cartridge;
    }
    try {
        constexpr std::size_t many = 500;
        if (own_.size() >= many) {
            own_.clear();
        }
        return own_[key] = parse_own_cartridge(installed.manifest, installed.url, installed.name.text());
    } catch (const Error&) {
        own_.erase(key);
        return std::nullopt;  // an older gearbox took it
    }
}

std::vector<Cartridge> CartridgeCatalogue::match(const std::string& word) const {
    if (auto exact = find(word)) {
        return {*exact};
    }
    std::vector<Cartridge> found;
    const List all = list();
    for (const Cartridge& cartridge : *all) {
        const bool is_wanted = !cartridge.obsolete && cartridge.answers_to(word);
        const bool is_older = std::any_of(found.begin(), found.end(), [&](const Cartridge& c) {
            return c.name == cartridge.name && c.vendor == cartridge.vendor;
        });
        if (is_wanted && !is_older) {
            found.push_back(cartridge);
        }
    }
    return found;
}

}  // namespace gearbox
