// The platform's commands over a real sshd: deployments, snapshots, ports, files
// (cartridge contract, 13, 14.3 and 18; broker contract, 26).
#include "ssh_fixture.h"
#include "support/paths.h"

#include <gmock/gmock-matchers.h>

#include <cstring>
#include <regex>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

namespace {

class RemoteTest : public SshTest {
protected:
    /// A gzipped tar of what the program makes in an empty directory.
    std::string archive_of(const std::string& program, const std::string& members = ".") {
        const TempDir directory("gearbox-archive");
        run_tool_checked({"bash", "-ec", str("cd ", directory.path().native(), "\n", program)});
        return run_tool_checked({"bash", "-ec",
                                 str("cd ", directory.path().native(), "; tar -czPf - ", members)});
    }

    /// One of an application with a hard link in its data, to any target.
    static std::string archive_with_link_to(const std::string& target) {
        constexpr const char* program = R"(
import sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|gz") as archive:
    for name, kind, target in (("./a/app-root/data/", tarfile.DIRTYPE, ""), ("./a/app-root/data/hard", tarfile.LNKTYPE, sys.argv[1])):
        member = tarfile.TarInfo(name)
        member.type, member.linkname, member.mode = kind, target, 0o755
        archive.addfile(member)
)";
        return run_tool_checked({"python3", "-c", program, target});
    }

    /// Everything that a refused command must leave as it is.
    std::string state_of_everything() {
        return inside(gear, "cd ~; find app-root/data app-deployments git -type f | sort | "
                            "xargs sha1sum; ls -A app-root/data; cat app-root/runtime/.state") +
               body();
    }

    ToolResult on_client(const std::string& program) const {
        return run_tool({"bash", "-c", program});
    }

    std::string ssh_options() const {
        return str("-q -F none -o BatchMode=yes -o StrictHostKeyChecking=no -o "
                   "UserKnownHostsFile=/dev/null -i ",
                   work.path().native(), "/user");
    }
};

TEST_F(RemoteTest, DeploysARefWithoutAPush) {
    ASSERT_EQ(push("index.txt", "from master\n").status, 0);
    git({"checkout", "-q", "-b", "next"});
    write_file_atomically(clone() + "/index.txt", "from next\n", 0644);
    git({"commit", "-q", "-a", "-m", "next"});
    ASSERT_EQ(git({"push", "-q", "origin", "next"}).status, 0);
    EXPECT_EQ(body(), "from master\n");
    const ToolResult result = ssh("gear deploy next");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.out, HasSubstr("Building git ref 'next'"));
    EXPECT_THAT(result.out, HasSubstr("Deployment completed with status: success"));
    EXPECT_EQ(body(), "from next\n");
    EXPECT_EQ(agent->deployments(gear).back().ref, "next");
}

TEST_F(RemoteTest, RefusesRefsThatAreNotThere) {
    const std::string before = state_of_everything();
    for (const char* words : {"nowhere", "--upload-pack=x", "master extra", "\"$(id)\"", "-x"}) {
        const ToolResult result = ssh(str("gear deploy ", words));
        EXPECT_EQ(result.status, 1) << words;
        EXPECT_THAT(result.err, HasSubstr("ERROR: ")) << words;
    }
    EXPECT_THAT(ssh("gear deploy nowhere").err,
                HasSubstr("the repository has no branch, tag or commit 'nowhere'"));
    EXPECT_EQ(state_of_everything(), before);
}

