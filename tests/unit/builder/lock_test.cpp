// Lock files, and the packages of archives that they name.
#include "lock.h"

#include "stage.h"

#include "base/error.h"
#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

ArchiveState a_state() {
    return {{"deb http://m/debian trixie main"},
            {"hash"},
            {"Sat, 01 Nov 2026"},
            {{"libc6", "1:2.41-12", "amd64", "optional", "pool/c/libc6.deb", 0, 12, "abc"}}};
}

TEST(ArchiveStateTest, SurvivesJson) {
    EXPECT_EQ(parse_archive_state(to_json(a_state())), a_state());
    Json other = to_json(a_state());
    other["packages"][0]["archive"] = 1;
    EXPECT_THROW(parse_archive_state(other), Error);
    other = to_json(a_state());
    other["packages"][0]["name"] = "../libc6";
    EXPECT_THROW(parse_archive_state(other), Error);
}

TEST(ArchiveStateTest, NamesFilesLikeApt) {
    EXPECT_EQ(package_file(a_state().packages[0]), "libc6_1%3a2.41-12_amd64.deb");
    EXPECT_EQ(archive_uri("deb [arch=amd64] http://m/debian/ trixie main"), "http://m/debian");
    EXPECT_EQ(list_prefix("deb http://deb.debian.org/debian trixie main"),
              "deb.debian.org_debian_dists_trixie_");
    EXPECT_EQ(list_prefix("deb http://m:80/a_b trixie-security/updates main"),
              "m%3a80_a%5fb_dists_trixie-security_updates_");
    EXPECT_EQ(list_prefix("deb [trusted=yes] copy:///srv/x ./"), "_srv_x_._");
    EXPECT_THROW(archive_uri("http://m trixie"), Error);
}

TEST(ArchiveStateTest, TakesWhatAptChose) {
    Resolved resolved;
    take_resolved("'http://m/debian/pool/libc6.deb' libc6_1%3a2.41-12_amd64.deb 77 MD5Sum:0123", resolved);
    take_resolved("'copy:/srv/a b/tool.deb' tool_3_all.deb 5 SHA256:abc", resolved);
    take_resolved("Reading package lists...", resolved);
    take_resolved("'http://m/half", resolved);
    EXPECT_THAT(resolved, ElementsAre("libc6_1%3a2.41-12_amd64.deb", "tool_3_all.deb"));
    const std::string index =
        "Package: libc6\nVersion: 1:2.41-11\nArchitecture: amd64\nFilename: old\n\n"
        "Package: libc6\nVersion: 1:2.41-12\nArchitecture: amd64\nPriority: optional\n"
        "Depends: libgcc-s1,\n libcrypt1\nFilename: pool/libc6.deb\nSize: 77\nSHA256: abc\n";
    const ArchivePackage wanted{"libc6",          "1:2.41-12", "amd64", "optional",
                                "pool/libc6.deb", 3,         77,      "abc"};
    EXPECT_THAT(take_from_index(index, 3, resolved), ElementsAre(wanted));
}

TEST(ArchiveStateTest, AnIndexKeepsThePriorityOfTheArchive) {
    EXPECT_EQ(index_entry(a_state().packages[0],
                          "Package: libc6\nPriority: extra\nDepends: a,\n b\nEssential: yes\n"),
              "Package: libc6\nDepends: a,\n b\nEssential: yes\nPriority: optional\n"
              "Filename: ./libc6_1%3a2.41-12_amd64.deb\nSize: 12\nSHA256: abc\n\n");
}

class LockTest : public testing::Test {
protected:
    static Recipe a_recipe() {
        Recipe recipe;
        recipe.repositories.push_back({"debian", "trixie", {"main"}, "", false, {}});
        recipe.packages = {"curl"};
        return recipe;
    }
    static BuildPlan plan_of(const Recipe& recipe, const Facts& facts) {
        return make_plan(recipe, facts, stage_table());
    }
    static Facts some_facts() {
        Facts facts;
        facts.mirrors["debian"] = "http://m/debian";
        facts.version = "1";
        for (const char* role :
             {"policy_keep", "policy_modules", "overlay", "initramfs", "boot_menu"}) {
            facts.inputs[role] = "same";
        }
        return facts;
    }
    static LockFile lock_of(const BuildPlan& plan) {
        return {"0.1.0",   {{"debian", "http://m/debian"}}, to_json(plan).at("stages"),
                a_state(), {{"tar", "1"}, {"gone", "1"}},   {{"iso", "hash"}}};
    }
    TempDir folder;
};

TEST_F(LockTest, SurvivesItsFile) {
    const LockFile lock = lock_of(plan_of(a_recipe(), some_facts()));
    write_file_atomically(folder.path() / "lock", to_json(lock).dump(1));
    const LockFile again = read_lock_file(folder.path() / "lock");
    EXPECT_EQ(to_json(again), to_json(lock));
    EXPECT_THAT(find_plan_differences(again, plan_of(a_recipe(), some_facts())), IsEmpty());
}

TEST_F(LockTest, SaysWhatIsWrongWithTheFile) {
    const auto error_of = [&](const std::string& text) {
        write_file_atomically(folder.path() / "lock", text);
        try {
            read_lock_file(folder.path() / "lock");
        } catch (const Error& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    EXPECT_THAT(error_of("{}"), HasSubstr("'/lock_version' is missing"));
    EXPECT_THAT(error_of(R"({"lock_version": 9})"), HasSubstr("this builder reads version 1"));
    EXPECT_THAT(error_of("{"), HasSubstr((folder.path() / "lock").string()));
}

TEST_F(LockTest, NamesWhatIsAnother) {
    const LockFile lock = lock_of(plan_of(a_recipe(), some_facts()));
    Recipe recipe = a_recipe();
    recipe.packages = {"wget"};
    recipe.timezone = "Europe/Berlin";
    Facts facts = some_facts();
    facts.inputs["overlay"] = "other";
    // More formats are no difference.
    facts.formats = {"iso", "raw"};
    EXPECT_THAT(
        find_plan_differences(lock, plan_of(recipe, facts)),
        ElementsAre("stage 'root-tree': 'packages': the lock has curl, the recipe wget",
                    "stage 'settings': 'timezone' is \"Europe/Berlin\", in the lock \"Etc/UTC\"",
                    "stage 'overlay': the contents of 'overlay' are others"));
}

TEST_F(LockTest, NamesAnotherBuilder) {
    LockFile lock = lock_of(plan_of(a_recipe(), some_facts()));
    for (Json& stage : lock.stages) {
        stage["id"] = "of another version of the stage";
    }
    EXPECT_THAT(find_plan_differences(lock, plan_of(a_recipe(), some_facts())),
                ElementsAre(HasSubstr("the lock is of 0.1.0")));
}

TEST_F(LockTest, NamesOtherTools) {
    const LockFile lock = lock_of(plan_of(a_recipe(), some_facts()));
    EXPECT_EQ(describe_tool_differences(lock, {{"tar", "2"}, {"new", "1"}}),
              "\n  tar is 2, in the lock 1");
    EXPECT_EQ(describe_tool_differences(lock, {{"tar", "1"}}), "");
}

}  // namespace
}  // namespace gearbox::builder
