#include "base/keyed_mutex.h"

#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>
#include <vector>

namespace gearbox::test {

namespace {

TEST(KeyedMutex, SerialisesOneKey) {
    KeyedMutex mutex;
    int inside = 0;
    std::atomic<int> most = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&] {
            for (int k = 0; k < 200; ++k) {
                const auto lock = mutex.lock("a");
                most = std::max(most.load(), ++inside);
                --inside;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(most, 1);
}

TEST(KeyedMutex, KeepsKeysApart) {
    KeyedMutex mutex;
    const auto a = mutex.lock("a");
    const auto b = mutex.lock("b");
    SUCCEED();
}

TEST(KeyedMutex, IsReleasedByWhoeverHasTheLock) {
    KeyedMutex mutex;
    auto lock = std::make_unique<KeyedMutex::Lock>(mutex.lock("a"));
    std::thread other([&] { lock.reset(); });
    const auto again = mutex.lock("a");
    other.join();
}

TEST(KeyedMutex, WaitsNoLongerThanAsked) {
    KeyedMutex mutex;
    const auto held = mutex.lock("a");
    EXPECT_FALSE(mutex.lock_within("a", std::chrono::milliseconds(10)).has_value());
    EXPECT_TRUE(mutex.lock_within("b", std::chrono::milliseconds(10)).has_value());
}

}  // namespace

}  // namespace gearbox::test
