// A user's own cartridge by its address: fetched inside of the gear, from a small internet behind the private host.
#include "internet_fixture.h"

#include "base/error.h"
#include "support/paths.h"

#include <gmock/gmock.h>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

namespace {

constexpr const char* files = "http://203.0.113.10/files/";

class OwnCartridge : public NetworkTest {
protected:
    void SetUp() override {
        settings.cartridges.url_mb = 8;
        settings.cartridges.url_files = 500;
        settings.cartridges.url_seconds = 20;
        NetworkTest::SetUp();
        // The test double as somebody else's: as files, in an archive, in a repository.
        in_served("cp -r " + test_data("cartridges/mock") + " mine; cd mine; mkdir usr; echo shared >usr/share.txt;"
                  "sed -i 's/Vendor: redhat/Vendor: acme/; s/^Name: mock/Name: mine/; s/Short-Name: Mock/Short-Name: Mine/' metadata/manifest.yml;"
                  "sed -i 's/OPENSHIFT_MOCK_/OPENSHIFT_MINE_/g' bin/*; cd ..;"
                  "tar -czf mine.tgz mine; git init -q --bare -b main mine.git; git -C mine --git-dir=../mine.git --work-tree=. add .;"
                  "git -C mine --git-dir=../mine.git --work-tree=. -c user.name=a -c user.email=a commit -qm one; git --git-dir=mine.git update-server-info;"
                  "sum=$(sha256sum mine.tgz | head -c 64);"
                  "for n in good:$sum bad:0000${sum:4}; do (cat mine/metadata/manifest.yml;"
                  "  echo Source-Url: http://203.0.113.10/files/mine.tgz; echo Source-Sha256: ${n#*:}) >${n%:*}.yml; done");
    }
    void in_served(const std::string& program) const {
        ToolOptions options;
        options.directory = served();
        run_tool_checked({"bash", "-ec", program}, options);
    }
    /// A manifest at files/NAME.yml, with more lines.
    std::string manifest(const std::string& name, const std::string& more) const {
        const std::string text = read_file(served() / "mine/metadata/manifest.yml");
        write_file_atomically(served() / (name + ".yml"), text + more + "\n");
        return str(files, name, ".yml");
    }
    /// Why it is refused; "fetched" if it is not. Nothing of it stays.
    std::string refusal(const std::string& url) const {
        std::string out = "fetched";
        try {
            agent->fetch_cartridge(gear, url);
        } catch (const Error& error) {
            out = error.text();
        }
        agent->drop_fetched(gear);
        EXPECT_EQ(inside(gear, "ls -A ~ | grep downloaded"), "");
        return out;
    }
};

}  // namespace

TEST_F(OwnCartridge, IsFetchedFromWhatAPersonWouldPaste) {
    for (const char* form : {"mine/", "mine", "mine/metadata/manifest.yml", "mine.tgz", "mine.git", "mine.git#main", "good.yml"}) {
        SCOPED_TRACE(form);
        const Cartridge fetched = agent->fetch_cartridge(gear, str(files, form));
        EXPECT_EQ(fetched.full_name(), "acme-mine-1.0");
        EXPECT_EQ(fetched.url, str(files, form));
        EXPECT_EQ(inside(gear, str("cd ~/", fetched.source, "; cat usr/share.txt; ls -A; stat -c %U . bin/control")),
                  str("shared\nbin\nmetadata\ntemplate\nusr\n", gear.text(), "\n", gear.text(), "\n"));
        agent->drop_fetched(gear);
    }
    EXPECT_THAT(refusal(str(files, "bad.yml")), HasSubstr("'mine.tgz' has the sha256sum "));
}

TEST_F(OwnCartridge, IsAnApplicationLikeOthers) {
    const GearSpec spec = make_spec(60);
    agent->create_gear(spec);
    const Cartridge mine = agent->fetch_cartridge(spec.id, str(files, "mine/"));
    agent->add_cartridge(spec.id, mine);
    agent->drop_fetched(spec.id);
    agent->create_repository(spec.id, {});
    agent->deploy_initially(spec.id, {});
    // Others are not offered it.
    EXPECT_THROW(cartridge("acme-mine"), Error);
    const auto page = [&] {
        const GearRecord record = agent->context().store.gear(spec.id);
        return http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop");
    };
    EXPECT_EQ(page(), "first version\n");
    EXPECT_EQ(inside(spec.id, "cd; cat mine/env/OPENSHIFT_MINE_IDENT; stat -c %U mine/bin/control mine/metadata/manifest.yml;"
                              "git -C git/shop.git log --format='%an %s' master"),
              "acme:mine:1.0:0.0.1root\nroot\nTemplate builder Creating template\n");
    agent->restart(spec.id);
    restart_agent();
    EXPECT_EQ(page(), "first version\n");
    EXPECT_TRUE(agent->context().store.gear(spec.id).cartridges.front().own);
    agent->remove_cartridge(spec.id, mine);
    EXPECT_EQ(inside(spec.id, "cd; ls -d mine 2>&1 >/dev/null | wc -l"), "1\n");
    agent->destroy_gear(spec.id);
    EXPECT_FALSE(fs::exists("/var/lib/openshift/" + spec.id.text()));
}

