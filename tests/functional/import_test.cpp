// Cartridges of the operator's: taken in, offered, used by a gear, no longer offered.
#include "base/file.h"
#include "base/subprocess.h"
#include "node_fixture.h"
#include "support/paths.h"

#include <gmock/gmock.h>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

namespace {

class ImportTest : public NodeTest {
protected:
    /// The test double as somebody else's, with some of usr/, put into a staging directory.
    std::string stage(const std::string& vendor, const std::string& version = "0.0.1") {
        const fs::path directory = agent->make_cartridge_staging();
        run_tool_checked({"cp", "-r", test_data("cartridges/mock/."), directory});
        const fs::path manifest = directory / "metadata/manifest.yml";
        run_tool_checked({"sed", "-i", "-e", "s/Vendor: redhat/Vendor: " + vendor + "/", "-e",
                          "s/Cartridge-Version: .*/Cartridge-Version: " + version + "/", manifest});
        fs::create_directories(directory / "usr");
        write_file_atomically(directory / "usr/share.txt", version);
        return directory;
    }
    std::vector<std::string> offered() const {
        std::vector<std::string> out;
        for (const Cartridge& cartridge : agent->cartridges()) {
            if (cartridge.vendor == "acme") {
                out.push_back(str(cartridge.full_name(), " ", cartridge.cartridge_version));
            }
        }
        return out;
    }
    std::string refusal(const std::string& staging) {
        try {
            agent->import_cartridge(staging);
            return "nothing";
        } catch (const Error& error) {
            return error.text();
        }
    }
};

}  // namespace

TEST_F(ImportTest, OffersWhatWasImportedToGears) {
    const CartridgeImport done = agent->import_cartridge(stage("acme"));
    EXPECT_EQ(done.name, "acme-mock");
    EXPECT_THAT(done.offers, ElementsAre("acme-mock-1.0"));
    EXPECT_THAT(offered(), ElementsAre("acme-mock-1.0 0.0.1"));
    const GearId gear = create_application(60, {"acme-mock-1.0"});
    EXPECT_EQ(inside(gear, "cat ~/mock/usr/share.txt; [[ -L ~/mock/usr ]] || echo copied"), "0.0.1copied\n");

    // A newer one is for new gears; this one keeps what it has.
    agent->import_cartridge(stage("acme", "0.0.2"));
    restart_agent();
    EXPECT_THAT(offered(), ElementsAre("acme-mock-1.0 0.0.2"));
    EXPECT_THAT(agent->imported_cartridges().front().versions, ElementsAre("0.0.1", "0.0.2"));
    agent->activate_cartridge("acme-mock", false);
    EXPECT_THAT(offered(), IsEmpty());
    agent->restart(gear);
    EXPECT_EQ(inside(gear, "cat ~/mock/usr/share.txt"), "0.0.1");
    agent->activate_cartridge("acme-mock", true);
    EXPECT_THAT(offered(), ElementsAre("acme-mock-1.0 0.0.2"));
    agent->forget_cartridge("acme-mock");
    EXPECT_THAT(offered(), IsEmpty());
    EXPECT_THAT(agent->imported_cartridges(), IsEmpty());
    EXPECT_TRUE(fs::is_empty(settings.node.import_dir));
    EXPECT_THROW(agent->activate_cartridge("acme-mock", true), Error);
}

