// Submodules of what is deployed (cartridge contract, 14.2): fetched inside of the gear, from a small internet.
#include "internet_fixture.h"

#include "base/error.h"

#include <gmock/gmock-matchers.h>

#include <filesystem>

namespace gearbox::test {

using ::testing::HasSubstr;

namespace {

class SubmodulesTest : public NetworkTest {
protected:
    void SetUp() override {
        NetworkTest::SetUp();
        // app has lib, which has deep. Their addresses are those of the internet, their commits of the directory it serves.
        ToolOptions options;
        options.directory = served();
        run_tool_checked({"bash", "-ec", R"(export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b HOME=/nowhere
            make() {  # $1 name; $2 name of its submodule
                git init -q -b master $1; cd $1; echo "file of $1" >$1.txt
                if [[ $2 ]]; then
                    printf '[submodule "%s"]\n\tpath = parts/%s\n\turl = http://203.0.113.10/files/%s.git\n' $2 $2 $2 >.gitmodules
                    git update-index --add --cacheinfo 160000,$(git --git-dir=../$2.git rev-parse HEAD),parts/$2
                fi
                git add $(ls -A | grep -v '^.git$'); git commit -qm $1; cd ..; git clone -q --bare $1 $1.git; git --git-dir=$1.git update-server-info
            }
            make deep; make lib deep; make app lib)"}, options);
        const GearSpec spec = make_spec(51);
        id = spec.id;
        agent->create_gear(spec);
        agent->add_cartridge(id, cartridge("mock"));
    }

    GearId id;
};

}  // namespace

TEST_F(SubmodulesTest, AreThereWithThoseOfTheirOwn) {
    agent->create_repository(id, {RepositorySource::Kind::git, {"http://203.0.113.10/files/app.git", ""}});
    agent->deploy_initially(id, {});
    EXPECT_EQ(agent->state(id), GearState::started);
    for (const char* place : {"app-root/repo", "app-deployments/current/repo"}) {
        EXPECT_EQ(inside(id, str("cd ~/", place, "/; find . -type f -name '*.txt' | sort | xargs cat; find . -name .git")),
                  "file of app\nfile of lib\nfile of deep\n")
            << place;
    }
    // One that is gone is named; the version from before is what comes back.
    agent->set_deployment_settings(id, {true, "master", 2, "git"});
    std::filesystem::rename(served() / "deep.git", served() / "gone.git");
    std::string said;
    EXPECT_FALSE(agent->deploy(id, {}, [&](std::string_view text) { said += text; }));
    EXPECT_THAT(said, HasSubstr("clone of 'http://203.0.113.10/files/deep.git' into submodule path"));
    EXPECT_THAT(said, HasSubstr("parts/deep' failed"));
    EXPECT_THAT(said, HasSubstr("ERROR: commit "));
    EXPECT_EQ(inside(id, "cat ~/app-root/repo/parts/lib/parts/deep/deep.txt; find ~/app-root/runtime/repo -name .git"), "file of deep\n");
    EXPECT_EQ(agent->state(id), GearState::started);
}

}  // namespace gearbox::test
