// Registries of packages through the mirror, read by the real pip, npm, Maven and gem in builds, and by who would like others
// to get something else.
#include "mirror_fixture.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "node/disk_limit.h"

#include <gmock/gmock-matchers.h>

#include <unistd.h>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace gearbox::test {

using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

namespace {

constexpr const char* registries = "http://100.127.255.254";
constexpr const char* own = "http://203.0.113.10/own/";  // the user's

class RegistriesTest : public MirrorTest {
protected:
    void SetUp() override {
        tool(str("cd ", place_.path().native(), "; set -e; mkdir www;"
                 "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=test -days 2 2>/dev/null;"
                 "openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request -subj /CN=test 2>/dev/null;"
                 "echo subjectAltName=DNS:registry.npmjs.org,DNS:pypi.org,DNS:files.pythonhosted.org,DNS:repo1.maven.org,DNS:rubygems.org,DNS:codeload.github.com >names;"
                 "openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem 2>/dev/null;"
                 "cp /etc/ssl/certs/ca-certificates.crt before; cat ca.pem >>/etc/ssl/certs/ca-certificates.crt"));
        MirrorTest::SetUp();
        if (IsSkipped()) {
            return;
        }
        GearSpec spec = make_spec(51);
        spec.domain = *Namespace::parse("other");
        other = spec.id;
        agent->create_gear(spec);
        agent->add_cartridge(spec.id, cartridge("mock"));
        agent->create_repository(spec.id, {});
        agent->deploy_initially(spec.id, {});
        start_registry();
    }
    void TearDown() override {
        if (registry_) {
            stop_registry();
        }
        MirrorTest::TearDown();
        tool(str("cp ", place_.path().native(), "/before /etc/ssl/certs/ca-certificates.crt"));
    }

    void start_registry() {
        Pipe out = make_pipe();
        sys::Program program;
        program.path = "/usr/sbin/ip";
        const std::string place = place_.path();
        program.argv = {"ip", "netns", "exec", "internet", "python3", "-B", source_path("tests/functional/registry.py"),
                        www(), place + "/cert.pem", place + "/key.pem", "203.0.113.10", "443"};
        program.environment = {"PATH=/usr/local/bin:/usr/bin:/bin"};
        program.descriptors = {{out.write.get(), 1}, {2, 2}};
        registry_.emplace(sys::spawn(program));
        out.write.reset();
        char text[6] = {};
        ASSERT_EQ(::read(out.read.get(), text, 6), 6);
    }
    void stop_registry() {
        registry_->kill(SIGTERM);
        registry_->wait();
        registry_.reset();
    }

    std::string www() const { return place_.path() / "www"; }
    void publish(const std::string& name, const std::string& text) const {
        tool(str("mkdir -p $(dirname ", www(), "/", name, ")"));
        write_file_atomically(www() + "/" + name, text, 0644);
    }
    /// How often the registry was asked for this.
    std::ptrdiff_t asked(const std::string& what) const {
        const std::string log = requests();
        std::ptrdiff_t count = 0;
        for (auto at = log.find(what); at != std::string::npos; at = log.find(what, at + 1)) {
            ++count;
        }
        return count;
    }
    std::string requests() const { return read_file(www() + "/log"); }

    /// What is good for a second is not any more.
    static void get_old() { std::this_thread::sleep_for(std::chrono::seconds(2)); }  // allowed: time itself is waited for

    /// What a build of that gear says in a new directory.
    std::string build(const GearId& in, const std::string& program) const {
        return run(in, Purpose::build, str("rm -rf /tmp/b; mkdir /tmp/b; cd /tmp/b; export HOME=/tmp/b; ", program, " 2>&1"));
    }
    std::string page(const std::string& path, const std::string& options = "") const {
        return get(str(options, " '", registries, path, "'"));
    }

    GearId other;