// managed_files.yml: results of builds that lie elsewhere, and files that setup may write by a wildcard in their path.
TEST_F(ImportTest, PutsTheDirectoriesOfACartridgeWhereItWantsThem) {
    const std::string directory = stage("acme", "0.0.1");
    ToolOptions options;
    options.directory = directory;
    run_tool_checked({"bash", "-ec", R"(mkdir -p conf/a conf/b; touch conf/{a,b}/x.conf
        printf '%s\n' 'dependency_dirs: [lib, {~/.cache: cached/all}]' 'build_dependency_dirs: [{tools: bin}]' \
            'locked_files: [~/.mockrc, conf/*/x.conf, env/OPENSHIFT_MOCK_GREETING]' >metadata/managed_files.yml
        printf 'for f in lib/made tools/made conf/a/x.conf ~/.cache/made; do echo "$f" >"$f"; done\n' >>bin/setup)"}, options);
    agent->import_cartridge(directory);
    const GearId gear = create_application(63, {"acme-mock-1.0"});
    EXPECT_EQ(inside(gear, "cd ~/app-root/runtime; cat dependencies/mock/{lib,cached/all}/made build-dependencies/mock/bin/made; stat -c %U ~/mock/conf/?/x.conf"),
              str("lib/made\n/var/lib/openshift/", gear.text(), "/.cache/made\ntools/made\nroot\nroot\n"));
    // A clean build begins without what was in them.
    EXPECT_TRUE(agent->deploy(gear, {"", false, true}, {}));
    EXPECT_EQ(inside(gear, "cd ~; for d in mock/lib .cache mock/tools; do ls -A $d/ && touch $d/new; done; find app-root/runtime -name new | wc -l"), "3\n");
}

// What cartridges for OpenShift do that a new one would not: slips in the manifest, variables that scripts make whenever they
// like, dotfiles in the home, nothing to start.
TEST_F(ImportTest, TakesWhatOpenShiftTook) {
    const auto edited = [&](const char* program) {
        const std::string directory = stage("acme");
        ToolOptions options;
        options.directory = directory;
        run_tool_checked({"bash", "-ec", program}, options);
        return agent->import_cartridge(directory).offers;
    };
    edited(R"(rm metadata/managed_files.yml; mkdir env; echo /kept/lib >env/OPENSHIFT_MOCK_LD_LIBRARY_PATH_ELEMENT
        printf '%s\n' 'Cart-Data: [{Key: A, Type: enviroment}]' 'Provides: [mock, mock-late]' >>metadata/manifest.yml
        printf -- '%s\n' '- {Private-IP-Name: IP, Private-Port-Name: FREE_PORT}' >more; sed -i '/^Endpoints:/r more' metadata/manifest.yml; rm more
        printf '#! /bin/sh -e\nlist=(a b)\necho $- ${list[1]} >$OPENSHIFT_DATA_DIR/posted\n' >bin/post_install
        echo 'touch ~/.mocking; cp /bin/true $OPENSHIFT_MOCK_DIR/bin/fetched; rm -f $OPENSHIFT_MOCK_DIR/bin/control || true' >>bin/setup
        sed -i '2i [[ $1 != start ]] || { cd "$OPENSHIFT_MOCK_DIR/env"; echo once >MOCK_STARTED; echo mine >HOME; echo /late >OPENSHIFT_MOCK_PATH_ELEMENT; echo /late.so >LD_PRELOAD; rm -f OPENSHIFT_MOCK_IDENT || true; cd ..; }' bin/control)");
    edited("sed -i 's/^Name: .*/Name: quiet/; s/Short-Name: .*/Short-Name: Quiet/; /web_framework/d; /^Endpoints/,$d; s/mock/quiet/g' metadata/manifest.yml; rm -r bin metadata/managed_files.yml");
    const GearId gear = create_application(64, {"acme-mock-1.0", "acme-quiet-1.0"});
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/posted"), "ehB b\n") << "sh is bash";
    EXPECT_EQ(cartridge("mock-late").endpoints.front().port, 0);
    const auto facts = [&] {
        return inside(gear, "cd ~/mock/env; echo $MOCK_STARTED $OPENSHIFT_MOCK_FREE_PORT ${LD_PRELOAD-none} $LD_LIBRARY_PATH; [[ $HOME == ~ && $PATH != *late* ]] || echo astray;"
                            "cat OPENSHIFT_MOCK_IDENT; ls ~/.mocking | wc -l; touch ~/.later ../bin/later 2>/dev/null || echo closed; ../bin/fetched; echo changed >MOCK_STARTED");
    };
    EXPECT_EQ(facts(), "once 0 none /kept/lib\nacme:mock:1.0:0.0.11\nclosed\n");
    EXPECT_THAT(facts(), testing::StartsWith("changed 0 none /kept/lib\n"));
    agent->stop(gear, false);
    agent->start(gear);
    EXPECT_THAT(facts(), testing::StartsWith("once 0 none"));
    agent->remove_cartridge(gear, cartridge("acme-quiet"));
    agent->forget_cartridge("acme-quiet");
    agent->forget_cartridge("acme-mock");
}

// Two packagings, an incompatible third, and one that fails.
TEST_F(ImportTest, UpgradesWhatGearsHave) {
    const auto import_with = [&](const std::string& version, const std::string& program) {
        const std::string directory = stage("acme", version);
        ToolOptions options;
        options.directory = directory;
        run_tool_checked({"bash", "-ec", program}, options);
        agent->import_cartridge(directory);
    };
    constexpr const char* templates = "mkdir -p env conf; printf 'locked_files: [~/.mockrc]\\nprocessed_templates: [conf/*.erb]\\n"
                                      "setup_rewritten: [conf/old]\\n' >metadata/managed_files.yml; echo made >conf/old;";
    import_with("0.0.1", str(templates, "echo one >env/OPENSHIFT_MOCK_LEVEL"));
    const GearId gear = create_application(62, {"acme-mock-1.0"});
    const auto upgraded = [&] {
        const CartridgeUpgrade done = agent->upgrade_cartridge(gear, cartridge("acme-mock"));
        return str(done.from, " ", done.to, " ", done.was_compatible ? "compatible" : "restarted");
    };
    const auto facts = [&] {
        return inside(gear, "cd ~/mock; cat env/OPENSHIFT_MOCK_IDENT usr/share.txt conf/* env/OPENSHIFT_MOCK_LEVEL | tr '\\n' ' '");
    };
    const auto verbs = [&] { return inside(gear, "cd ~/app-root/data; cat verbs 2>/dev/null | tr '\\n' ' '; rm -f verbs; ls upgrade 2>/dev/null"); };
    verbs();
    EXPECT_EQ(upgraded(), "0.0.1 0.0.1 restarted");  // nothing to do
    EXPECT_EQ(verbs(), "");
    inside(gear, "echo mine >~/mock/conf/mine; echo changed >~/mock/conf/old");

    import_with("0.0.2", str(templates, "echo 'Compatible-Versions: [0.0.1]' >>metadata/manifest.yml;"
                                        "echo two >env/OPENSHIFT_MOCK_LEVEL; echo 'level <%= ENV[\"OPENSHIFT_GEAR_NAME\"] %>' >conf/level.erb"));
    EXPECT_EQ(upgraded(), "0.0.1 0.0.2 compatible");
    EXPECT_EQ(verbs(), "");
    EXPECT_THAT(facts(), AllOf(HasSubstr("acme:mock:1.0:0.0.2"), HasSubstr("mine"), HasSubstr("level shop"), HasSubstr("two")));
    EXPECT_EQ(inside(gear, "stat -c %U ~/mock/bin/control ~/mock/conf"), str("root\n", gear.text(), "\n"));

    import_with("0.0.3", str(templates, "printf '#!/bin/bash\\necho \"$*\" >$OPENSHIFT_DATA_DIR/upgrade\\n' >bin/upgrade"));
    EXPECT_EQ(upgraded(), "0.0.2 0.0.3 restarted");
    EXPECT_EQ(inside(gear, "cat ~/app-root/data/upgrade; cat ~/mock/conf/old"), "1.0 0.0.2 0.0.3\nmade\n");
    EXPECT_EQ(verbs(), "stop start upgrade\n");
    restart_agent();
    EXPECT_EQ(upgraded(), "0.0.3 0.0.3 restarted");

    import_with("0.0.4", "printf '#!/bin/bash\\necho CLIENT_ERROR: no way\\nexit 3\\n' >bin/upgrade; rm -f bin/teardown");
    try {
        upgraded();
        FAIL() << "an upgrade whose script fails";
    } catch (const Error& error) {
        EXPECT_THAT(error.text(), HasSubstr("'upgrade' of acme-mock-1.0 ended with status 3: no way"));
    }
    EXPECT_THAT(facts(), HasSubstr("acme:mock:1.0:0.0.3"));
    EXPECT_EQ(inside(gear, "cat ~/mock/usr/share.txt; ls ~/mock/bin | tr '\\n' ' '"), "0.0.3control install setup teardown upgrade ");
    const GearRecord record = agent->context().store.gear(gear);
    EXPECT_EQ(http_get(link_addresses(record.spec.uid).gear, record.find_web_endpoint()->proxy_port, "shop"), "first version\n");
    agent->forget_cartridge("acme-mock");
}

TEST_F(ImportTest, RefusesWhatIsNoCartridgeAndLeavesNothing) {
    const std::string empty = agent->make_cartridge_staging();
    EXPECT_THAT(refusal(empty), HasSubstr("metadata/manifest.yml: is missing"));
    EXPECT_THAT(refusal(stage("redhat")), HasSubstr("Cartridge-Vendor must name who has made it"));
    EXPECT_THAT(refusal(stage("''")), HasSubstr("Cartridge-Vendor must name who has made it"));
    const std::string broken = stage("acme");
    write_file_atomically(fs::path(broken) / "bin/control", "#!/bin/bash\nif\n");
    EXPECT_THAT(refusal(broken), HasSubstr("bin/control:3: syntax error"));
    for (const char* place : {"/etc", "/var/lib/gearbox/imported", "/var/lib/gearbox/imported/.new-../x"}) {
        EXPECT_THAT(refusal(place), HasSubstr("no directory that was made for an import")) << place;
    }
    EXPECT_TRUE(fs::is_empty(settings.node.import_dir));
    // An operator who has gone away in the middle.
    stage("acme");
    restart_agent();
    EXPECT_TRUE(fs::is_empty(settings.node.import_dir));
}

}  // namespace gearbox::test
