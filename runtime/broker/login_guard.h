// Slows down those who guess passwords: per account and address together, per account, per address.
#pragma once
#include "base/clock.h"

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

namespace gearbox {

/// Thread-safe; remembers a bounded number of failures. Nobody waits in it: who comes too early is
/// told when to come back, and a right password that comes too early is not looked at.
class LoginGuard {
public:
    explicit LoginGuard(const Clock& clock) : clock_(clock) {}

    /// Seconds until the next attempt counts; 0: now. At most a minute, so that an account cannot be
    /// shut for its owner by somebody else's guesses.
    std::int64_t seconds_to_wait(const std::string& login, const std::string& address);
    void note_failure(const std::string& login, const std::string& address);
    /// Forgets the failures of the account, from there and from everywhere.
    void note_success(const std::string& login, const std::string& address);

private:
    struct Failures {
        int count = 0;
        std::int64_t last = 0;
    };
    void forget_old(std::int64_t now);

    const Clock& clock_;
    std::mutex mutex_;
    std::map<std::string, Failures> failures_;
};

}  // namespace gearbox