    static constexpr const char* npm = "npm install --fetch-retries=0 left @scope/right";
    // npm is not on every machine: Debian's package brings some four hundred others.
    const bool has_npm = std::filesystem::exists("/usr/bin/npm");
    // As the python cartridge has it.
    static constexpr const char* pip = "PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl) /usr/bin/python3 -m pip install --no-cache-dir"
                                       " --disable-pip-version-check --retries 1 --target /tmp/b/lib ";

private:
    const TempDir place_;
    std::optional<sys::Child> registry_;
};

TEST_F(RegistriesTest, GiveTheSecondGearWhatTheFirstHasFetchedAlsoOffline) {
    const auto npm_works = [&](const GearId& in) {
        if (has_npm) {
            EXPECT_THAT(build(in, npm), HasSubstr("added 2 packages"));
        }
    };
    const auto pip_works = [&](const GearId& in) { EXPECT_THAT(build(in, str(pip, "demo && cat lib/demo.py")), HasSubstr("from the registry")); };
    npm_works(gear);
    pip_works(gear);
    const std::ptrdiff_t files = has_npm ? 3 : 1;
    EXPECT_EQ(asked("1.0"), files) << requests();
    npm_works(other);
    pip_works(other);
    EXPECT_EQ(asked("1.0"), files) << requests();

    stop_registry();
    tool("ip link set uplink down");
    stop_mirror();
    start_mirror();  // which cannot even look up names now
    get_old();
    npm_works(other);
    pip_works(gear);
    EXPECT_THAT(page("/npm/never-asked-for"), HasSubstr("has not been fetched on this node before, and the registry does not answer.\n50"));
    EXPECT_THAT(build(gear, str(pip, "never-asked-for")), HasSubstr("No matching distribution found for never-asked-for"));
    if (has_npm) {
        EXPECT_THAT(build(gear, "npm install --fetch-retries=0 never-asked-for"), HasSubstr("error 50"));
    }
}

// Which have no network of their own to fall back to: the pom's parent and the gem are there only.
TEST_F(RegistriesTest, AreMavensAndGems) {
    if (run_tool({"sh", "-c", "test -x /usr/bin/mvn && /usr/bin/gem generate_index --help"}).status != 0) {
        GTEST_SKIP() << "no Maven, or no gem that makes an index";
    }
    const std::string model = "<project><modelVersion>4.0.0</modelVersion><packaging>pom</packaging>";
    publish("repo1.maven.org/maven2/acme/parent/1.0/parent-1.0.pom", model + "<groupId>acme</groupId><artifactId>parent</artifactId><version>1.0</version></project>");
    const std::string child = model + "<parent><groupId>acme</groupId><artifactId>parent</artifactId><version>1.0</version></parent>"
                                      "<artifactId>child</artifactId></project>";
    tool(str("mkdir -p ", www(), "/rubygems.org/gems; cd ", www(), "/rubygems.org; echo \"Gem::Specification.new { |s| s.name = 'demo'; s.version = '1.0';"
             " s.summary = 'x'; s.author = 'x' }\" >demo.gemspec; /usr/bin/gem build demo.gemspec -o gems/demo-1.0.gem 2>/dev/null;"
             "/usr/bin/gem generate_index --directory . 2>/dev/null"));
    for (const GearId& in : {gear, other}) {
        EXPECT_THAT(build(in, str("echo '", child, "' >pom.xml; mvn --batch-mode --quiet -Dmaven.repo.local=/tmp/b/m2 $MAVEN_ARGS validate && ls m2/acme/parent/1.0/*.pom")),
                    HasSubstr("m2/acme/parent/1.0/parent-1.0.pom"));
        EXPECT_THAT(build(in, "/usr/bin/gem install --no-document --install-dir /tmp/b/gems demo"), HasSubstr("1 gem installed"));
    }
    EXPECT_EQ(asked("parent-1.0.pom "), 1);
    EXPECT_EQ(asked("demo-1.0.gem "), 1);
}

// The lock's own address of the archive is out of reach.
TEST_F(RegistriesTest, IsGitHubForComposer) {
    if (!std::filesystem::exists("/usr/bin/composer")) {
        GTEST_SKIP() << "no Composer";
    }
    const std::string commit = "0123456789abcdef0123456789abcdef01234567";
    tool(str("mkdir -p ", www(), "/codeload.github.com/acme/there/legacy.zip; cd ", www(), "; mkdir acme-there; echo there >acme-there/there.txt;"
             "echo '{\"name\": \"acme/there\"}' >acme-there/composer.json; python3 -m zipfile -c codeload.github.com/acme/there/legacy.zip/", commit, " acme-there"));
    const std::string lock = str(R"({"packages": [{"name": "acme/there", "version": "1.0", "type": "library", "dist": {"type": "zip", "reference": ")", commit,
                                 R"(", "url": "https://api.github.com/repos/acme/there/zipball/)", commit,
                                 R"("}}], "packages-dev": [], "platform": {}})");
    const std::string install = str("echo '{\"require\": {\"acme/there\": \"1.0\"}}' >composer.json; echo '", lock, "' >composer.lock; cp composer.lock before;"
                                    "repo=/tmp/b OPENSHIFT_BUILD_DEPENDENCIES_DIR=/tmp/b/kept/; source $OPENSHIFT_CARTRIDGE_SDK_BASH\n",
                                    read_file(source_path("cartridges/php/lib/composer")), "install_packages; cmp composer.lock before; cat vendor/acme/there/there.txt");
    EXPECT_THAT(build(gear, install), StartsWith("there\n"));
    EXPECT_THAT(build(other, install), StartsWith("there\n"));
    EXPECT_EQ(asked("legacy.zip"), 1) << requests();
    EXPECT_THAT(page("/github/acme/there/legacy.zip/main"), HasSubstr("is no address of a package"));
    stop_registry();
    get_old();
    EXPECT_THAT(build(gear, install), StartsWith("there\n"));
}

