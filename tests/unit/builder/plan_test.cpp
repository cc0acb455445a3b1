#include "plan.h"

#include "formats.h"
#include "golden.h"
#include "recipe_files.h"
#include "stage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
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
                           {"overlay", "services", "normalise", "labels", "squashfs", "initramfs", "iso"}},
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
    EXPECT_THAT(changed(base, plan_of("%addon gearbox\ntenants = 30\n%end\n")),
                UnorderedElementsAre("settings", "overlay", "services", "normalise", "labels", "squashfs", "iso"));
    EXPECT_TRUE(changed(base, plan_of("# only a comment\n")).empty());
}

TEST(Plan, WhatIsNotToAnswerForNamesIsNotStarted) {
    const std::string services = "services --enabled=gearbox-dns@127.0.0.1,avahi-daemon,ssh --disabled=apache2\n";
    const std::string packages = "%packages\navahi-daemon\n%end\n";
    const auto units = [&](const std::string& value, const std::string& more) {
        const Json options = plan_of(services + more + "%addon gearbox\ndns = " + value + "\n%end\n").step("services").options;
        return options.at("enable").dump() + options.at("disable").dump();
    };
    EXPECT_EQ(units("server,mdns", packages), R"(["systemd-networkd","gearbox-dns@127.0.0.1","avahi-daemon","ssh"]["apache2"])");
    EXPECT_EQ(units("server", packages), R"(["systemd-networkd","gearbox-dns@127.0.0.1","ssh"]["apache2","avahi-daemon"])");
    EXPECT_EQ(units("mdns", packages), R"(["systemd-networkd","avahi-daemon","ssh"]["apache2"])");
    EXPECT_EQ(units("none", packages), R"(["systemd-networkd","ssh"]["apache2","avahi-daemon"])");
    EXPECT_EQ(units("none", ""), R"(["systemd-networkd","ssh"]["apache2"])");
}

TEST(Plan, DefaultsThatAreWrittenOutChangeNoId) {
    const BuildPlan plain = plan_of("");
    EXPECT_TRUE(changed(plain, plan_of("%addon gearbox\ndns = server,mdns\nauth = accounts\n%end\n")).empty());
    EXPECT_TRUE(changed(plain, plan_of("%addon gearbox\ndns = none\n%end\n")).contains("settings"));
    EXPECT_TRUE(changed(plain, plan_of("%addon gearbox\nauth = open\n%end\n")).contains("settings"));
}

TEST(Plan, CartridgesBesideTheRecipeAreAStageOfTheirOwn) {
    const std::string text = "%addon gearbox\nown_cartridges = mine\n%end\n";
    Facts facts = facts_for_tests();
    facts.inputs["own_cartridges"] = "hash of mine";
    const auto plan = plan_of(text, facts);
    EXPECT_EQ(plan.step("own-cartridges").after, std::vector<std::string>{"settings"});
    EXPECT_EQ(plan.step("overlay").after, std::vector<std::string>{"own-cartridges"});
    EXPECT_THROW(plan_of("").step("own-cartridges"), Error);
    facts.inputs["own_cartridges"] = "hash of what it has become";
    EXPECT_THAT(changed(plan, plan_of(text, facts)),
                UnorderedElementsAre("own-cartridges", "overlay", "services", "normalise", "labels", "squashfs", "iso"));
}

// update-alternatives makes Java's links in them, and fails without.
TEST(Plan, FoldersOfManualsStayWithoutTheManuals) {
    const auto plan = plan_of("%packages --excludedocs\n%end\n");
    const auto rules = plan.step("root-tree").options.at("dpkg").get<std::vector<std::string>>();
    EXPECT_THAT(rules, testing::IsSupersetOf({"path-exclude=/usr/share/man/*",
                                              "path-include=/usr/share/man/man?"}));
}

TEST(Plan, WithoutADebThatStageIsLeftOut) {
    Facts facts = facts_for_tests();
    facts.has_deb = false;
    facts.inputs.erase("deb");
    const auto plan = plan_of("", facts);
    EXPECT_THROW(plan.step("gearbox"), Error);
    EXPECT_EQ(plan.step("settings").after, std::vector<std::string>{"policy"});
}

