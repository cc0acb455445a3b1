// The loop of a cartridge's author and of the operator who offers it, by the commands of docs/cartridges.md.
#include "daemon_fixture.h"

#include <gmock/gmock-matchers.h>

namespace gearbox::test {

namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class AuthorTest : public DaemonTest {
protected:
    void SetUp() override {
        DaemonTest::SetUp();
        fs::create_directory(work_.path() / "bin");
        fs::create_symlink(built_program("runtime/cli/gearbox"), work_.path() / "bin/gearbox");
        fs::create_symlink("/usr/bin/env", work_.path() / "bin/sudo");  // we are root
    }

    /// "STATUS\n" and what a bash program says, in the author's directory.
    std::string run(const std::string& program, const std::string& input = "") const {
        ToolOptions options;
        options.directory = work_.path();
        options.input = input;
        options.environment = {str("PATH=", (work_.path() / "bin").native(), ":/usr/sbin:/usr/bin"), "GEARBOX_CONFIG_DIR=" + work_.path().native()};
        const ToolResult done = run_tool({"bash", "-c", "exec 2>&1; " + program}, options);
        return str(done.status, "\n", done.out);
    }
    /// The same of a line of the documentation, which an author would copy.
    std::string copied(std::string line) const {
        EXPECT_THAT(documentation_, HasSubstr("\n    " + line)) << "not in docs/cartridges.md";
        if (const auto at = line.find("mydomain"); at != std::string::npos) {
            line.replace(at, 8, "acme");
        }
        return run(line);
    }
    /// The indented text that follows a heading.
    std::string first_block(const std::string& heading) const {
        std::string out;
        const auto begin = documentation_.find("\n    ", documentation_.find("\n" + heading + "\n"));
        std::istringstream lines(documentation_.substr(begin + 1));
        for (std::string line; std::getline(lines, line) && line.starts_with("    ");) {
            out += line.substr(4) + "\n";
        }
        return out;
    }
    void set_packaging(const std::string& version, const std::string& more = "true") const {
        EXPECT_EQ(run(str("cd hello; sed -i 's/^Cartridge-Version: .*/Cartridge-Version: ", version, "/' metadata/manifest.yml; ", more)), "0\n");
    }
    std::string list() const {
        const std::string rows = run("gearbox admin cartridge list | tail -n +2 | tr -s ' '");
        return rows.substr(rows.find('\n') + 1);
    }
    /// What an application's visitors see.
    std::string page(const std::string& application) const {
        const Json groups = ask("GET", str("domain/acme/application/", application, "/gear_groups?include=endpoints")).json();
        const Json& endpoint = groups["data"][0]["gears"][0]["endpoints"][0];
        return run(str("curl -s http://", endpoint["external_address"].get<std::string>(), ":", endpoint["external_port"].get<int>()));
    }

private:
    const TempDir work_;
    const std::string documentation_ = read_file(source_path("docs/cartridges.md"));
};

TEST_F(AuthorTest, GoesThroughTheLoopByItsCommands) {
    const Daemon daemon;
    EXPECT_THAT(run(str("gearbox setup --server http://127.0.0.1:", port, " --login demo --password-stdin"), "secret\n"), StartsWith("0\n"));
    EXPECT_EQ(run("gearbox domain create acme"), "0\ndomain 'acme' created\n");

    EXPECT_EQ(run("set -e; " + first_block("## Writing one")), "0\n");
    EXPECT_EQ(copied("gearbox cartridge check ./hello"), "0\nusable: acme-hello-1.0\n");
    EXPECT_EQ(run("gearbox app create hi acme-hello"), "154\nerror: there is no cartridge 'acme-hello'; see 'gearbox cartridge list'\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge import ./hello"), "0\non offer: acme-hello-1.0\n");
    EXPECT_THAT(copied("gearbox app create hi acme-hello"), AllOf(StartsWith("0\n"), HasSubstr("'hi' is running\n"), HasSubstr("  acme-hello-1.0\n")));
    EXPECT_EQ(page("hi"), "0\nhello\n");