TEST_F(RegistriesTest, AreAskedAgainForWhatIsOld) {
    // news is good for a second, news-1.0 for an hour.
    for (const char* name : {"news", "news-1.0"}) {
        publish(str("registry.npmjs.org/", name), "first");
        EXPECT_EQ(page(str("/npm/", name)), "first200");
        publish(str("registry.npmjs.org/", name), "second");
    }
    // Not because a gear wants it.
    EXPECT_EQ(page("/npm/news-1.0", "-H 'Cache-Control: no-cache' -H 'Pragma: no-cache' -H 'Cache-Control: max-age=0'"), "first200");
    get_old();
    EXPECT_EQ(page("/npm/news"), "second200");
}

TEST_F(RegistriesTest, KeepNothingButWholeAnswersThatAreRight) {
    EXPECT_EQ(page("/npm/later-1.0"), "no such package\n404");
    publish("registry.npmjs.org/later-1.0", "here it is");
    EXPECT_EQ(page("/npm/later-1.0"), "here it is200");
    EXPECT_THAT(page("/npm/x-1.0/moved", "-H 'Host: evil.test' -D -"), HasSubstr("Location: http://100.127.255.254/npm/elsewhere"));
    page("/npm/x-1.0/moved");
    EXPECT_EQ(asked("x-1.0/moved"), 2);
    publish("registry.npmjs.org/y-1.0/cut", "hal");
    EXPECT_THAT(page("/npm/y-1.0/cut"), HasSubstr("curl: "));
    EXPECT_THAT(page("/npm/y-1.0/cut"), HasSubstr("curl: "));
    EXPECT_EQ(asked("y-1.0/cut"), 2);
    // A part for one is no part for the next.
    publish("registry.npmjs.org/part-1.0", "all of it");
    page("/npm/part-1.0", "-r 0-2");
    EXPECT_EQ(page("/npm/part-1.0"), "all of it200");
}

