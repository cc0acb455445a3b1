// The mirror of downloads, asked by builds in gears and by who tries to get more out of it.
#include "mirror_fixture.h"

#include "base/argv.h"
#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <gmock/gmock-matchers.h>

namespace gearbox::test {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

TEST_F(MirrorTest, ServesBuildsAndFetchesWhatItDoesNotHave) {
    EXPECT_EQ(get("http://wordpress.org/hello.txt"), "hello\n200");
    EXPECT_EQ(get("http://WordPress.org:80/hello.txt"), "hello\n200");
    EXPECT_EQ(get("http://www.example.org/x"), str("I am 203.0.113.10, you are ", host_address, "\n200"));
    EXPECT_EQ(run(Purpose::service, "echo -n $http_proxy"), "");
    EXPECT_THAT(run(Purpose::build, "echo $no_proxy"), HasSubstr("127.0.0.0/8"));
}

TEST_F(MirrorTest, FetchesNothingThatAGearCouldNotReach) {
    for (const char* place : {"10.1.2.3", "169.254.169.254", "127.0.0.1:4080", "100.64.0.1:22", "localhost:4083"}) {
        EXPECT_THAT(get(str("--noproxy '' http://", place, "/")), AnyOf(HasSubstr("503"), HasSubstr("502"))) << place;
        EXPECT_THAT(get(str("--noproxy '' --proxytunnel http://", place, "/")), AnyOf(HasSubstr("403"), HasSubstr("503"))) << place;
    }
    EXPECT_THAT(get("-x $http_proxy https://10.1.2.3/"), HasSubstr("CONNECT tunnel failed, response 503"));
    // Not because nobody is there.
    EXPECT_THAT(tool("curl -sS http://10.1.2.3/"), HasSubstr("I am 10.1.2.3"));
    // The host itself and others do not get in.
    EXPECT_THAT(run_tool({"curl", "-sS", "--max-time", "5", "-x", "http://127.0.0.1:4083", "http://wordpress.org/hello.txt"}).err,
                HasSubstr("connect"));
}

TEST_F(MirrorTest, ServesNothingButItsFiles) {
    write_file_atomically("/var/lib/gearbox/secret", "secret\n", 0644);
    tool("ln -s ../../secret /var/lib/gearbox/mirror/wordpress.org/link; ln -s /etc /var/lib/gearbox/mirror/wordpress.org/etc");
    for (const bool online : {true, false}) {
        settings.network.egress = online;
        restart_agent();
        for (const char* path : {"../secret", "../../secret", "%2e%2e/%2e%2e/secret", "..%2f..%2fsecret", "link", "etc/passwd", "", "."}) {
            EXPECT_THAT(get(str("http://wordpress.org/", path)), AnyOf(HasSubstr("40"), HasSubstr("you are"))) << path;
            EXPECT_THAT(get(str("http://wordpress.org/", path)), Not(AnyOf(HasSubstr("secret\n"), HasSubstr("root:")))) << path;
        }
        EXPECT_THAT(get("http://../secret"), HasSubstr("400"));
        EXPECT_THAT(get("--noproxy '*' -H 'Host: ..' \"$http_proxy/secret\""), HasSubstr("400"));
        EXPECT_THAT(get("-d x http://wordpress.org/hello.txt"), HasSubstr("405"));
        EXPECT_THAT(get("-X PUT -d x http://wordpress.org/hello.txt"), HasSubstr("405"));
        EXPECT_EQ(get("http://wordpress.org/hello.txt"), "hello\n200");
    }
    // Without the internet: no fetching, and the reason.
    EXPECT_THAT(get("http://www.example.org/x"), HasSubstr("http://www.example.org/x is not in the mirror of downloads of this node"));
    EXPECT_THAT(get("https://203.0.113.10/"), HasSubstr("Couldn't connect"));
    EXPECT_THAT(run(Purpose::build, "curl -sS --max-time 5 -x ${http_proxy%82}83 http://www.example.org/x"), HasSubstr("Couldn't connect"));
}

// The repository comes from the network, WordPress (four lines of it) from the mirror.
TEST_F(MirrorTest, BuildsAnApplicationInTheShapeOfTheOriginal) {
    tool(str("set -e; cp -r ", source_path("tests/data/applications/wordpress-shape"), " /run/gearbox/tree; cd /run/gearbox/tree; git init -q -b master;"
             "git add -f -A; git -c user.name=a -c user.email=a@a commit -qm x; git clone -q --bare . ", served().native(),
             "/shape.git; git --git-dir ", served().native(), "/shape.git update-server-info; rm -rf /run/gearbox/tree;"
             "mkdir -p /run/gearbox/w/wordpress/wp-content/themes/plain; cd /run/gearbox/w; echo '<?php //front' >wordpress/index.php;"
             "echo style >wordpress/wp-content/themes/plain/style.css; tar czf a.tar.gz wordpress; md5sum a.tar.gz | cut -c1-32 | tr -d '\\n' >a.md5;"
             "cp a.tar.gz /var/lib/gearbox/mirror/wordpress.org/wordpress-9.9.tar.gz; cp a.md5 /var/lib/gearbox/mirror/wordpress.org/wordpress-9.9.tar.gz.md5"));
    const auto create = [&](int number, const std::string& version) {
        GearSpec spec = make_spec(number);
        spec.user_variables = {{"install_version", version}, {"OPENSHIFT_MYSQL_DB_HOST", "127.0.0.1"}};
        agent->create_gear(spec);
        agent->add_cartridge(spec.id, cartridge("mock"));
        agent->create_repository(spec.id, {RepositorySource::Kind::git, {"http://203.0.113.10/files/shape.git", ""}});
        agent->deploy_initially(spec.id, {});
        return spec.id;
    };
    const GearId made = create(51, "9.9");
    EXPECT_EQ(inside(made, "cat ~/app-root/repo/php/index.php"), "<?php //front\n");
    EXPECT_EQ(inside(made, "cat ~/app-root/data/themes/plain/style.css"), "style\n");
    // Not in the mirror, and the internet's answer is no WordPress: the deployment fails and says so.
    try {
        create(52, "1.0");
        ADD_FAILURE() << "it was built";
    } catch (const Error& error) {
        EXPECT_THAT(error.text(), HasSubstr("the sum of wordpress-1.0.tar.gz is wrong"));
    }
}

}  // namespace

}  // namespace gearbox::test