    // A slip is told before anything is offered.
    set_packaging("0.0.2", "echo if >>bin/control");
    EXPECT_THAT(run("gearbox cartridge check ./hello"), AllOf(StartsWith("1\nerror    bin/control:10: syntax error"), EndsWith("\nnot usable\n")));
    EXPECT_THAT(run("gearbox admin cartridge import ./hello"), StartsWith("1\nerror: this is no usable cartridge\n  bin/control:10: syntax error"));
    EXPECT_EQ(list(), "acme-hello 0.0.1 0.0.1 hi-acme\n");
    set_packaging("0.0.2", "sed -i '$d' bin/control; mkdir hooks; sed -i 's/--bind/--protocol HTTP\\/1.1 --bind/' bin/control");
    EXPECT_EQ(copied("gearbox cartridge check ./hello && sudo gearbox admin cartridge import ./hello"),
              "0\nusable: acme-hello-1.0\non offer: acme-hello-1.0\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge upgrade acme-hello hi-mydomain"),
              "0\nAPPLICATION  CARTRIDGE       FROM   TO     RESULT\nhi-acme      acme-hello-1.0  0.0.1  0.0.2  upgraded, restarted\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge upgrade acme-hello"),
              "0\nAPPLICATION  CARTRIDGE       FROM   TO     RESULT\nhi-acme      acme-hello-1.0  0.0.2  0.0.2  current\n");
    EXPECT_EQ(page("hi"), "0\nhello\n");
    EXPECT_THAT(copied("sudo gearbox admin cartridge list"), HasSubstr("acme-hello  0.0.2     0.0.1, 0.0.2  hi-acme\n"));

    EXPECT_EQ(copied("sudo gearbox admin cartridge deactivate acme-hello"),
              "0\n'acme-hello' is not on offer any more; applications that have it keep it\n");
    EXPECT_EQ(run("gearbox app create two acme-hello"), "154\nerror: there is no cartridge 'acme-hello'; see 'gearbox cartridge list'\n");
    EXPECT_THAT(ask("POST", "domain/acme/applications", R"({"name":"two","cartridges":["acme-hello-1.0"]})").body,
                HasSubstr("Invalid cartridge 'acme-hello-1.0' specified."));
    EXPECT_EQ(run("gearbox cartridge restart acme-hello -a hi"), "0\n'acme-hello' restarted\n");
    EXPECT_THAT(run("gearbox cartridge status acme-hello -a hi"), StartsWith("0\nApplication is running"));
    EXPECT_EQ(page("hi"), "0\nhello\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge remove acme-hello"), "1\nerror: 'acme-hello' is used by hi-acme\n");
    EXPECT_EQ(run("gearbox admin cartridge activate acme-hello-1.0"),
              "1\nerror: no cartridge 'acme-hello-1.0' was imported; 'acme-hello' stands for all its versions\n");
    EXPECT_EQ(run("gearbox admin cartridge activate acme-hello"), "0\n'acme-hello' is on offer\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge remove acme-hello"),
              "1\nerror: 'acme-hello' is used by hi-acme; 'gearbox admin cartridge deactivate acme-hello' keeps it from new applications\n");
    EXPECT_EQ(run("gearbox app delete hi --confirm"), "0\n'hi' deleted\n");
    EXPECT_EQ(run("gearbox admin cartridge upgrade acme-hello"), "0\nno application has 'acme-hello'\n");
    EXPECT_EQ(copied("sudo gearbox admin cartridge remove acme-hello"), "0\n'acme-hello' removed\n");
    EXPECT_EQ(run("gearbox admin cartridge remove acme-hello"),
              "1\nerror: no cartridge 'acme-hello' was imported; see 'gearbox admin cartridge list'\n");
}

TEST_F(AuthorTest, OffersTheCartridgeOfTheCourse) {
    const Daemon daemon;
    run(str("gearbox setup --server http://127.0.0.1:", port, " --login demo --password-stdin; gearbox domain create acme"), "secret\n");
    EXPECT_EQ(run("gearbox admin cartridge import " + source_path("kickstart/course/hello")), "0\non offer: course-hello-1.0\n");
    EXPECT_THAT(run("gearbox app create hi course-hello"), AllOf(StartsWith("0\n"), HasSubstr("'hi' is running\n")));
    EXPECT_THAT(page("hi"), HasSubstr("Hello, course!"));
    EXPECT_EQ(run("gearbox app delete hi --confirm; gearbox admin cartridge remove course-hello"), "0\n'hi' deleted\n'course-hello' removed\n");
}

