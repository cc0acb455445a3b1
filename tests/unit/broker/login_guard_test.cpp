#include "broker/login_guard.h"

#include "support/broker_fixture.h"

namespace gearbox::test {
namespace {

TEST(LoginGuard, SlowsGuessesDownButShutsNobodyOut) {
    FakeClock clock;
    LoginGuard guard(clock);
    const auto fail_times = [&](int times, const std::string& login, const std::string& address) {
        for (int i = 0; i < times; ++i) {
            guard.note_failure(login, address);
        }
    };
    fail_times(5, "ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 0);
    fail_times(1, "ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 2);
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.2"), 0) << "the owner, elsewhere";
    EXPECT_EQ(guard.seconds_to_wait("bob", "10.0.0.1"), 0);
    fail_times(30, "ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 60);
    clock.seconds += 61;
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 0);
    fail_times(1, "ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 60);
    guard.note_success("ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 0);
    fail_times(36, "ann", "10.0.0.1");
    clock.seconds += 15 * 60;
    fail_times(1, "ann", "10.0.0.1");
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.0.0.1"), 0) << "a quarter of an hour is enough";
}

TEST(LoginGuard, SeesGuessesThatAreSpreadOut) {
    FakeClock clock;
    LoginGuard guard(clock);
    for (int i = 0; i < 60; ++i) {
        guard.note_failure("ann", str("10.0.1.", i));
    }
    EXPECT_EQ(guard.seconds_to_wait("ann", "10.9.9.9"), 5);
    for (int i = 0; i < 110; ++i) {
        guard.note_failure(str("user", i), "10.0.2.1");
    }
    EXPECT_EQ(guard.seconds_to_wait("new", "10.0.2.1"), 10);
}

TEST(LoginGuard, ForgetsWhenThereIsTooMuch) {
    FakeClock clock;
    LoginGuard guard(clock);
    for (int i = 0; i < 30000; ++i) {
        guard.note_failure(str("user", i), str("address", i));
    }
    EXPECT_EQ(guard.seconds_to_wait("user29999", "address29999"), 0);
}

}  // namespace
}  // namespace gearbox::test