TEST_F(RemoteTest, GoesBackToAnEarlierDeployment) {
    agent->set_deployment_settings(gear, {true, "master", 3, "git"});
    for (const char* text : {"one\n", "two\n"}) {
        ASSERT_EQ(push("index.txt", text).status, 0);
    }
    const auto kept = agent->deployments(gear);
    ASSERT_EQ(kept.size(), 3u);
    const ToolResult result = ssh(str("gear activate --all ", kept[1].id));
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_EQ(body(), "one\n");
    EXPECT_EQ(agent->deployments(gear)[1].activations.size(), 2u);
    EXPECT_THAT(ssh("gear deployments").out, HasSubstr(kept[1].id + "  master  "));
    const ToolResult machine = ssh(str("gear activate ", kept[2].id, " --post-install --no-rotation --as-json"));
    EXPECT_EQ(machine.status, 0) << machine.out << machine.err;
    const Json told = Json::parse(machine.out);
    EXPECT_EQ(told["status"], "success");
    const Json& here = told["gear_results"][gear.text()];
    EXPECT_EQ(here["deployment_id"], kept[2].id);
    EXPECT_EQ(here["messages"][0], "Activating deployment");
    EXPECT_EQ(body(), "two\n");
    const ToolResult unknown = ssh("gear activate 00000000");
    EXPECT_EQ(unknown.status, 1);
    EXPECT_THAT(unknown.err, HasSubstr("there is no deployment with the id '00000000'"));
    EXPECT_EQ(body(), "two\n");
}

TEST_F(RemoteTest, SavesAndRestoresEverythingButTheHostsOwn) {
    ASSERT_EQ(push("index.txt", "saved\n").status, 0);
    inside(gear, "cd ~/app-root/data; echo precious >file; touch .bash_history scratch ~/mock/run/{kept,scratch.1}");
    const ToolResult saved = ssh("snapshot");
    ASSERT_EQ(saved.status, 0) << saved.err;
    EXPECT_EQ(body(), "saved\n") << "the application runs again";
    EXPECT_THAT(inside(gear, "tail -n 20 ~/app-root/data/verbs"),
                HasSubstr("stop\npre-snapshot\npost-snapshot\nstart\n"));
    ToolOptions options;
    options.input = saved.out;
    const std::string names = run_tool_checked({"tar", "-tz"}, options);
    const std::string top = "./" + gear.text() + "/";
    for (const char* name : {"app-root/data/file\n", "git/shop.git/HEAD\n", "app-deployments/", "mock/run/kept\n"}) {
        EXPECT_THAT(names, HasSubstr(top + name));
    }
    for (const char* name : {".ssh/", "runtime/repo/", "runtime/.state", ".bash_history", "scratch"}) {
        EXPECT_THAT(names, Not(HasSubstr(name)));
    }
    ASSERT_EQ(push("index.txt", "later\n").status, 0);
    inside(gear, "echo spoilt >~/app-root/data/file");
    const ToolResult restored = ssh("restore INCLUDE_GIT", saved.out);
    EXPECT_EQ(restored.status, 0) << restored.out << restored.err;
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/file"), "precious\n");
    EXPECT_EQ(body(), "saved\n");
    EXPECT_EQ(inside(gear, "git --git-dir ~/git/shop.git show master:index.txt"), "saved\n");
    EXPECT_EQ(inside(gear, "ls -A ~/app-root/data | grep -c restore"), "0\n");
    EXPECT_EQ(push("index.txt", "after\n").status, 0);
    // Its repository only if it is asked for, in either of the two ways.
    const std::string pushed = "git --git-dir ~/git/shop.git show master:index.txt";
    EXPECT_EQ(ssh("gear restore --no-report-deployments", saved.out).status, 0);
    EXPECT_EQ(inside(gear, pushed), "after\n");
    EXPECT_EQ(ssh("gear restore --restore-git-repo --no-report-deployments", saved.out).status, 0);
    EXPECT_EQ(inside(gear, pushed), "saved\n");
    EXPECT_THAT(ssh("restore include_git", saved.out).err, HasSubstr("'include_git' is not understood"));
}

TEST_F(RemoteTest, RestoresDataFromWhereItOnceWas) {
    const ToolResult restored = ssh("restore", archive_of("mkdir -p a/shop/data/sub a/mock/data; echo old | tee a/shop/data/file >a/mock/data/file; "
                                                          "ln a/shop/data/file a/shop/data/sub/hard; touch a/shop/other", "./a"));
    EXPECT_EQ(restored.status, 0) << restored.err;
    EXPECT_EQ(inside(gear, "cd ~/app-root/data; cat file; stat -c %h file sub/hard; ls ~/shop ~/mock/data other 2>&1 | grep -c cannot"), "old\n2\n2\n3\n");
    EXPECT_EQ(body(), "first version\n");
    const ToolResult refused = ssh("restore", archive_of("mkdir -p a/mock/data; echo x >a/mock/data/file", "./a"));
    EXPECT_THAT(refused.err, HasSubstr("no snapshot of an application"));
}