TEST_F(AuthorTest, OffersSeveralVersionsOfTheSoftware) {
    const Daemon daemon;
    run(str("gearbox setup --server http://127.0.0.1:", port, " --login demo --password-stdin; gearbox domain create acme"), "secret\n");
    run(first_block("## Writing one"));
    set_packaging("0.0.1", "echo \"Versions: ['1.0', '2.0', '1.10']\" >>metadata/manifest.yml; printf 'Version-Overrides: {\"2.0\": {Display-Name: Hello two}}\\n'"
                           " >>metadata/manifest.yml; printf '#!/bin/bash\\necho \"$2\" >~/app-root/data/version\\n' >bin/setup");
    EXPECT_EQ(run("gearbox cartridge check hello"), "0\nusable: acme-hello-2.0, acme-hello-1.10, acme-hello-1.0\n");
    EXPECT_EQ(run("gearbox admin cartridge import hello"), "0\non offer: acme-hello-2.0, acme-hello-1.10, acme-hello-1.0\n");
    const auto version = [&](const std::string& application, const std::string& word) {
        run(str("gearbox app create ", application, " ", word));
        return run(str("cat /var/lib/openshift/*/.env/OPENSHIFT_APP_NAME | grep -qx ", application, "; cd /var/lib/openshift; for gear in *; do "
                       "[[ $(<$gear/.env/OPENSHIFT_APP_NAME) != ", application, " ]] || cat $gear/app-root/data/version $gear/hello/env/OPENSHIFT_HELLO_IDENT; done"));
    };
    EXPECT_EQ(version("newest", "acme-hello"), "0\n2.0\nacme:hello:2.0:0.0.1");
    EXPECT_EQ(version("old", "acme-hello-1.0"), "0\n1.0\nacme:hello:1.0:0.0.1");
    EXPECT_THAT(run("gearbox cartridge show acme-hello -a newest"), HasSubstr("acme-hello-2.0  Hello two\n"));
    EXPECT_THAT(run("gearbox cartridge show acme-hello -a old"), HasSubstr("acme-hello-1.0  Hello\n"));
    EXPECT_THAT(run("gearbox app create none acme-hello-3.0"), StartsWith("154\nerror: there is no cartridge 'acme-hello-3.0'; did you mean"));

    // A packaging without one that an application has: that one keeps it, and it cannot be had any more.
    set_packaging("0.0.2", "sed -i \"s/^Versions: .*/Versions: ['2.0']/; s/^Version: .*/Version: '2.0'/\" metadata/manifest.yml");
    EXPECT_EQ(run("gearbox admin cartridge import hello"), "0\non offer: acme-hello-2.0\n");
    EXPECT_THAT(run("gearbox app create none acme-hello-1.0"), StartsWith("154\nerror: there is no cartridge 'acme-hello-1.0'"));
    EXPECT_EQ(run("gearbox cartridge restart acme-hello -a old"), "0\n'acme-hello' restarted\n");
    EXPECT_EQ(page("old"), "0\nhello\n");
    const std::string upgraded = run("gearbox admin cartridge upgrade acme-hello | tr -s ' '");
    EXPECT_THAT(upgraded, HasSubstr("newest-acme acme-hello-2.0 0.0.1 0.0.2 upgraded, restarted\n"));
    EXPECT_THAT(upgraded, HasSubstr("old-acme acme-hello-1.0 - - failed\n"));
    EXPECT_THAT(upgraded, HasSubstr("old-acme keeps what it has: 'acme-hello-1.0' is not on offer: there is nothing to upgrade to\n"));
    EXPECT_EQ(run("gearbox app delete old --confirm; gearbox app delete newest --confirm; gearbox admin cartridge remove acme-hello"),
              "0\n'old' deleted\n'newest' deleted\n'acme-hello' removed\n");
}

TEST_F(AuthorTest, SeesTheLogsGrow) {
    const Daemon daemon;
    run(str("gearbox setup --server http://127.0.0.1:", port, " --login demo --password-stdin; gearbox domain create acme; gearbox app create hi mock"), "secret\n");
    const std::string followed =
        "seen=$PWD/seen; cd /var/lib/openshift/*/app-root/logs; echo before >web.log; chown --reference . web.log\n"
        ": >$seen; gearbox tail hi --follow >$seen & follows=$!\n"
        "until_seen() { timeout 20 bash -c \"until grep -q $1 $seen; do sleep .05; done\" && kill -0 $follows; }\n"
        "until_seen before && echo after >>web.log && until_seen after; echo $?; kill $follows; cat $seen";
    EXPECT_EQ(run(followed), "0\n0\napp-root/logs/web.log: before\napp-root/logs/web.log: after\n");
}

}  // namespace

}  // namespace gearbox::test
