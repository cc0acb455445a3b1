// A gear's directories are exchanged with links to its neighbour's all the time, while the platform works in them.
#include "node_fixture.h"

#include "base/subprocess.h"

#include <cstdlib>
#include <functional>
#include <future>

namespace gearbox::test {

namespace {

// renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE), for the seconds given: home, target of the
// links, seconds. What it has exchanged it puts back. It prints how often it could.
constexpr const char* exchanger = R"(
    use Time::HiRes "time";
    my ($home, $target, $seconds) = @ARGV;
    my ($end, $count) = (time + $seconds, 0);
    while (time < $end) {
        my @pairs;
        for my $path (split /\n/, `cd $home && find . -mindepth 1 -maxdepth 3 -type d`) {
            push @pairs, ["$home/$path", "$home/$path.link"] if symlink $target, "$home/$path.link";
        }
        my $look_again = time + 0.2;
        while (time < $look_again) {
            syscall(316, -100, $$_[0], -100, $$_[1], 2) == 0 and ++$count for @pairs;
        }
        for (@pairs) {
            syscall(316, -100, $$_[0], -100, $$_[1], 2) if -l $$_[0];
            unlink $$_[1];
        }
    }
    print $count;
)";

class RaceTest : public NodeTest {
protected:
    static std::string home_of(const GearId& gear) { return "/var/lib/openshift/" + gear.text(); }
    /// All that can be seen of a tree: owners, modes, labels of time, links and contents.
    static std::string look_at(const std::string& tree) {
        return run_tool_checked({"sh", "-ec", R"(cd "$1"; find . -printf '%p %U %G %m %s %T@ %l\n' | sort
            find . -type f -exec sha256sum {} + | sort)", "sh", tree});
    }
    /// As the gear's user, and on the host, where it lives through stops of the gear.
    static std::future<std::string> exchange(const GearId& gear, uid_t uid, const GearId& other, int seconds) {
        const std::string user = std::to_string(uid);
        const std::vector<std::string> argv = {"setpriv", "--reuid", user, "--regid", user, "--clear-groups",
                                               "perl", "-e", exchanger, home_of(gear), home_of(other) + "/app-root/data",
                                               std::to_string(seconds)};
        return std::async(std::launch::async, [argv] { return run_tool_checked(argv); });
    }
};

TEST_F(RaceTest, LinksInThePlaceOfDirectoriesLeadThePlatformNowhere) {
    const GearId gear = create_application(40, {"mock"});
    const GearId other = create_application(41, {"mock"});
    agent->stop(other, true);
    const std::string before = look_at(home_of(other));
    std::future<std::string> exchanges = exchange(gear, 1040, other, 3);
    const std::function<void()> operations[] = {
        [&] { agent->set_user_variables(gear, {{"COLOUR", "red"}}); },
        [&] { agent->set_deployment_settings(gear, {true, "master", 2, "git"}); },
        [&] { agent->set_authorized_keys(gear, {{"ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAIA", "laptop", "demo"}}); },
        [&] { agent->deploy(gear, {}, {}); },
        [&] { agent->tidy(gear); },
        [&] { agent->restart(gear); },
        [&] { agent->upgrade_cartridge(gear, cartridge("mock")); },
        [&] { static_cast<void>(agent->logs(gear, "", 100)); },
        [&] { static_cast<void>(agent->deployments(gear)); },
        [&] { agent->remove_cartridge(gear, cartridge("mock")); },
        [&] { agent->add_cartridge(gear, cartridge("mock")); },
        [&] { agent->stop(gear, true); },
        [&] { agent->start(gear); },
    };
    int done = 0;
    int failed = 0;
    while (exchanges.wait_for(std::chrono::seconds(0)) != std::future_status::ready) {
        for (const std::function<void()>& operation : operations) {
            try {
                operation();
                ++done;
            } catch (const std::exception&) {
                ++failed;  // what the gear does to itself
            }
        }
    }
    EXPECT_GT(std::atoi(exchanges.get().c_str()), 1000);
    EXPECT_GT(done, 6) << failed << " failed";
    EXPECT_EQ(look_at(home_of(other)), before);
    agent->destroy_gear(gear);
    EXPECT_EQ(look_at(home_of(other)), before);
    agent->start(other);
    EXPECT_EQ(agent->state(other), GearState::started);
}

}  // namespace

}  // namespace gearbox::test