TEST_F(RemoteTest, RestoresIntoAnotherApplication) {
    ASSERT_EQ(push("index.txt", "moved\n").status, 0);
    // The cartridge's restore_transforms know another name for the second one.
    inside(gear, "cd ~/app-root/data; echo precious | tee file >mock_v1; ln -s mock_v1 link");
    const std::string archive = ssh("snapshot").out;
    gear = create_application(21, {"mock"});
    agent->set_authorized_keys(gear, {public_key()});
    const ToolResult restored = ssh("restore INCLUDE_GIT", archive);
    EXPECT_EQ(restored.status, 0) << restored.out << restored.err;
    EXPECT_EQ(inside(gear, "cd ~/app-root/data; cat file mock_v2; readlink link; ls mock_v1 2>&1 | grep -c cannot"), "precious\nprecious\nmock_v1\n1\n");
    EXPECT_EQ(body(), "moved\n");
}

TEST_F(RemoteTest, RefusesArchivesThatAreNone) {
    const std::string before = state_of_everything();
    const std::string other_file = agent->context().home(agent->context().store.gear(gear)) + "/app-root/repo/index.txt";
    const struct {
        const char* what;
        std::string archive;
        const char* says;
    } table[] = {
        {"nothing", "", "no gzipped tar"},
        {"garbage", "no archive at all", "no gzipped tar"},
        {"cut off", ssh("snapshot").out.substr(0, 600), "cut off"},
        {"another tree", archive_of("echo x >file"), "no snapshot of an application"},
        {"way up", archive_of("mkdir -p a/app-root/data; echo x >a/app-root/data/x",
                              "--transform 's,data/x,data/../../../../../x,' ./a"),
         "cannot be unpacked"},
        {"device", archive_of("mkdir -p a/app-root/data; mknod a/app-root/data/d c 1 3", "./a"),
         "cannot be unpacked"},
        {"hard link to the system", archive_with_link_to("/etc/passwd"), "cannot be unpacked"},
        {"hard link upwards", archive_with_link_to("./a/../../../../../../../../../../../etc/passwd"), "cannot be unpacked"},
        // Of the gear's own files, in the same file system: nothing but tar keeps it from being made.
        {"hard link to another tree", archive_with_link_to(other_file), "cannot be unpacked"},
        {"hard link with two parts before it", archive_with_link_to("x/y/" + other_file), "cannot be unpacked"},
        {"hard link with its top before it", archive_with_link_to("./a/" + other_file), "cannot be unpacked"},
        {"absolute names only", archive_of("mkdir -p a/app-root/data; echo x >a/app-root/data/x", "--transform 's,^\\./,/tmp/,' ./a"),
         "no snapshot of an application"},
    };
    for (const auto& row : table) {
        const ToolResult result = ssh("restore INCLUDE_GIT", row.archive);
        EXPECT_EQ(result.status, 1) << row.what;
        EXPECT_THAT(result.err, HasSubstr(row.says)) << row.what;
        EXPECT_THAT(result.err, HasSubstr("nothing was changed")) << row.what;
    }
    EXPECT_EQ(inside(gear, "sed -i /snapshot/d ~/app-root/data/verbs; echo $?"), "0\n");
    const auto without_verbs = [](const std::string& text) {
        return std::regex_replace(text, std::regex("[0-9a-f]{40}  app-root/data/verbs"), "");
    };
    EXPECT_EQ(without_verbs(state_of_everything()), without_verbs(before));
}