TEST_F(RegistriesTest, CannotBeChangedByAGear) {
    publish("registry.npmjs.org/p-1.0", "good");
    publish("evil.test/npm/p-1.0", "evil");
    for (const char* method : {"PUT", "POST", "DELETE", "PATCH", "PURGE", "MKCOL", "PROPFIND"}) {
        EXPECT_THAT(page("/npm/p-1.0", str("-d x -X ", method)), MatchesRegex("(.|\n)*40[05]")) << method;
    }
    EXPECT_EQ(page("/npm/p-1.0", "-X GET -d evil").substr(0, 2), "<!");
    for (const char* path : {"/npm/p-1.0?evil", "/npm/p-1.0%3fevil", "/npm/p-1.0%0aevil", "/npm/p-1.0;evil", "/npm/%25%32%65"}) {
        EXPECT_THAT(page(path), HasSubstr("is not served: it is no address of a package.\n403")) << path;
    }
    EXPECT_EQ(requests(), "");
    // Who asks first can say nothing that matters to the rest.
    const std::string headers =
        "-H 'Host: evil.test' -H 'X-Forwarded-Host: evil.test' -H 'X-Original-URL: /evil' -H 'X-HTTP-Method-Override: PUT'"
        " -H 'Connection: Accept' -H 'Authorization: Basic x' -H 'Cookie: a=b' -H 'Accept-Encoding: gzip' -H 'Forwarded: host=evil.test'";
    EXPECT_THAT(page("/npm/p-1.0", headers + " -D -"), Not(HasSubstr("Cookie")));
    EXPECT_EQ(requests(), "registry.npmjs.org/p-1.0 accept connection host user-agent\n");
    EXPECT_EQ(run(other, Purpose::build, str("curl -sS ", registries, "/npm/p-1.0")), "good");
    EXPECT_EQ(run(other, Purpose::build, "curl -sS --noproxy '*' ${http_proxy%83}84/npm/p-1.0"), "good");
    EXPECT_EQ(asked("p-1.0"), 1);
    // The proxy for what gears name is another place, and nothing for it to ask.
    publish("registry.npmjs.org/q-1.0", "good");
    EXPECT_THAT(get(str("--noproxy '' ", registries, "/npm/q-1.0")), HasSubstr("503"));
    EXPECT_THAT(get("--noproxy '' -H 'Host: 100.127.255.254' http://evil.test/npm/q-1.0"), HasSubstr("I am 203.0.113.10"));
    EXPECT_THAT(get(str("--noproxy '*' --request-target http://evil.test/npm/q-1.0 ", registries, "/")), Not(HasSubstr("evil")));
    EXPECT_EQ(page("/npm/q-1.0"), "good200");
    // The files are not the gears', and gears see none of them.
    EXPECT_THAT(run(Purpose::build, str("ls ", cache)), HasSubstr("No such file"));
    EXPECT_THAT(tool(str("find ", cache, " -type f ! -user gearbox-mirror")), "");
}

TEST_F(RegistriesTest, AreAskedByVerifiedHttpsOnly) {
    settings.mirror.gem = "https://gems.test";  // not in the certificate
    settings.mirror.maven = "";
    restart_agent();
    stop_mirror();
    start_mirror();
    publish("gems.test/g-1.0.gem", "gem");
    EXPECT_THAT(page("/gem/g-1.0.gem"), HasSubstr("the registry does not answer"));
    EXPECT_EQ(requests(), "");
    EXPECT_THAT(page("/maven/x"), HasSubstr("/maven/x is of no registry that this node keeps.\n404"));
    EXPECT_EQ(run(Purpose::build, "echo -n $MAVEN_ARGS"), "");
}

TEST_F(RegistriesTest, StandBehindTheUsersSettingsOfNpm) {
    if (!has_npm) {
        GTEST_SKIP() << "no npm";
    }
    EXPECT_EQ(build(gear, "npm config get registry"), str(registries, "/npm/\n"));
    for (const char* way : {"echo registry=$own >.npmrc; npm config get registry",
                            "mkdir p; cd p; echo {} >package.json; echo registry=$own >.npmrc; npm config get registry",
                            "npm_config_registry=$own npm config get registry", "NPM_CONFIG_REGISTRY=$own npm config get registry"}) {
        EXPECT_EQ(build(gear, str("own=", own, "; ", way)), str(own, "\n")) << way;
    }
}