// As an import does; with the failure that may come of it.
TEST_F(OwnCartridge, SaysWhichPackagesAreNotThere) {
    in_served("cp -r mine needy; echo 'Native-Requires: [bash, no-such-package, nor-this]' >>needy/metadata/manifest.yml;"
              "cp -r needy failing; printf '#!/bin/bash\nno-such-program\n' >failing/bin/install");
    const std::string wants = "acme-mine-1.0 asks for the package 'no-such-package', which is not installed\n"
                              "acme-mine-1.0 asks for the package 'nor-this', which is not installed";
    const Cartridge failing = agent->fetch_cartridge(gear, str(files, "failing/"));
    try {
        agent->add_cartridge(gear, failing);
        FAIL() << "must throw";
    } catch (const ScriptError& error) {
        EXPECT_EQ(error.status(), 127);
        EXPECT_THAT(error.text(), testing::MatchesRegex("'install' of acme-mine-1.0 ended with status 127: .*no-such-program.*"));
        EXPECT_TRUE(error.text().ends_with("\n" + wants)) << error.text();
    }
    const ScriptMessages said = agent->add_cartridge(gear, agent->fetch_cartridge(gear, str(files, "needy/")));
    EXPECT_EQ(said.messages, (std::vector<std::string>{wants.substr(0, wants.find('\n')), wants.substr(wants.find('\n') + 1)}));
    agent->drop_fetched(gear);
}

// An operator's profile for a cartridge of that name is not for the taking.
TEST_F(OwnCartridge, HasNoProfileOfTheSameName) {
    const TempDir profiles;
    settings.security.profile_dir = profiles.path();
    write_file_atomically(profiles.path() / "open.toml", "[assign]\ncartridges = ['mine', 'acme-mine-1.0', 'mock']\n");
    restart_agent();
    EXPECT_EQ(agent->profile(gear), "open");
    const GearSpec spec = make_spec(61);
    agent->create_gear(spec);
    agent->add_cartridge(spec.id, agent->fetch_cartridge(spec.id, str(files, "mine/")));
    EXPECT_EQ(agent->profile(spec.id), "");
    fs::remove(profiles.path() / "open.toml");
    restart_agent();
}

TEST_F(OwnCartridge, ReachesNoMoreThanItsGear) {
    constexpr const char* no_way = "Couldn't connect to server";
    const std::string to = "http://203.0.113.10/to/";
    std::ofstream(served() / "page.html") << "<html>hello";
    const std::pair<std::string, const char*> cases[] = {
        // Private networks, a metadata service, the host, the gear's own loopback; by a name, or by a redirection.
        {"http://10.1.2.3/x.tgz", no_way},
        {str("http://", host_address, ":4080/x.tgz"), no_way},
        {to + "http://169.254.169.254/x.tgz", no_way},
        {to + "http://10.1.2.3/x.tgz", no_way},
        {to + "http://127.0.0.1/x.tgz", no_way},
        {to + "http://[::1]/x.tgz", no_way},
        {to + "file:///etc/passwd.tgz", "Protocol \"file\""},
        {to + "gopher://203.0.113.10/x.tgz", "Protocol \"gopher\""},
        {to + "file:///etc/x.git", "Protocol \"file\""},
        {to + "http://203.0.113.10/to/http://203.0.113.10/to/http://203.0.113.10/x.tgz", "Maximum (2) redirects followed"},
        {"git://10.1.2.3/x.git", "unable to connect to 10.1.2.3"},
        // What is refused before anything is asked; gear-fetch is not the first to look (cartridge_url_test).
        {"http://127.0.0.1/x.tgz", "names the machine that fetches it"},
        {"http://169.254.169.254/latest.tgz", "names the machine that fetches it"},
        {"file:///etc/passwd.tgz", "must begin with http://, https:// or git://"},
        {"ext::sh -c 'touch ~/was-run' %S", "must be at most 2048 printable characters"},
        {"ext::touch%20was-run.git", "must begin with http://, https:// or git://"},
        {manifest("ext", "Source-Url: ext::touch%20was-run"), "Source-Url 'ext::touch%20was-run' is no http, https or git address"},
        {manifest("file", "Source-Url: file:///etc/x.tgz"), "Source-Url 'file:///etc/x.tgz' is no http, https or git address"},
        {manifest("path", "Source-Url: /etc/x.tgz"), "Source-Url '/etc/x.tgz' is no http, https or git address"},
        {manifest("meta", "Source-Url: http://169.254.169.254/x.tgz"), "Source-Url 'http://169.254.169.254/x.tgz' names the machine"},
        {manifest("loop", "Source-Url: http://203.0.113.10/files/loop.yml"), "is another manifest"},
        {manifest("none", ""), "names no Source-Url"},
        {"http://203.0.113.10/files/nothing.tgz", "404"},
        {"http://203.0.113.10/files/page.html", "is no manifest, archive, repository or listing of a cartridge"},
    };
    for (const auto& [url, words] : cases) {
        EXPECT_THAT(refusal(url), HasSubstr(words)) << url;
    }
    EXPECT_EQ(inside(gear, "ls ~/was-run 2>/dev/null"), "");
}

