#include "node_fixture.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "sys/git.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <unistd.h>
#include <csignal>
#include <filesystem>
#include <iostream>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::Not;

std::string http_get(const std::string& address, int port, const std::string& host,
                     const std::string& path) {
    const ToolResult result = run_tool({"curl", "--silent", "--max-time", "10", "--header",
                                        "Host: " + host, str("http://", address, ":", port, path)});
    return result.out;
}

namespace {

std::string body_of(const LocalAgent& agent, const GearId& gear) {
    const GearRecord record = agent.context().store.gear(gear);
    const PlacedEndpoint* const web = record.find_web_endpoint();
    return http_get(link_addresses(record.spec.uid).gear, web->proxy_port, record.spec.dns);
}

TEST_F(NodeTest, AnswersOverTheGearsAddress) {
    const GearId gear = create_application(1, {"mock"});
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

TEST_F(NodeTest, GivesNoPrivileges) {
    const GearId gear = create_application(2, {"mock"});
    const std::string status = inside(gear, "cat /proc/self/status");
    EXPECT_THAT(status, HasSubstr("Uid:\t1002\t1002\t1002\t1002"));
    EXPECT_THAT(status, HasSubstr("Gid:\t1002\t1002\t1002\t1002"));
    EXPECT_THAT(status, HasSubstr("Groups:\t1002"));
    for (const char* set : {"CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"}) {
        EXPECT_THAT(status, HasSubstr(str(set, ":\t0000000000000000")));
    }
    EXPECT_THAT(status, HasSubstr("NoNewPrivs:\t1"));
    EXPECT_THAT(status, HasSubstr("Seccomp:\t2"));
    EXPECT_THAT(inside(gear, "unshare -U true"), HasSubstr("Operation not permitted"));
    EXPECT_THAT(inside(gear, "unshare -m true"), HasSubstr("Operation not permitted"));
    EXPECT_THAT(inside(gear, "mount -t tmpfs x /tmp"), Not(HasSubstr("mounted")));
    EXPECT_THAT(inside(gear, "su -c id"), Not(HasSubstr("uid=0")));
    EXPECT_EQ(inside(gear, "umask"), "0077\n");
    EXPECT_EQ(inside(gear, "id -un"), make_spec(2).id.text() + "\n");
}

TEST_F(NodeTest, ShowsItsOwnWorldOnly) {
    const GearId gear = create_application(3, {"mock"});
    const GearId other = create_application(4, {"mock"});
    // Its init, its server, and what asks.
    EXPECT_EQ(inside(gear, "cat /proc/1/comm"), "gear-init\n");
    EXPECT_EQ(inside(gear, "cat /proc/[0-9]*/comm >/tmp/names; sort -u </tmp/names"),
              "bash\ngear-init\nperl\n");
    EXPECT_EQ(inside(gear,
                     "ls /sys/class/net 2>/dev/null; sed 1,2d /proc/net/dev | cut -d: -f1 | tr -d "
                     "' ' | sort"),
              "eth0\nlo\n");
    for (const char* path : {"/usr/x", "/etc/x", "/x", "/dev/x", "/var/x", "/run/x"}) {
        EXPECT_THAT(inside(gear, str("touch ", path)), HasSubstr(path)) << path;
    }
    EXPECT_EQ(inside(gear, "touch /tmp/x /var/tmp/x /dev/shm/x ~/app-root/data/x && echo yes"),
              "yes\n");
    EXPECT_THAT(inside(gear, "touch ~/x"), HasSubstr("denied"));
    EXPECT_THAT(inside(gear, "cat /etc/shadow"), HasSubstr("No such file"));
    EXPECT_THAT(inside(gear, "ls /root /home /work 2>&1"), HasSubstr("No such file"));
    EXPECT_EQ(inside(gear, "ls /var/lib/openshift"), gear.text() + "\n");
    EXPECT_THAT(inside(gear, "echo 1 >/proc/sys/kernel/core_uses_pid"), HasSubstr("Read-only"));
    EXPECT_EQ(inside(gear, "cat /proc/kallsyms | wc -c"), "0\n");
    EXPECT_EQ(inside(gear, "ls /tmp"), "names\nx\n");
    EXPECT_EQ(inside(other, "ls /tmp"), "");
    EXPECT_EQ(inside(gear, "hostname"), "shop-acme\n");
    // The other gear's address does not answer.
    const std::string target = link_addresses(1004).gear;
    EXPECT_THAT(inside(gear, str("curl -sS --max-time 2 http://", target, ":8080/")),
                HasSubstr("curl:"));
    EXPECT_THAT(
        inside(gear, str("curl -sS --max-time 2 http://", link_addresses(1003).host, ":22/")),
        HasSubstr("curl:"));
}

TEST_F(NodeTest, LimitsMemoryAndProcesses) {
    settings.gear.memory_mb = 64;
    settings.gear.pids = 40;
    restart_agent();
    const GearId gear = create_application(5, {"mock"});
    EXPECT_THAT(inside(gear, "perl -e '$x = \"a\" x (200 << 20); print length $x'; echo status $?"),
                HasSubstr("status 137"));
    EXPECT_THAT(inside(gear, "for i in {1..60}; do sleep 60 & done 2>&1; kill $(jobs -p)"),
                HasSubstr("Resource temporarily unavailable"));
    // The gear itself has survived both.
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
}

// In the working directory, where the machine is set to that; never handed to a program of the host.
TEST_F(NodeTest, ShowsLogsInWhichNothingIsForged) {
    const GearId gear = create_application(1, {"mock"});
    inside(gear, R"(printf 'one\n\033[2J==> app-root/logs/gearbox.log <==\rfake\n' | logshifter -tag mine
                    ln -s /etc/passwd "$OPENSHIFT_LOG_DIR/passwd.log"; mkfifo "$OPENSHIFT_LOG_DIR/fifo.log")");
    const auto lines_of_mine = [](const LogPage& page) {
        std::string out;
        for (const LogLine& line : page.lines) {
            EXPECT_TRUE(line.file.find("passwd") == std::string::npos && line.file.find("fifo") == std::string::npos) << line.file;
            // Behind the time that logshifter has put there.
            out += line.file == "app-root/logs/mine.log" ? line.text.substr(line.text.find("Z ") + 1) + "|" : "";
        }
        return out;
    };
    const LogPage page = agent->logs(gear, "", 10);
    EXPECT_EQ(lines_of_mine(page), " one| \\x1b[2J==> app-root/logs/gearbox.log <==\\x0dfake|");
    inside(gear, "echo two | logshifter -tag mine");
    EXPECT_EQ(lines_of_mine(agent->logs(gear, page.after, 0)), " two|");
}

TEST_F(NodeTest, KeepsCoreDumpsInTheGear) {
    const std::string pattern = read_file("/proc/sys/kernel/core_pattern");
    const GearId gear = create_application(6, {"mock"});
    const std::string crash =
        "cd $OPENSHIFT_DATA_DIR; { sh -c 'kill -SEGV $$'; } 2>/dev/null; find . -name 'core*' -size +0 | wc -l";
    EXPECT_EQ(inside(gear, crash), "0\n") << "nobody has asked for it";
    if (pattern.starts_with('|')) {
        EXPECT_EQ(inside(gear, "prlimit --core --noheadings --output HARD --raw"), "1\n");
    } else if (!pattern.starts_with('/')) {
        EXPECT_EQ(inside(gear, "ulimit -c unlimited; " + crash), "1\n");
    }
}

TEST_F(NodeTest, KeepsTheEnvironmentOfTheContract) {
    const GearId gear = create_application(6, {"mock"});
    agent->set_user_variables(gear, {{"COLOUR", "blue; $(id)"}, {"OPENSHIFT_APP_NAME", "mine"}});
    agent->set_domain_variables(gear, {{"CI_MODE", "old"}, {"CI_URL", "gone"}});
    agent->set_domain_variables(gear, {{"CI_MODE", "on"}, {"OPENSHIFT_APP_NAME", "other"}});
    const std::string environment = inside(gear, "env");
    EXPECT_THAT(environment, HasSubstr("CI_MODE=on\n"));
    EXPECT_THAT(environment, Not(HasSubstr("CI_URL")));
    EXPECT_THAT(environment, HasSubstr("OPENSHIFT_APP_NAME=shop\n"));
    EXPECT_THAT(environment, HasSubstr("COLOUR=blue; $(id)\n"));
    EXPECT_THAT(environment, HasSubstr(str("OPENSHIFT_MOCK_IP=", loopback_address(1006, 1), "\n")));
    EXPECT_THAT(environment, HasSubstr("OPENSHIFT_MOCK_PORT=8080\n"));
    EXPECT_THAT(environment, HasSubstr("OPENSHIFT_MOCK_GREETING=hello from shop\n"));
    EXPECT_THAT(environment,
                HasSubstr(str("OPENSHIFT_MOCK_DIR=/var/lib/openshift/", gear.text(), "/mock/\n")));
    EXPECT_THAT(environment, HasSubstr("OPENSHIFT_MOCK_IDENT=redhat:mock:1.0:0.0.1\n"));
    // Locked again after the installation.
    EXPECT_THAT(inside(gear, "echo x >~/mock/env/OPENSHIFT_MOCK_GREETING"), HasSubstr("denied"));
    EXPECT_THAT(inside(gear, "echo x >~/mock/bin/control"), HasSubstr("denied"));
    EXPECT_EQ(inside(gear, "cat ~/.mockrc"), "rc\n");
}

TEST_F(NodeTest, LeavesNothingOfAFailedCartridge) {
    const GearSpec spec = make_spec(7);
    agent->create_gear(spec);
    agent->context()
        .files(agent->context().store.gear(spec.id))
        .write("app-root/data/fail_install", "", {0, 0}, 0644);
    try {
        agent->add_cartridge(spec.id, cartridge("mock"));
        FAIL() << "must throw";
    } catch (const ScriptError& error) {
        EXPECT_EQ(error.status(), script_failure);
        EXPECT_THAT(error.text(), HasSubstr("told to fail"));
    }
    const std::string home = "/var/lib/openshift/" + spec.id.text();
    EXPECT_FALSE(std::filesystem::exists(home + "/mock"));
    EXPECT_FALSE(std::filesystem::exists(home + "/.env/OPENSHIFT_MOCK_IP"));
    agent->context()
        .files(agent->context().store.gear(spec.id))
        .remove("app-root/data/fail_install");
    const ScriptMessages messages = agent->add_cartridge(spec.id, cartridge("mock"));
    EXPECT_THAT(messages.results, ::testing::ElementsAre("mock installed"));
    ASSERT_EQ(messages.cart_data.size(), 1u);
    EXPECT_EQ(messages.cart_data[0].value, "hello from shop");
}

TEST_F(NodeTest, StopsAndStarts) {
    const GearId gear = create_application(8, {"mock"});
    const auto processes = [&] { return inside(gear, "echo $(cat ~/mock/run/pid /proc/1/stat | cut -d' ' -f1,22)"); };
    const std::string started = processes();
    agent->start(gear);
    EXPECT_EQ(processes(), started) << "it ran already";
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
    agent->stop(gear, false);
    agent->stop(gear, false);
    agent->stop(gear, true);
    EXPECT_EQ(agent->state(gear), GearState::stopped);
    EXPECT_EQ(agent->use(gear).processes, 0);
    EXPECT_EQ(body_of(*agent, gear), "");
    const ScriptMessages status = agent->control(gear, "mock", "status");
    EXPECT_THAT(status.results, ::testing::ElementsAre("stopped"));
    agent->start(gear);
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
    agent->restart(gear);
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
}

TEST_F(NodeTest, FindsItsGearsAgain) {
    const GearId gear = create_application(9, {"mock"});
    const std::string before = inside(gear, "cat ~/mock/run/pid");
    restart_agent();
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(inside(gear, "cat ~/mock/run/pid"), before);
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
    // A gear whose processes are gone is started again.
    GearRecord record = agent->context().store.gear(gear);
    agent->context().launcher.kill(record);
    KeyedMutex locks;
    agent->start_missing(locks);
    EXPECT_EQ(body_of(*agent, gear), "first version\n");
}

TEST_F(NodeTest, LeavesNothingOfADestroyedGear) {
    const GearId gear = create_application(10, {"mock"});
    agent->publish_routes(gear, {"shop-acme.gearbox.localhost"});
    EXPECT_THAT(read_file(settings.router.map_file),
                HasSubstr(str("shop-acme.gearbox.localhost/ ", link_addresses(1010).gear, ":")));
    agent->destroy_gear(gear);
    agent->destroy_gear(gear);
    EXPECT_FALSE(std::filesystem::exists("/var/lib/openshift/" + gear.text()));
    EXPECT_THAT(read_file("/etc/passwd"), Not(HasSubstr(gear.text())));
    EXPECT_THAT(read_file("/etc/group"), Not(HasSubstr(gear.text())));
    EXPECT_THAT(run_tool({"ip", "link"}).out, Not(HasSubstr("gb1010")));
    EXPECT_THAT(run_tool({"sh", "-c",
                          "ls -d /sys/fs/cgroup/*/gearbox-test/* /sys/fs/cgroup/gearbox-test/*"})
                    .out,
                Not(HasSubstr(gear.text())));
    EXPECT_EQ(run_tool({"pgrep", "-u", "1010"}).out, "");
    EXPECT_THAT(read_file("/proc/self/mountinfo"), Not(HasSubstr(gear.text())));
    EXPECT_THAT(read_file(settings.router.map_file), Not(HasSubstr("shop-acme")));
    EXPECT_FALSE(agent->has_gear(gear));
}

// The router of the appliance, without TLS and without its own account.
class RunningRouter {
public:
    RunningRouter() {
        std::string config = read_file(source_path("runtime/router/haproxy.cfg"));
        const auto drop = [&config](const std::string& start) {
            const auto at = config.find(start);
            config.erase(at, config.find('\n', at) - at);
        };
        drop("    user haproxy");
        drop("    group haproxy");
        drop("    bind :::443");
        const std::string pages = "/usr/share/gearbox/router";
        for (auto at = config.find(pages); at != std::string::npos; at = config.find(pages)) {
            config.replace(at, pages.size(), source_path("runtime/router"));
        }
        write_file_atomically("/run/gearbox/haproxy.cfg", config);
        run_tool_checked(
            {"haproxy", "-D", "-f", "/run/gearbox/haproxy.cfg", "-p", "/run/gearbox/haproxy.pid"});
    }
    ~RunningRouter() { run_tool({"sh", "-c", "kill $(cat /run/gearbox/haproxy.pid)"}); }
};

TEST_F(NodeTest, MakesTheDirectoryOfTheHomes) {
    Settings elsewhere = settings;
    elsewhere.node.gear_base = "/var/lib/openshift/not/there/yet";
    const LocalAgent other(elsewhere, clock);
    EXPECT_TRUE(other.gears().empty());
    std::filesystem::remove_all("/var/lib/openshift/not");
}

TEST_F(NodeTest, IsReachedThroughTheRouter) {
    if (run_tool({"sh", "-c", "command -v haproxy"}).status != 0) {
        GTEST_SKIP() << "needs haproxy";
    }
    const GearId early = create_application(12, {"mock"});
    agent->publish_routes(early, {"early-acme.gearbox.localhost"});
    const RunningRouter router;
    const GearId late = create_application(13, {"mock"});
    agent->publish_routes(late, {"shop-acme.gearbox.localhost", "Shop-Acme.localhost"});
    const auto ask = [](const std::string& host) { return http_get("127.0.0.1", 80, host); };
    EXPECT_EQ(ask("early-acme.gearbox.localhost"), "first version\n");
    EXPECT_EQ(ask("shop-acme.gearbox.localhost:8080"), "first version\n");
    EXPECT_EQ(ask("SHOP-acme.localhost"), "first version\n");
    EXPECT_THAT(ask("other.localhost"), HasSubstr("<html"));
    agent->stop(late, false);
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_THAT(ask("shop-acme.localhost"), HasSubstr("<html"));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
    agent->start(late);
    EXPECT_EQ(ask("shop-acme.localhost"), "first version\n");
    agent->publish_routes(late, {"shop-acme.localhost"});
    EXPECT_THAT(ask("shop-acme.gearbox.localhost"), HasSubstr("<html"));
    EXPECT_EQ(ask("early-acme.gearbox.localhost"), "first version\n");
}

TEST_F(NodeTest, RunsPhpWithADatabase) {
    if (run_tool(
            {"sh", "-c", "ls /usr/lib/apache2/modules/libphp8*.so && test -x /usr/sbin/mariadbd"})
            .status != 0) {
        GTEST_SKIP() << "needs libapache2-mod-php and mariadb-server-core";
    }
    const auto begin = std::chrono::steady_clock::now();
    const GearId gear = create_application(11, {"php", "mysql-5.5"});
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::cout << "created in " << took.count() << " s\n";
    EXPECT_THAT(body_of(*agent, gear), HasSubstr("<html"));
    EXPECT_THAT(inside(gear, "env"), HasSubstr("OPENSHIFT_MYSQL_DB_URL=mysql://"));
    EXPECT_EQ(inside(gear,
                     "mariadb -h $OPENSHIFT_MYSQL_DB_HOST -u $OPENSHIFT_MYSQL_DB_USERNAME "
                     "-p$OPENSHIFT_MYSQL_DB_PASSWORD -Nse 'select 6*7' $OPENSHIFT_APP_NAME"),
              "42\n");
    agent->restart(gear);
    EXPECT_THAT(body_of(*agent, gear), HasSubstr("<html"));
}

}  // namespace

}  // namespace gearbox::test

int main(int argc, char** argv) {
    ::testing::InitGoogleTest(&argc, argv);
    const std::string missing = gearbox::test::missing_for_gears();
    if (!missing.empty()) {
        std::cout << "skipped: " << missing << "\n";
        return 77;
    }
    ::signal(SIGPIPE, SIG_IGN);  // as the daemon
    gearbox::test::enter_private_host("gearbox-test");
    const gearbox::sys::GitLibrary git;
    return RUN_ALL_TESTS();
}