Facts facts_for(const std::vector<std::string>& formats) {
    Facts facts = facts_for_tests();
    facts.formats = formats;
    return facts;
}

std::vector<std::string> artifacts_of(const BuildPlan& plan) {
    std::vector<std::string> names;
    for (const StageStep& step : plan.steps) {
        if (step.kind == StageKind::artifact) {
            names.push_back(step.stage);
        }
    }
    return names;
}

// Each row: a format, its conversion, and every stage that this takes.
TEST(Plan, FindsTheConversionOfEveryFormat) {
    using Stages = std::vector<std::string>;
    struct Row {
        const char* format;
        const char* path;
        Stages stages;
    };
    const Row rows[] = {
        {"iso", "tree → squashfs → iso", {"squashfs", "initramfs", "iso"}},
        {"raw", "tree → raw", {"initramfs", "raw"}},
        {"qcow2", "tree → raw → qcow2", {"initramfs", "raw", "qcow2"}},
        {"vmdk", "tree → raw → vmdk", {"initramfs", "raw", "vmdk"}},
        {"vdi", "tree → raw → vdi", {"initramfs", "raw", "vdi"}},
        {"ova", "tree → raw → vmdk → ova", {"initramfs", "raw", "vmdk", "ova"}},
        {"vagrant-virtualbox",
         "tree → raw → vagrant-disk → vagrant-vmdk → vagrant-virtualbox",
         {"initramfs", "raw", "vagrant-disk", "vagrant-vmdk", "vagrant-virtualbox"}},
        {"vagrant-libvirt",
         "tree → raw → vagrant-disk → vagrant-qcow2 → vagrant-libvirt",
         {"initramfs", "raw", "vagrant-disk", "vagrant-qcow2", "vagrant-libvirt"}},
        {"tar", "tree → tar", {"tar"}},
        {"oci", "tree → tar → oci", {"tar", "oci"}},
        {"sbom", "tree → packages", {"packages"}},
    };
    ASSERT_EQ(std::size(rows), format_table().size());
    for (const Row& row : rows) {
        const auto plan = plan_of("", facts_for({row.format}));
        EXPECT_EQ(conversion_path(find_format(row.format).stage, plan), row.path);
        EXPECT_EQ(artifacts_of(plan), row.stages) << row.format;
    }
}

TEST(Plan, MakesEveryFormatFromTheSameTree) {
    std::vector<std::string> all;
    for (const Format& format : format_table()) {
        all.emplace_back(format.name);
    }
    const auto together = plan_of("", facts_for(all));
    for (const std::string& format : all) {
        const auto alone = plan_of("", facts_for({format}));
        EXPECT_EQ(root_tree_id(alone), root_tree_id(together)) << format;
        EXPECT_EQ(alone.step(find_format(format).stage).id,
                  together.step(find_format(format).stage).id)
            << format;
    }
    EXPECT_EQ(root_tree_id(together), together.step("labels").id);
    expect_golden("plans/formats.txt", to_text(together).substr(to_text(together).find("\nfrom ")));
}

TEST(Formats, AreNamedInAList) {
    EXPECT_THAT(parse_formats("ova, iso,ova"), ElementsAre("iso", "ova"));
    EXPECT_THAT(with_companions({"raw"}), ElementsAre("raw", "sbom"));
    const auto problem = [](const char* list) {
        try {
            parse_formats(list);
        } catch (const Error& error) {
            return error.text();
        }
        return std::string("none");
    };
    EXPECT_EQ(problem("iso,qcow"), "--format: there is no format 'qcow'; did you mean 'qcow2'?");
    EXPECT_EQ(problem("docker"),
              "--format: there is no format 'docker'; there are iso, raw, qcow2, vmdk, vdi, ova, "
              "vagrant-virtualbox, vagrant-libvirt, tar, oci and sbom");
    EXPECT_EQ(problem(","),
              "--format names none; there are iso, raw, qcow2, vmdk, vdi, ova, "
              "vagrant-virtualbox, vagrant-libvirt, tar, oci and sbom");
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
