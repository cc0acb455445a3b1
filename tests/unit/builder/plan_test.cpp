#include "plan.h"

#include "golden.h"
#include "recipe_files.h"
#include "stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace gearbox::builder {
namespace {

using testing::UnorderedElementsAre;

Facts facts_for_tests() {
    Facts facts;
    for (const char* role :
         {"overlay", "initramfs", "boot_menu", "policy_keep", "policy_modules", "deb"}) {
        facts.inputs[role] = std::string("hash of ") + role;
    }
    facts.mirrors["debian"] = "http://mirror.example/debian";
    facts.has_deb = true;
    facts.version = "0.1.0";
    facts.deb_depends = {"haproxy", "busybox", "libgit2-1.9"};
    return facts;
}

BuildPlan plan_of(const std::string& text, const Facts& facts = facts_for_tests()) {
    return make_plan(recipe_of(text), facts, stage_table());
}

// Stages whose ids differ, or that only one of the plans has.
std::set<std::string> changed(const BuildPlan& a, const BuildPlan& b) {
    std::map<std::string, std::set<std::string>> ids;
    for (const BuildPlan* plan : {&a, &b}) {
        for (const StageStep& step : plan->steps) {
            ids[step.stage].insert(step.id);
        }
    }
    std::set<std::string> names;
    for (const auto& [name, both] : ids) {
        if (both.size() > 1) {
            names.insert(name);
        }
    }
    return names;
}

TEST(Plan, IsPrinted) {
    const std::string recipe =
        "network --hostname=box\nservices --enabled=ssh --disabled=apache2\n"
        "user --name=ann --groups=sudo\n%packages --nocore\ncurl\n%end\n%post\necho a\necho "
        "b\n%end\n";
    expect_golden("plans/small.txt", to_text(plan_of(recipe)));
}

TEST(Plan, IsPrintedAsJson) {
    expect_golden("plans/small.json", to_json(plan_of("lang C\n")).dump(2) + "\n");
}

TEST(Plan, IsStable) {
    const auto first = plan_of("lang C\n");
    const auto second = plan_of("lang C\n");
    EXPECT_TRUE(changed(first, second).empty());
    EXPECT_EQ(first.step("iso").id.size(), 64u);
}

struct Change {
    const char* what;
    void (*apply)(Facts&);
    std::set<std::string> changes;
};

class PlanInput : public testing::TestWithParam<Change> {};

// Each row is a promise about what a developer waits for after changing one thing.
TEST_P(PlanInput, ChangesExactlyTheLaterIds) {
    Facts facts = facts_for_tests();
    GetParam().apply(facts);
    EXPECT_EQ(changed(plan_of(""), plan_of("", facts)), GetParam().changes) << GetParam().what;
}

INSTANTIATE_TEST_SUITE_P(
    Table, PlanInput,
    testing::Values(Change{"nothing", [](Facts&) {}, {}},
                    Change{"the boot menu", [](Facts& f) { f.inputs["boot_menu"] = "x"; }, {"iso"}},
                    Change{"the initramfs",
                           [](Facts& f) { f.inputs["initramfs"] = "x"; },
                           {"initramfs", "iso"}},
                    Change{"the overlay",
                           [](Facts& f) { f.inputs["overlay"] = "x"; },
                           {"overlay", "services", "normalise", "labels", "squashfs", "iso"}},
                    Change{"the .deb",
                           [](Facts& f) { f.inputs["deb"] = "x"; },
                           {"gearbox", "settings", "overlay", "services", "normalise", "labels",
                            "squashfs", "iso"}},
                    Change{"a policy module",
                           [](Facts& f) { f.inputs["policy_modules"] = "x"; },
                           {"policy", "gearbox", "settings", "overlay", "services", "normalise",
                            "labels", "squashfs", "iso"}},
                    Change{"a dependency of the .deb",
                           [](Facts& f) { f.deb_depends.push_back("libnew1"); },
                           {"root-tree", "policy", "gearbox", "settings", "overlay", "services",
                            "normalise", "labels", "squashfs", "initramfs", "iso"}},
                    Change{"the mirror",
                           [](Facts& f) { f.mirrors["debian"] = "http://other"; },
                           {"root-tree", "policy", "gearbox", "settings", "overlay", "services",
                            "normalise", "labels", "squashfs", "initramfs", "iso"}}));

TEST(Plan, ChangesWithTheRecipe) {
    const auto base = plan_of("");
    EXPECT_THAT(changed(base, plan_of("bootloader --timeout=9\n")), UnorderedElementsAre("iso"));
    EXPECT_THAT(changed(base, plan_of("%addon gearbox\ncompression = 19\n%end\n")),
                UnorderedElementsAre("squashfs", "iso"));
    EXPECT_THAT(changed(base, plan_of("services --enabled=x\n")),
                UnorderedElementsAre("services", "normalise", "labels", "squashfs", "iso"));
    EXPECT_TRUE(changed(base, plan_of("# only a comment\n")).empty());
}

TEST(Plan, WithoutADebThatStageIsLeftOut) {
    Facts facts = facts_for_tests();
    facts.has_deb = false;
    facts.inputs.erase("deb");
    const auto plan = plan_of("", facts);
    EXPECT_THROW(plan.step("gearbox"), Error);
    EXPECT_EQ(plan.step("settings").after, std::vector<std::string>{"policy"});
}

TEST(Plan, EveryStageNamesOnlyEarlierOnes) {
    std::set<std::string> seen;
    for (const Stage& stage : stage_table()) {
        for (const std::string& name : stage.after) {
            EXPECT_TRUE(seen.contains(name)) << stage.name << " after " << name;
        }
        EXPECT_TRUE(seen.insert(stage.name).second) << stage.name;
        EXPECT_STRNE(stage.hint, "");
    }
}

}  // namespace
}  // namespace gearbox::builder
