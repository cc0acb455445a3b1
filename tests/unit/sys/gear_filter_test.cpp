// The two system call filters of a gear, tried in threads: a filter is the thread's that installs it.
#include "sys/gear_filter.h"

#include "base/error.h"
#include "base/fd.h"
#include "sys/capabilities.h"
#include "sys/privileges.h"
#include "sys/seccomp.h"

#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <set>
#include <thread>

namespace gearbox::sys::test {

namespace {

// What body returns in a thread that has these filters.
long filtered(const FilterRules& rules, const std::function<long()>& body) {
    const UniqueFd file = memfd_from("filters", compile_gear_filters(rules));
    long out = -1;
    std::thread([&] {
        set_no_new_privileges();
        install_filters(file.get());
        out = body();
    }).join();
    return out;
}

// errno of the call, 0 if it succeeds.
long tried(const FilterRules& rules, long number, long argument = 0) {
    return filtered(rules, [&] { return ::syscall(number, argument, 0, 0, 0) < 0 ? errno : 0; });
}

FilterRules allowing(std::vector<std::string> calls) { return {true, std::move(calls), {}}; }
FilterRules refusing(std::vector<std::string> calls) { return {true, {}, std::move(calls)}; }

constexpr long no_descriptor = -1;
constexpr long unknown_number = 1000;

TEST(GearFilter, IsThatOfTheTables) {
    EXPECT_EQ(tried({}, SYS_getpid), 0);
    EXPECT_EQ(tried({}, SYS_unshare), EPERM) << "refused";
    EXPECT_EQ(tried({}, SYS_clone3), ENOSYS) << "refused with another answer";
    EXPECT_EQ(tried({}, SYS_process_mrelease, no_descriptor), ENOSYS) << "not listed";
    EXPECT_EQ(tried({}, unknown_number), ENOSYS);
}

TEST(GearFilter, LetsAnAllowedCallThroughBothPrograms) {
    EXPECT_EQ(tried(allowing({"unshare"}), SYS_unshare), 0) << "was in the table of refused calls";
    EXPECT_EQ(tried(allowing({"clone3"}), SYS_clone3), EINVAL) << "the kernel's own answer";
    EXPECT_EQ(tried(allowing({"process_mrelease"}), SYS_process_mrelease, no_descriptor), EBADF) << "was in no table";
    EXPECT_EQ(tried(allowing({"unshare"}), SYS_clone3), ENOSYS) << "the others stay refused";
    EXPECT_EQ(tried(allowing({"getpid"}), SYS_getpid), 0) << "was allowed already";
}

TEST(GearFilter, RefusesMore) {
    EXPECT_EQ(tried({}, SYS_getppid), 0);
    EXPECT_EQ(tried(refusing({"getppid"}), SYS_getppid), ENOSYS);
    EXPECT_EQ(tried(refusing({"getppid"}), SYS_getpid), 0);
    EXPECT_EQ(tried(refusing({"unshare"}), SYS_unshare), ENOSYS) << "refused already, with another answer";
    EXPECT_EQ(tried(refusing({"seccomp", "prctl"}), SYS_seccomp), ENOSYS) << "the second filter is still installed";
}

TEST(GearFilter, IsInstalledByManyFromOneFile) {
    const UniqueFd file = memfd_from("filters", compile_gear_filters({}));
    std::vector<std::thread> threads;
    std::vector<long> seen(8, -1);
    for (long& answer : seen) {
        threads.emplace_back([&file, &answer] {
            set_no_new_privileges();
            install_filters(file.get());
            answer = ::syscall(SYS_unshare, 0) < 0 ? errno : 0;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(seen, std::vector<long>(8, EPERM));
}

TEST(GearFilter, IsRefusedWhenItIsNone) {
    for (const std::string& text : {std::string(), std::string("short"), std::string(64, '\0'), std::string(64, '\xff')}) {
        const UniqueFd file = memfd_from("filters", text);
        EXPECT_THROW(install_filters(file.get()), Error) << text.size();
    }
}

TEST(GearFilter, KnowsTheKernelsCalls) {
    const std::vector<std::string> calls = system_calls();
    for (const char* call : {"read", "unshare", "io_uring_setup", "landlock_restrict_self"}) {
        EXPECT_NE(std::find(calls.begin(), calls.end(), call), calls.end()) << call;
    }
    EXPECT_GT(calls.size(), 300u);
    EXPECT_NE(why_needed("execve"), nullptr);
    EXPECT_EQ(why_needed("ptrace"), nullptr);
}

TEST(Capabilities, AreAllInTheTable) {
    std::set<int> numbers;
    for (const Capability& row : capabilities()) {
        EXPECT_TRUE(numbers.insert(row.number).second) << row.name;
    }
    EXPECT_EQ(numbers.size(), 41u);
    EXPECT_EQ(*numbers.rbegin(), 40);
    EXPECT_EQ(capability_mask({}), 0u);
    EXPECT_EQ(capability_mask({"net_bind_service", "ipc_lock"}), (1u << 10) | (1u << 14));
    EXPECT_THROW(capability_mask({"fly"}), Error);
    EXPECT_EQ(find_capability("CAP_CHOWN"), nullptr);
}

}  // namespace

}  // namespace gearbox::sys::test