TEST_F(RemoteTest, KeepsHostileArchivesInsideOfTheGear) {
    const ToolResult result = ssh(
        "restore INCLUDE_GIT",
        archive_of("mkdir -p a/app-root/data a/git/x.git/hooks; ln -s /etc a/app-root/data/out; "
                   "cp /bin/true a/app-root/data/root; chmod 6755 a/app-root/data/root; "
                   "git init -q --bare a/git/y.git; echo 'touch /tmp/hooked' "
                   ">a/git/y.git/hooks/post-update; ln -s /etc a/app-deployments",
                   "./a"));
    EXPECT_EQ(inside(gear, "stat -c %a ~/app-root/data/root"), "700\n");
    EXPECT_EQ(inside(gear, "readlink ~/app-root/data/out"), "/etc\n");
    EXPECT_EQ(inside(gear, "ls /tmp/hooked 2>&1 | grep -c cannot"), "1\n");
    EXPECT_EQ(body(), "first version\n") << result.out << result.err;
    EXPECT_THAT(inside(gear, "ls -l ~/git/shop.git/hooks"), HasSubstr("root"));
}

TEST_F(RemoteTest, RestoresNothingByAnAbsoluteName) {
    const ToolResult result = ssh(
        "restore INCLUDE_GIT", archive_of("mkdir -p a/app-root/data; echo x | tee a/app-root/data/fine >a/app-root/data/absolute; ln a/app-root/data/fine a/app-root/data/hard",
                                          "--transform 's,^\\./a/app-root/data/absolute,/tmp/absolute,' ./a"));
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_EQ(inside(gear, "ls /tmp/absolute ~/app-root/data/tmp ~/app-root/data/absolute 2>/dev/null | wc -l"), "0\n");
    EXPECT_FALSE(std::filesystem::exists("/tmp/absolute"));
    EXPECT_EQ(inside(gear, "cd ~/app-root/data; cat fine; stat -c %h fine hard"), "x\n2\n2\n");
    EXPECT_EQ(body(), "first version\n");
}

TEST_F(RemoteTest, StartsAgainWhenASnapshotIsGivenUp) {
    inside(gear, "head -c 30000000 /dev/urandom >~/app-root/data/big");
    const ToolResult result = on_client(str("ssh ", ssh_options(), " -p ", port, " ", gear.text(),
                                            "@127.0.0.1 snapshot | head -c 1000 | wc -c"));
    EXPECT_EQ(result.out, "1000\n");
    inside(gear, "timeout 20 bash -c 'until grep -q started ~/app-root/runtime/.state; do sleep .05; done'");
    EXPECT_EQ(body(), "first version\n");
}

TEST_F(RemoteTest, DeploysAnArchive) {
    const std::string archive =
        archive_of("mkdir -p repo/.openshift/action_hooks dependencies; echo packed >repo/index.txt; echo d >dependencies/d;"
                   "cd repo/.openshift/action_hooks; printf '#!/bin/bash\ntar -tf \"$1\" >$OPENSHIFT_DATA_DIR/prepared; echo $# >>$OPENSHIFT_DATA_DIR/prepared\n' >prepare; chmod +x prepare; cd ../../..",
                   "./repo ./dependencies");
    EXPECT_THAT(ssh("oo-binary-deploy", archive).err, HasSubstr("deployed by git"));
    agent->set_deployment_settings(gear, {true, "master", 1, "binary"});
    const ToolResult result = ssh("oo-binary-deploy --hot-deploy", archive);
    EXPECT_EQ(result.status, 0) << result.out << result.err;
    EXPECT_EQ(body(), "packed\n");
    EXPECT_EQ(inside(gear, "cat ~/app-root/dependencies/d"), "d\n");
    EXPECT_THAT(inside(gear, "cat ~/app-root/data/prepared"), AllOf(HasSubstr("./repo/index.txt\n"), testing::EndsWith("\n1\n")));
    const ToolResult saved = ssh("gear archive-deployment");
    EXPECT_EQ(saved.status, 0);
    ToolOptions options;
    options.input = saved.out;
    EXPECT_THAT(run_tool_checked({"tar", "-tz"}, options), HasSubstr("./repo/index.txt\n"));
    EXPECT_THAT(ssh("oo-binary-deploy", "nonsense").err, HasSubstr("nothing was changed"));
    EXPECT_THAT(ssh("gear binary-deploy nowhere", archive).err, HasSubstr("no file 'nowhere' to be read; nothing was changed"));
    EXPECT_EQ(body(), "packed\n");
    EXPECT_NE(push("index.txt", "by git\n").status, 0);
    const ToolResult zipped = ssh("gear binary-deploy", on_client(
        "cd $(mktemp -d) && mkdir repo && echo zipped >repo/index.txt && python3 -m zipfile -c z repo && cat z; rm -r $PWD").out);
    EXPECT_EQ(zipped.status, 0) << zipped.out << zipped.err;
    EXPECT_EQ(body(), "zipped\n");
    const ToolResult from_file = ssh("cat >/tmp/built.tar.gz; cd /tmp; gear binary-deploy --hot-deploy built.tar.gz", archive);
    EXPECT_EQ(from_file.status, 0) << from_file.out << from_file.err;
    EXPECT_EQ(body(), "packed\n");
    const ToolResult piped = ssh("binary-deploy --hot-deploy", archive_of("mkdir repo; echo piped >repo/index.txt", "./repo"));
    EXPECT_EQ(piped.status, 0) << piped.out << piped.err;
    EXPECT_EQ(body(), "piped\n");
}