TEST_F(OwnCartridge, DoesNoHarmWhateverItIs) {
    in_served("mine() { rm -rf m; cp -r mine m; cd m; }; done_as() { cd ..; tar -czf $1.tgz m; };"
              "mine; head -c 40M /dev/zero >usr/large; done_as large;"
              "mine; truncate -s 1T usr/sparse; cd ..; tar -cSzf sparse.tgz m;"
              "mine; for i in $(seq 2000); do : >usr/$i; done; done_as many;"
              "mine; d=usr; for i in $(seq 100); do d=$d/d; done; mkdir -p $d; done_as deep;"
              "mine; rm -r metadata; ln -s /etc metadata; done_as link;"
              "mine; rm metadata/manifest.yml; ln -s /etc/passwd metadata/manifest.yml; done_as manifest;"
              "mine; mkfifo usr/pipe; done_as pipe;"
              "mine; sed -i 's/acme/redhat/' metadata/manifest.yml; done_as vendor;"
              "mine; sed -i 's/^Name: .*/Name: app-deployments/' metadata/manifest.yml; done_as name;"
              "mine; printf 'if\n' >bin/setup; sed -i '1i#!/bin/bash' bin/setup; done_as syntax;"
              "cd m; tar -cPzf ../dots.tgz ../mine/../../../../../../etc/hostname metadata bin; cd ..;"
              "echo nothing >broken.tgz; echo nothing >broken.zip");
    const std::pair<const char*, const char*> cases[] = {
        {"large.tgz", "has more than 500 files or 8 MiB"},
        {"sparse.tgz", "has more than 500 files or 8 MiB"},
        {"many.tgz", "has more than 500 files or 8 MiB"},
        {"deep.tgz", "its directories are nested deeper than 60"},
        {"link.tgz", "metadata/manifest.yml: is missing"},
        {"manifest.tgz", "metadata/manifest.yml: is missing"},
        {"pipe.tgz", "usr/pipe: is a device, pipe or socket"},
        {"vendor.tgz", "Cartridge-Vendor must name who has made it, and not 'redhat'"},
        {"name.tgz", "metadata/manifest.yml: Name 'app-deployments'"},
        {"syntax.tgz", "bin/setup:3: syntax error"},
        {"dots.tgz", "'tar' ended with status 2"},
        {"broken.tgz", "'tar' ended with status 2"},
        {"broken.zip", "'unzip' ended with status 9"},
    };
    for (const auto& [name, words] : cases) {
        EXPECT_THAT(refusal(str(files, name)), HasSubstr(words)) << name;
    }
    settings.cartridges.url_seconds = 2;
    restart_agent();
    EXPECT_THAT(refusal("http://203.0.113.10/endless"), HasSubstr("it could not be fetched within 2 s"));
    EXPECT_EQ(inside(gear, "pgrep -c 'curl|gear-fetch'"), "0\n");
}

// The gear's own programs change what was fetched before it is installed: links lead nowhere, and what was read of
// the manifest counts.
TEST_F(OwnCartridge, IsCopiedWithoutFollowingWhatTheGearPutThere) {
    const Cartridge mine = agent->fetch_cartridge(gear, str(files, "mine/"));
    const std::string tree = "~/" + mine.source;
    inside(gear, str("cd ", tree, "; rm -r usr metadata/manifest.yml; ln -s /etc usr; ln -s /etc/shadow metadata/manifest.yml;"
                     "mkfifo bin/pipe; ln -s /etc/shadow env; sed -i 's/secret//' bin/control"));
    EXPECT_THROW(agent->add_cartridge(gear, mine), Error);  // env/ is no directory
    inside(gear, str("rm ", tree, "/env"));
    agent->add_cartridge(gear, mine);
    EXPECT_EQ(inside(gear, "cd ~/mine; readlink usr; stat -c '%U %F' metadata/manifest.yml; grep -c acme metadata/manifest.yml;"
                           "ls bin/pipe 2>&1 | wc -l"),
              "/etc\nroot regular file\n1\n1\n");
    inside(gear, str("head -c 20M /dev/zero >", tree, "/large"));
    agent->remove_cartridge(gear, mine);
    EXPECT_THROW(agent->add_cartridge(gear, mine), Error);
    EXPECT_EQ(inside(gear, "cd; ls -d mine 2>/dev/null"), "");
}

}  // namespace gearbox::test
