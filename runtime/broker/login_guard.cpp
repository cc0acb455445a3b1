#include "broker/login_guard.h"

#include "base/str.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

// After `free` failures each further one doubles the wait, up to `longest` seconds.
struct Rule {
    const char* name;
    int free;
    std::int64_t longest;
};
constexpr Rule pair_rule = {"both", 5, 60};
// Guesses from many addresses: slowed, but the owner still gets in between them.
constexpr Rule account_rule = {"account", 50, 5};
// One address may stand for a class room behind a router.
constexpr Rule address_rule = {"address", 100, 10};

constexpr std::int64_t remembered = 15 * 60;
constexpr std::size_t most_remembered = 20000;

std::string key_of(const Rule& rule, const std::string& login, const std::string& address) {
    return &rule == &pair_rule      ? str("b ", address, " ", login)
           : &rule == &account_rule ? str("l ", login)
                                    : str("a ", address);
}

std::int64_t wait_of(const Rule& rule, int count) {
    const int over = count - rule.free;
    return over <= 0 ? 0 : std::min<std::int64_t>(rule.longest, std::int64_t{1} << std::min(over, 10));
}

}  // namespace

std::int64_t LoginGuard::seconds_to_wait(const std::string& login, const std::string& address) {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.now();
    std::int64_t wait = 0;
    for (const Rule* rule : {&pair_rule, &account_rule, &address_rule}) {
        const auto found = failures_.find(key_of(*rule, login, address));
        if (found != failures_.end() && found->second.last + remembered > now) {
            wait = std::max(wait, found->second.last + wait_of(*rule, found->second.count) - now);
        }
    }
    return wait;
}

void LoginGuard::note_failure(const std::string& login, const std::string& address) {
    const std::lock_guard lock(mutex_);
    const std::int64_t now = clock_.now();
    forget_old(now);
    for (const Rule* rule : {&pair_rule, &account_rule, &address_rule}) {
        Failures& failures = failures_[key_of(*rule, login, address)];
        failures.count = failures.last + remembered > now ? failures.count + 1 : 1;
        failures.last = now;
    }
}

void LoginGuard::note_success(const std::string& login, const std::string& address) {
    const std::lock_guard lock(mutex_);
    failures_.erase(key_of(pair_rule, login, address));
    failures_.erase(key_of(account_rule, login, address));
}

void LoginGuard::forget_old(std::int64_t now) {
    if (failures_.size() < most_remembered) {
        return;
    }
    std::erase_if(failures_, [&](const auto& row) { return row.second.last + remembered <= now; });
    if (failures_.size() >= most_remembered) {
        failures_.clear();  // a flood of names: what counts is that memory is bounded
    }
}

}  // namespace gearbox