TEST_F(RemoteTest, ForwardsToItsOwnPortsOnly) {
    const ToolResult listed = ssh("rhc-list-ports --exclude-remote");
    EXPECT_EQ(listed.status, 0);
    EXPECT_EQ(listed.out, "");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(listed.err, found,
                                  std::regex("mock -> (100\\.[0-9.]+):([0-9]+)\n"))) << listed.err;
    const auto fetch_through = [&](const std::string& target) {
        return on_client(str("ssh ", ssh_options(), " -N -o ExitOnForwardFailure=yes -L 127.0.0.1:9101:",
                             target, " -p ", port, " ", gear.text(), "@127.0.0.1 & pid=$!\n",
                             "for i in {1..100}; do ss -ltn | grep -q :9101 && break; sleep .05; done\n"
                             "curl -s --max-time 5 http://127.0.0.1:9101/; kill $pid; wait $pid"))
            .out;
    };
    EXPECT_EQ(fetch_through(str(found[1].str(), ":", found[2].str())), "first version\n");
    const GearId other = create_application(22, {"mock"});
    const GearRecord record = agent->context().store.gear(other);
    EXPECT_EQ(fetch_through(str(link_addresses(record.spec.uid).gear, ":",
                                record.find_web_endpoint()->proxy_port)), "");
    EXPECT_EQ(fetch_through(str("127.0.0.1:", port)), "");
    // Nothing listens on the host, neither at a port nor at a path; nothing is reached by one.
    const auto refusal = [&](const std::string& forwarding) {
        return on_client(str("timeout 20 ssh ", ssh_options().substr(std::strlen("-q ")), " -o ExitOnForwardFailure=yes ", forwarding, " -p ", port, " ",
                             gear.text(), "@127.0.0.1 -- true 2>&1; echo $?; ls /tmp/of-a-gear 2>/dev/null"))
            .out;
    };
    EXPECT_THAT(refusal("-R 9102:127.0.0.1:1"), HasSubstr("remote port forwarding failed for listen port 9102\r\n255\n"));
    EXPECT_THAT(refusal("-R /tmp/of-a-gear:127.0.0.1:1"), HasSubstr("remote port forwarding failed for listen path /tmp/of-a-gear\r\n255\n"));
    EXPECT_EQ(fetch_through("/run/gearbox/control.sock"), "");
}

