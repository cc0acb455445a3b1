// One lock per key. Applications use their id as key; who also needs the domain's lock takes that
// one first (lock order: domain, application, library).
#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>

namespace gearbox {

/// Thread-safe. A lock may be released by another thread than the one that took it. Must outlive
/// its locks.
class KeyedMutex {
public:
    class [[nodiscard]] Lock {
    public:
        Lock(Lock&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), key_(std::move(other.key_)) {}
        Lock& operator=(Lock&&) = delete;
        Lock(const Lock&) = delete;
        Lock& operator=(const Lock&) = delete;
        ~Lock() {
            if (owner_ != nullptr) {
                owner_->unlock(key_);
            }
        }

    private:
        friend class KeyedMutex;
        Lock(KeyedMutex& owner, std::string key) : owner_(&owner), key_(std::move(key)) {}
        KeyedMutex* owner_;
        std::string key_;
    };

    /// Waits until nobody else holds the key.
    Lock lock(const std::string& key) {
        std::unique_lock guard(mutex_);
        released_.wait(guard, [&] { return !held_.contains(key); });
        held_.insert(key);
        return Lock(*this, key);
    }

    /// The same, but empty when somebody else holds the key for longer than that.
    std::optional<Lock> lock_within(const std::string& key, std::chrono::milliseconds patience) {
        std::unique_lock guard(mutex_);
        if (!released_.wait_for(guard, patience, [&] { return !held_.contains(key); })) {
            return std::nullopt;
        }
        held_.insert(key);
        return Lock(*this, key);
    }

private:
    void unlock(const std::string& key) {
        {
            const std::lock_guard guard(mutex_);
            held_.erase(key);
        }
        released_.notify_all();
    }

    std::mutex mutex_;
    std::condition_variable released_;
    std::set<std::string> held_;
};

}  // namespace gearbox
