#include "sys/process.h"

#include "base/error.h"
#include "sys/limits.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <thread>

namespace gearbox::sys::test {

namespace {

Program shell(const std::string& text) {
    Program program;
    program.path = "/bin/sh";
    program.argv = {"sh", "-c", text};
    return program;
}

TEST(Process, GivesDescriptorsAndMirrorsTheStatus) {
    Pipe pipe = make_pipe();
    Program program = shell("echo $NAME >&7; exit 3");
    program.environment = {"NAME=value"};
    program.descriptors = {{pipe.write.get(), 7}};
    Child child = spawn(program);
    pipe.write.reset();
    EXPECT_EQ(read_all(pipe.read.get()), "value\n");
    EXPECT_EQ(child.wait(), 3);
}

TEST(Process, MovesDescriptorsPastEachOther) {
    Pipe first = make_pipe();
    Pipe second = make_pipe();
    Program program = shell("echo one >&6; echo two >&7");
    // Targets may be numbers that sources have.
    const UniqueFd six(::fcntl(first.write.get(), F_DUPFD_CLOEXEC, 6));
    const UniqueFd seven(::fcntl(second.write.get(), F_DUPFD_CLOEXEC, 7));
    program.descriptors = {{seven.get(), 6}, {six.get(), 7}};
    Child child = spawn(program);
    EXPECT_EQ(child.wait(), 0);
    char text[8] = {};
    EXPECT_EQ(::read(second.read.get(), text, sizeof text), 4);
    EXPECT_STREQ(text, "one\n");
}

TEST(Process, JoinsItsGroupsByItself) {
    Pipe group = make_pipe();
    Program program = shell("echo later");
    program.descriptors = {{group.write.get(), 1}};
    program.cgroup_tasks.emplace_back(::fcntl(group.write.get(), F_DUPFD_CLOEXEC, 3));
    Child child = spawn(program);
    group.write.reset();
    program.cgroup_tasks.clear();
    EXPECT_EQ(read_all(group.read.get()), "0later\n");
    EXPECT_EQ(child.wait(), 0);
}

TEST(Process, TellsWhenItCannotJoinAGroup) {
    Program program = shell("exit");
    program.cgroup_tasks.emplace_back(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    try {
        spawn(program);
        FAIL() << "must throw";
    } catch (const SysError& error) {
        EXPECT_EQ(error.code(), EBADF);
        EXPECT_EQ(error.text(), "putting into its cgroup '/bin/sh': Bad file descriptor");
    }
}

TEST(Process, TellsWhyItCannotBeExecuted) {
    Program program;
    program.path = "/nowhere/program";
    program.argv = {"program"};
    try {
        spawn(program);
        FAIL() << "must throw";
    } catch (const SysError& error) {
        EXPECT_EQ(error.code(), ENOENT);
        EXPECT_EQ(error.text(), "executing '/nowhere/program': No such file or directory");
    }
}

TEST(Process, DiesWithItsHandle) {
    pid_t pid = 0;
    {
        const Child child = spawn(shell("exec sleep 100"));
        pid = child.pid();
        EXPECT_TRUE(find_start_time(pid).has_value());
    }
    EXPECT_FALSE(find_start_time(pid).has_value());
    EXPECT_FALSE(find_pidfd(pid).has_value());
}

// What was the number of a process before a reboot may be that of a thread after it.
TEST(Process, IsNoThread) {
    std::optional<UniqueFd> found;
    std::thread([&found] { found = find_pidfd(::gettid()); }).join();
    EXPECT_FALSE(found.has_value());
    EXPECT_TRUE(find_pidfd(::getpid()).has_value());
}

TEST(Process, StartTimeTellsProcessesApart) {
    EXPECT_GT(find_start_time(::getpid()).value_or(0), 0u);
    EXPECT_FALSE(find_start_time(999999999).has_value());
}

TEST(Process, SignalsAreCountedFrom128) {
    Child child = spawn(shell("kill -TERM $$"));
    EXPECT_EQ(child.wait(), 128 + SIGTERM);
}

TEST(Process, WaitsNoLongerThanAsked) {
    Child child = spawn(shell("exec sleep 100"));
    EXPECT_FALSE(child.wait_for(std::chrono::milliseconds(10)).has_value());
}

TEST(Reaper, CollectsTheDead) {
    Child child = spawn(shell("exit 0"));
    const pid_t pid = child.pid();
    Reaper reaper;
    EXPECT_TRUE(wait_for_end(child.pidfd(), std::chrono::seconds(10)));
    reaper.adopt(child.detach());
    EXPECT_TRUE(find_start_time(pid).has_value()) << "a zombie still has an entry";
    reaper.collect();
    EXPECT_FALSE(find_start_time(pid).has_value());
}

TEST(Process, HasAUser) {
    EXPECT_EQ(find_user(::getpid()), ::getuid());
    const Child child = spawn(shell("sleep 60"));
    EXPECT_EQ(find_user(child.pid()), ::getuid());
    EXPECT_EQ(find_user(0), std::nullopt);
}

TEST(Limits, ChangeWhileTheProcessRuns) {
    Pipe pipe = make_pipe();
    Program program = shell("ulimit -Sn 32; echo set >&7; exec sleep 60");
    program.descriptors = {{pipe.write.get(), 7}};
    const Child child = spawn(program);
    char byte = 0;
    ASSERT_EQ(::read(pipe.read.get(), &byte, 1), 1);
    const auto before = find_hard_limit(child.pid(), RLIMIT_NOFILE);
    ASSERT_TRUE(before);
    EXPECT_EQ(before, find_hard_limit(0, RLIMIT_NOFILE));
    const auto soft = [&] {
        rlimit limit{};
        ::prlimit(child.pid(), RLIMIT_NOFILE, nullptr, &limit);
        return limit.rlim_cur;
    };
    EXPECT_TRUE(change_limit(child.pid(), RLIMIT_NOFILE, *before, 64));
    EXPECT_EQ(find_hard_limit(child.pid(), RLIMIT_NOFILE), 64U);
    EXPECT_EQ(soft(), 32U);
    EXPECT_FALSE(change_limit(child.pid(), RLIMIT_NOFILE, *before, 128)) << "it has not what was before";
    EXPECT_TRUE(change_limit(child.pid(), RLIMIT_NOFILE, *before, 16));
    EXPECT_EQ(soft(), 16U);
    EXPECT_EQ(resource_of("nproc"), RLIMIT_NPROC);
    EXPECT_THROW(resource_of("stack"), Error);
}

}  // namespace

}  // namespace gearbox::sys::test