TEST_F(RemoteTest, TakesNothingOfTheClientsSession) {
    const ToolResult result = on_client(
        str("eval $(ssh-agent) >/dev/null; export GIT_DIR=/etc LD_PRELOAD=/nowhere.so OPENSHIFT_APP_NAME=mine DISPLAY=:0\n"
            "LD_PRELOAD= ssh ", ssh_options(), " -A -X -o SendEnv='GIT_* LD_* OPENSHIFT_*' -p ", port, " ", gear.text(),
            "@127.0.0.1 'echo $GIT_DIR,$LD_PRELOAD,$OPENSHIFT_APP_NAME,$SSH_AUTH_SOCK,$DISPLAY'; kill $SSH_AGENT_PID"));
    EXPECT_EQ(result.out, ",,shop,,\n") << result.err;
}

TEST_F(RemoteTest, CopiesFilesInBothProtocols) {
    const std::string target = str(gear.text(), "@127.0.0.1:app-root/data/");
    for (const char* protocol : {"-O", "-s"}) {
        const std::string scp = str("scp ", protocol, " ", ssh_options(), " -P ", port, " ");
        const ToolResult result = on_client(
            str("cd ", work.path().native(), " && echo content >up && ", scp, "up ", target,
                "copied && ", scp, target, "copied down && cat down && rm -f up down"));
        EXPECT_EQ(result.out, "content\n") << protocol << result.err;
    }
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/copied; stat -c %u ~/app-root/data/copied"),
              "content\n1020\n");
    const std::string passwd = work.path() / "passwd";
    const ToolResult sftp =
        on_client(str("echo 'get /etc/passwd ", passwd, "' | sftp -b - ", ssh_options(), " -P ", port,
                      " ", gear.text(), "@127.0.0.1 >/dev/null && wc -l <", passwd));
    EXPECT_EQ(sftp.out, "3\n") << "the gear's own passwd, not the host's";
}

TEST_F(RemoteTest, ControlsTheApplication) {
    const auto sandbox = sys::find_pidfd(agent->context().store.gear(gear).init_pid);
    EXPECT_EQ(ssh("ctl_all stop; cat ~/app-root/runtime/.state").out, "stopped\n");
    EXPECT_EQ(body(), "");
    EXPECT_TRUE(sys::wait_for_end(sandbox->get(), std::chrono::seconds(10)))
        << "the last session takes the sandbox with it";
    EXPECT_EQ(ssh("gear status").out, "stopped\n");
    EXPECT_EQ(ssh("ctl_app start").status, 0);
    EXPECT_EQ(body(), "first version\n");
    EXPECT_EQ(ssh("gear restart --cart mock; gear status --cart mock").out, "running\n");
    EXPECT_THAT(ssh("gear restart --cart none").err, HasSubstr("no cartridge 'none'"));
    EXPECT_THAT(ssh("gear no-such").err, HasSubstr("there is no command 'no-such' here"));
    EXPECT_THAT(ssh("gear").out, HasSubstr("gear VERB"));
    EXPECT_THAT(ssh("echo 'gear status' | bash").out, "running\n");
    EXPECT_EQ(ssh("rhcsh gear status").out, "running\n");
    EXPECT_EQ(ssh("rhcsh", "gear status; exit 3").status, 3);
}

TEST_F(RemoteTest, TellsTheSizeOfItsFiles) {
    inside(gear, "head -c 5000000 /dev/urandom >~/app-root/data/big");
    const ToolResult result = ssh("echo \"$(quota | awk ' NR == 3 { print $2 * 1024 }')\"");
    const long used = std::strtol(result.out.c_str(), nullptr, 10);
    EXPECT_GT(used, 5'000'000);
    EXPECT_LT(used, 50'000'000);
}

/// More of our cartridges are on offer.
class DatabaseTest : public RemoteTest {
protected:
    static constexpr const char* more[] = {"phpmyadmin", "cron"};
    void SetUp() override {
        for (const char* name : more) {
            std::filesystem::copy(source_path(str("cartridges/", name)), place(name), std::filesystem::copy_options::recursive);
        }
        RemoteTest::SetUp();
    }
    void TearDown() override {
        RemoteTest::TearDown();
        for (const char* name : more) {
            std::filesystem::remove_all(place(name));
        }
    }

private:
    std::filesystem::path place(const char* name) const { return std::filesystem::path(settings.node.cartridge_dir) / name; }
};

