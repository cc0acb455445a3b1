// Cartridges of the operator's: taken in, offered, used by a gear, no longer offered.
#include "base/file.h"
#include "base/subprocess.h"
#include "node_fixture.h"
#include "support/paths.h"

#include <gmock/gmock.h>

namespace gearbox::test {

namespace fs = std::filesystem;
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
