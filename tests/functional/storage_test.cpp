// The file system of all gears runs full: what makes them larger is refused in time, everything else works on.
#include "ssh_fixture.h"

#include <gmock/gmock-matchers.h>

#include <sys/mount.h>

namespace gearbox::test {

using ::testing::HasSubstr;

namespace {

constexpr const char* base = "/var/lib/openshift";

class Storage : public SshTest {
protected:
    /// As on the live medium: ext4 that leaves root a little.
    void SetUp() override {
        const std::string image = disk.path() / "disk";
        run_tool_checked({"truncate", "-s", "96M", image});
        run_tool_checked({"mke2fs", "-q", "-F", "-t", "ext4", "-m", "1", "-O", "^has_journal", image});
        run_tool_checked({"mount", "-o", "loop", image, base});
        SshTest::SetUp();
    }
    void TearDown() override {
        SshTest::TearDown();
        agent.reset();
        run_tool_checked({"umount", "--lazy", base});
    }
    /// A change of this many bytes that do not compress.
    ToolResult push_change(int bytes) const {
        run_tool_checked({"sh", "-c", str("cd ", clone(), " && head -c ", bytes, " /dev/urandom >change && git add change && "
                                          "git -c user.name=a -c user.email=a@b commit -qm change")});
        return git({"push", "-q", "origin", "master"});
    }

    TempDir disk;
};

TEST_F(Storage, RefusesWhatMakesGearsLargerAndGoesOn) {
    ASSERT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
    EXPECT_EQ(push_change(1000).status, 0);
    const std::string snapshot = ssh("snapshot").out;
    const NodeStorage before = agent->storage();
    EXPECT_EQ(before.reserve_mb, before.all_mb / 10);
    inside(gear, "head -c 50M /dev/zero >$OPENSHIFT_DATA_DIR/other");
    const auto room = static_cast<int>((agent->storage().free_mb - before.reserve_mb) << 20);
    git({"config", "core.compression", "0"});

    // More than there is room for, though the gear might have it.
    const ToolResult large = push_change(room + (2 << 20));
    EXPECT_NE(large.status, 0);
    EXPECT_THAT(large.err, HasSubstr("exceeds maximum allowed size"));
    git({"reset", "-q", "--hard", "@{u}"});
    // It comes, but as a work tree and a deployment it is too large.
    const ToolResult twice = push_change(room / 5 * 2);
    EXPECT_NE(twice.status, 0);
    EXPECT_THAT(twice.err, HasSubstr("the disk of all applications is full"));
    git({"reset", "-q", "--hard", "@{u}"});
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(push_change(1000).status, 0);

    inside(gear, "head -c 200M /dev/zero >$OPENSHIFT_DATA_DIR/big");
    EXPECT_EQ(agent->storage().free_mb, 0);
    agent->follow_host();
    EXPECT_THAT(read_file("/run/gearbox/disk-full"), HasSubstr("0 of its "));
    const ToolResult refused = push_change(1000);
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("the disk of all applications is full: 0 of its"));
    for (const auto& growth : std::vector<std::function<void()>>{
             [&] { agent->create_gear(make_spec(21, "other")); }, [&] { agent->add_cartridge(gear, cartridge("mock")); },
             [&] { agent->deploy(gear, {}, {}); }}) {
        try {
            growth();
            ADD_FAILURE() << "was done";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::quota) << error.text();
        }
    }
    EXPECT_FALSE(agent->has_gear(make_spec(21).id));
    EXPECT_THAT(ssh("restore", snapshot).err, HasSubstr("does not fit; nothing was changed"));

    EXPECT_EQ(git({"clone", "-q", url(), (work.path() / "again").native()}).status, 0);
    EXPECT_THAT(ssh("gear deployments").out, HasSubstr("activated"));
    agent->restart(gear);
    agent->stop(gear, false);
    agent->start(gear);
    EXPECT_EQ(agent->state(gear), GearState::started);
    EXPECT_EQ(ssh("rm app-root/data/big").status, 0);
    agent->follow_host();
    EXPECT_FALSE(std::filesystem::exists("/run/gearbox/disk-full"));
    EXPECT_EQ(push_change(1000).status, 0);

    inside(gear, "head -c 200M /dev/zero >$OPENSHIFT_DATA_DIR/big");
    agent->destroy_gear(gear);
    EXPECT_GE(agent->storage().free_mb, before.free_mb);
}

// The archive fits and can be unpacked, but would take what has to stay free.
TEST_F(Storage, RefusesARestoreThatWouldTakeTheReserve) {
    const auto note = [&] { return ssh("cat app-root/data/note").out; };
    ASSERT_EQ(ssh("echo kept >app-root/data/note").status, 0);
    const ToolResult snapshot = ssh("snapshot");
    ASSERT_EQ(snapshot.status, 0);
    ASSERT_EQ(ssh("echo newer >app-root/data/note").status, 0);
    const NodeStorage before = agent->storage();
    inside(gear, str("head -c ", before.free_mb - before.reserve_mb / 2, "M /dev/zero >$OPENSHIFT_DATA_DIR/big"));
    const std::string files = ssh("ls -A app-root/data").out;
    const NodeStorage after = agent->storage();
    ASSERT_LT(after.free_mb, after.reserve_mb);
    ASSERT_GT(after.free_mb, 1);

    const ToolResult refused = ssh("restore", snapshot.out);
    EXPECT_NE(refused.status, 0);
    EXPECT_THAT(refused.err, HasSubstr("the disk of all applications is full: "));
    EXPECT_THAT(refused.err, HasSubstr(str(after.reserve_mb, " have to stay free")));
    EXPECT_EQ(note(), "newer\n");
    EXPECT_EQ(ssh("ls -A app-root/data").out, files);
    EXPECT_EQ(agent->state(gear), GearState::started);

    ASSERT_EQ(ssh("rm app-root/data/big").status, 0);
    EXPECT_EQ(ssh("restore", snapshot.out).status, 0);
    EXPECT_EQ(note(), "kept\n");
    EXPECT_EQ(agent->state(gear), GearState::started);
}

}  // namespace

}  // namespace gearbox::test