TEST_F(DatabaseTest, IsCarriedOver) {
    const std::vector<std::string> cartridges = {"php", "mysql", "phpmyadmin", "cron"};
    gear = create_application(23, cartridges);
    agent->set_authorized_keys(gear, {public_key()});
    ASSERT_EQ(push(".openshift/cron/minutely/job", "#!/bin/sh\necho ran >>$OPENSHIFT_DATA_DIR/ran\n").status, 0);
    ASSERT_EQ(push("index.php", "<?php $env = fn($name) => getenv('OPENSHIFT_' . $name);"
                                "$db = new mysqli($env('MYSQL_DB_HOST'), $env('MYSQL_DB_USERNAME'), $env('MYSQL_DB_PASSWORD'), $env('APP_NAME'), (int) $env('MYSQL_DB_PORT'));"
                                "echo $db->query('SELECT x FROM t')->fetch_row()[0];").status, 0);
    const std::string sql = "mariadb --no-defaults -h $OPENSHIFT_MYSQL_DB_HOST -P $OPENSHIFT_MYSQL_DB_PORT "
                            "-u $OPENSHIFT_MYSQL_DB_USERNAME -p$OPENSHIFT_MYSQL_DB_PASSWORD -N "
                            "$OPENSHIFT_APP_NAME -e ";
    ASSERT_EQ(ssh(sql + "'CREATE TABLE t (x INT); INSERT INTO t VALUES (42)'").err, "");
    const ToolResult saved = ssh("snapshot");
    ASSERT_EQ(saved.status, 0) << saved.err;
    EXPECT_EQ(ssh(sql + "'UPDATE t SET x = 7; SELECT x FROM t'").out, "7\n");
    EXPECT_EQ(ssh("ls ~/app-root/data | grep -c mysql").out, "0\n");
    const ToolResult restored = ssh("restore INCLUDE_GIT", saved.out);
    EXPECT_EQ(restored.status, 0) << restored.out << restored.err;
    EXPECT_EQ(ssh(sql + "'SELECT x FROM t'").out, "42\n");
    // And by a forwarded port, as a client on somebody's desk.
    const ToolResult listed = ssh("rhc-list-ports");
    std::smatch found;
    ASSERT_TRUE(std::regex_search(listed.err, found, std::regex("mysql -> ([0-9.]+):([0-9]+)\n")));
    const std::string login = ssh("echo -u $OPENSHIFT_MYSQL_DB_USERNAME -p$OPENSHIFT_MYSQL_DB_PASSWORD").out;
    EXPECT_EQ(on_client(str("ssh ", ssh_options(), " -N -L 127.0.0.1:9103:", found[1].str(), ":", found[2].str(),
                            " -p ", port, " ", gear.text(), "@127.0.0.1 & pid=$!\n"
                            "for i in {1..100}; do ss -ltn | grep -q :9103 && break; sleep .05; done\n"
                            "mariadb --no-defaults --skip-ssl -h 127.0.0.1 -P 9103 ", login.substr(0, login.size() - 1),
                            " -N shop -e 'SELECT x FROM t'; kill $pid; wait $pid")).out, "42\n");
    // In another application, with a user, a password and an address of its own.
    const std::string old_login = login;
    agent->destroy_gear(gear);
    gear = create_application(24, cartridges);
    agent->set_authorized_keys(gear, {public_key()});
    const ToolResult moved = ssh("restore INCLUDE_GIT", saved.out);
    EXPECT_EQ(moved.status, 0) << moved.out << moved.err;
    EXPECT_NE(ssh("echo -u $OPENSHIFT_MYSQL_DB_USERNAME -p$OPENSHIFT_MYSQL_DB_PASSWORD").out, old_login);
    EXPECT_EQ(body(), "42");
    EXPECT_EQ(ssh("ls ~/app-root/data | grep -c mysql").out, "0\n");
    EXPECT_EQ(ssh(R"sh(cd $OPENSHIFT_TMP_DIR; url=http://$OPENSHIFT_PHPMYADMIN_IP:$OPENSHIFT_PHPMYADMIN_PORT/phpmyadmin/
        function page { curl -sS -L -b cookies -c cookies "$@"; }
        form=$(page $url)
        function field { sed -n "s/.*name=\"$1\" value=\"\([^\"]*\)\".*/$1=\1/p" <<<"$form" | head -n 1; }
        page --data-urlencode "$(field token)" --data-urlencode "$(field set_session)" --data-urlencode pma_username=$OPENSHIFT_MYSQL_DB_USERNAME \
            --data-urlencode pma_password=$OPENSHIFT_MYSQL_DB_PASSWORD -d server=1 -d route=/ "$url"index.php?route=/ | grep -o logged_in:true)sh").out, "logged_in:true\n");
    // A minute may begin meanwhile: then it has run twice.
    EXPECT_EQ(ssh("kill -0 $(<~/cron/run/cron.pid) && ~/cron/bin/run-jobs minutely; sort -u $OPENSHIFT_DATA_DIR/ran").out, "ran\n");
}

// What is restored is the application's; the cartridge stays what the one who restores has added.
TEST_F(RemoteTest, RestoresAnApplicationWithACartridgeOfItsUser) {
    const auto add_own = [&](const GearId& to) {
        const std::string tree = str("/var/lib/openshift/", to.text(), "/app-root/data/fetched");
        const uid_t uid = agent->context().store.gear(to).spec.uid;
        run_tool_checked({"bash", "-ec", str("cp -r ", test_data("cartridges/mock"), " ", tree, "; cd ", tree,
                                             "; sed -i 's/Vendor: redhat/Vendor: acme/; s/^Name: mock/Name: mine/; s/Short-Name: Mock/Short-Name: Mine/' metadata/manifest.yml;"
                                             "sed -i s/OPENSHIFT_MOCK_/OPENSHIFT_MINE_/g bin/*; chown -R ", uid, ":", uid, " .")});
        Cartridge mine = parse_own_cartridge(read_file(tree + "/metadata/manifest.yml"), "http://203.0.113.10/mine.tgz");
        mine.source = "app-root/data/fetched";
        agent->add_cartridge(to, mine);
        agent->control(to, "mine", "start");
        std::filesystem::remove_all(tree);
    };
    const auto expect_whole = [&] {
        EXPECT_EQ(inside(gear, "cat $OPENSHIFT_DATA_DIR/mine.db; echo ${OPENSHIFT_MINE_DIR#~/} $OPENSHIFT_MINE_IDENT; kill -0 $(<$OPENSHIFT_MINE_DIR/run/pid) && echo runs"),
                  "kept\nmine/ acme:mine:1.0:0.0.1\nruns\n");
        EXPECT_EQ(agent->state(gear), GearState::started);
        EXPECT_EQ(body(), "first version\n");
        EXPECT_TRUE(agent->context().store.gear(gear).find_cartridge("mine")->own);
    };
    add_own(gear);
    inside(gear, "echo kept >$OPENSHIFT_DATA_DIR/mine.db");
    const ToolResult saved = ssh("snapshot");
    ASSERT_EQ(saved.status, 0) << saved.err;
    inside(gear, "rm $OPENSHIFT_DATA_DIR/mine.db");
    EXPECT_EQ(ssh("restore INCLUDE_GIT", saved.out).status, 0);
    expect_whole();
    const std::string before = gear.text();
    agent->destroy_gear(gear);
    gear = create_application(24, {"mock"});
    add_own(gear);
    agent->set_authorized_keys(gear, {public_key()});
    const ToolResult restored = ssh("restore INCLUDE_GIT", saved.out);
    EXPECT_EQ(restored.status, 0) << restored.err;
    expect_whole();
    EXPECT_EQ(inside(gear, str("grep -rl ", before, " ~/.env ~/mine ~/app-root | wc -l")), "0\n");
}

}  // namespace

}  // namespace gearbox::test