TEST_F(RegistriesTest, StandBehindTheUsersSettingsOfPip) {
    const std::string pip_looks = str("own=", own, "; export PYTHONPATH=$(echo /usr/share/python-wheels/pip-*.whl);"
                                      "look='/usr/bin/python3 -m pip download --retries 0 --no-cache-dir demo'; ");
    EXPECT_THAT(build(gear, pip_looks + "$look"), HasSubstr(str("Looking in indexes: ", registries, "/pip/\n")));
    for (const char* way : {"mkdir .pip; printf '[global]\nindex-url=%s' $own >.pip/pip.conf; $look",
                            "mkdir -p .config/pip; printf '[global]\nindex-url=%s' $own >.config/pip/pip.conf; $look",
                            "PIP_INDEX_URL=$own $look", "printf -- '--index-url %s\ndemo\n' $own >r; $look -r r"}) {
        EXPECT_THAT(build(gear, pip_looks + way), HasSubstr(str("Looking in indexes: ", own))) << way;
    }
}

// Those of `env set`; services and sessions have none of ours.
TEST_F(RegistriesTest, StandBehindTheUsersVariables) {
    GearSpec spec = make_spec(52);
    spec.user_variables = {{"NPM_CONFIG_GLOBALCONFIG", "/tmp/mine"}, {"MAVEN_ARGS", "-o"}, {"XDG_CONFIG_DIRS", "/tmp"}};
    agent->create_gear(spec);
    agent->add_cartridge(spec.id, cartridge("mock"));
    agent->create_repository(spec.id, {});
    agent->deploy_initially(spec.id, {});
    EXPECT_EQ(run(spec.id, Purpose::build, "echo $NPM_CONFIG_GLOBALCONFIG $MAVEN_ARGS $XDG_CONFIG_DIRS"), "/tmp/mine -o /tmp\n");
    EXPECT_EQ(run(Purpose::service, "echo -n $NPM_CONFIG_GLOBALCONFIG$MAVEN_ARGS$XDG_CONFIG_DIRS; env | grep -c BUNDLE_MIRROR"), "0\n");
}

TEST_F(RegistriesTest, AreForWhoMayReachTheInternet) {
    publish("registry.npmjs.org/p-1.0", "good");
    EXPECT_EQ(page("/npm/p-1.0"), "good200");
    settings.network.egress = false;
    restart_agent();
    EXPECT_THAT(page("/npm/p-1.0"), HasSubstr("Couldn't connect"));
    EXPECT_EQ(run(Purpose::build, "echo -n $NPM_CONFIG_GLOBALCONFIG"), "");
    // Nor is it for the host or others.
    EXPECT_THAT(run_tool({"curl", "-sS", "--max-time", "5", "http://127.0.0.1:4084/npm/p-1.0"}).err, HasSubstr("connect"));
}

// The bound is the mirror's quota (tests/e2e/scenarios/41_registries.py). Not every kernel has quotas; a full file system is the same
// to Apache.
TEST_F(RegistriesTest, AreServedAlsoWhenNoMoreCanBeKept) {
    tool(str("mount -t tmpfs -o size=8m,mode=0700,uid=$(id -u gearbox-mirror) cache ", cache));
    settings.mirror.cache_mb = 8;
    restart_agent();
    const auto kept = [] { return parse_mb(tool(str("find ", cache, " -name '*.data' | wc -l"))); };
    for (int number = 0; number < 12; ++number) {
        publish(str("registry.npmjs.org/p", number, "-1.0"), std::string(1 << 20, 'x'));
        EXPECT_EQ(page(str("/npm/p", number, "-1.0"), "-o /dev/null -w '%{size_download}'"), "1048576") << number;
    }
    EXPECT_LE(kept(), 8);
    EXPECT_GE(kept(), 6);
    // As gearbox-mirror-clean.service does each minute.
    tool(str("set -a; . /run/gearbox/mirror.env 2>/dev/null; exec setpriv --reuid gearbox-mirror --regid gearbox-mirror --clear-groups"
             " htcacheclean -n -t -p $CACHE_DIRECTORY -l ${CACHE_KB}K -L $CACHE_FILES"));
    EXPECT_LE(kept(), 6);
    const std::string last = "registry.npmjs.org/p11-1.0";
    const std::ptrdiff_t before = asked(last);
    page("/npm/p11-1.0", "-o /dev/null");
    page("/npm/p11-1.0", "-o /dev/null");
    EXPECT_EQ(asked(last), before + 1);
    tool(str("umount --lazy ", cache));
}

}  // namespace

}  // namespace gearbox::test
