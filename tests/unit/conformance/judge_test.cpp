// The judge: which layer stopped an attempt, and what counts as a failure.
#include "conformance/judge.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

namespace gearbox::conformance {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Facts no_facts() {
    Facts facts;
    facts.has_filter = true;
    return facts;
}

// What a gear says in which every attempt is stopped by the first layer of its row.
Facts all_denied() {
    Facts facts = no_facts();
    facts.label = "system_u:system_r:gear_session_t:s0:c1,c2";
    for (const Attempt& attempt : attempts()) {
        facts.facts.push_back({kebab(attempt.group), kebab(attempt.identifier), "denied",
                               attempt.signs[0].error, attempt.signs[0].words});
    }
    return facts;
}

const Finding& find(const Judgement& judgement, const std::string& name) {
    for (const Finding& finding : judgement.findings) {
        if (finding.group + "/" + finding.name == name) {
            return finding;
        }
    }
    static const Finding none{"",          "",    "", Verdict::unknown,
                              Layer::none, false, "", "no such finding"};
    return none;
}

Finding judge_one(const Fact& fact, const Facts& facts = no_facts(), bool enforcing = false) {
    Facts with = facts;
    with.facts = {fact};
    return find(judge(with, enforcing, {"no group"}), fact.group + "/" + fact.name);
}

TEST(Attempts, have_an_expectation_and_a_name_of_their_own) {
    std::set<std::string> names;
    std::set<std::string> texts;
    for (const Attempt& attempt : attempts()) {
        EXPECT_NE(attempt.signs[0].layer, Layer::none) << attempt.identifier;
        EXPECT_TRUE(names.insert(str(attempt.group, "/", attempt.identifier)).second)
            << attempt.identifier;
        EXPECT_GT(std::string(attempt.what).size(), 3u) << attempt.identifier;
        for (const Sign& sign : attempt.signs) {
            EXPECT_TRUE(sign.layer == Layer::none || *sign.error != '\0' || *sign.words != '\0')
                << attempt.identifier << ": a sign that everything fits";
        }
    }
    EXPECT_GE(attempts().size(), 120u);
    EXPECT_THAT(groups(), ::testing::ElementsAre("files", "processes", "network", "kernel",
                                                 "labels", "resources", "git-ssh", "archives"));
}

TEST(Judge, names_the_layer_that_stopped_an_attempt) {
    struct Row {
        Fact fact;
        Layer layer;
    };
    const std::vector<Row> rows = {
        {{"files", "shadow-read", "denied", "ENOENT", ""}, Layer::mount},
        {{"files", "shadow-read", "denied", "EACCES", ""}, Layer::dac},
        {{"files", "setuid-program", "denied", "", "su runs as 1000, mounted nosuid"},
         Layer::mount},
        {{"processes", "kill-foreign", "denied", "ESRCH", ""}, Layer::namespaces},
        {{"processes", "setuid-root", "denied", "EPERM", ""}, Layer::capabilities},
        {{"network", "host-sshd", "denied", "ETIMEDOUT", ""}, Layer::nftables},
        {{"network", "vsock", "denied", "EAFNOSUPPORT", ""}, Layer::seccomp},
        {{"kernel", "call-32-bit", "denied", "", "SIGSYS"}, Layer::seccomp},
        {{"kernel", "kallsyms", "denied", "", "/proc/kallsyms is masked by /dev/null"},
         Layer::mount},
        {{"resources", "memory", "denied", "", "SIGKILL"}, Layer::cgroup},
        {{"resources", "fork-bomb", "denied", "EAGAIN", "after 54 processes"}, Layer::cgroup},
        {{"resources", "fork-bomb", "denied", "EAGAIN",
          "after 54 processes: 60, as RLIMIT_NPROC says"},
         Layer::limit},
        {{"resources", "disk", "denied", "EDQUOT", "after 1 MiB"}, Layer::quota},
        {{"git-ssh", "hook-add", "denied", "EACCES", ""}, Layer::dac},
    };
    for (const Row& row : rows) {
        const Finding finding = judge_one(row.fact);
        EXPECT_EQ(finding.verdict, Verdict::blocked) << row.fact.name;
        EXPECT_STREQ(name_of(finding.layer), name_of(row.layer)) << row.fact.name;
    }
}

TEST(Judge, does_not_believe_a_layer_that_is_not_there) {
    const Fact filtered{"kernel", "bpf", "denied", "EPERM", ""};
    Facts facts = no_facts();
    facts.has_filter = false;
    EXPECT_EQ(judge_one(filtered, facts).layer, Layer::capabilities) << "the wall behind";
    facts.has_capabilities = true;
    EXPECT_EQ(judge_one(filtered, facts).verdict, Verdict::unexplained);
    EXPECT_EQ(judge_one({"processes", "setuid-root", "denied", "EPERM", ""}, facts).verdict,
              Verdict::unexplained);
    const Fact labelled{"labels", "current-label", "denied", "EACCES", ""};
    EXPECT_EQ(judge_one(labelled, no_facts(), false).verdict, Verdict::unexplained);
    EXPECT_EQ(judge_one(labelled, no_facts(), true).layer, Layer::selinux_type);
    const Fact home{"files", "other-home-list", "denied", "EACCES", ""};
    EXPECT_EQ(judge_one(home, no_facts(), true).layer, Layer::mcs);
    EXPECT_EQ(judge_one(home, no_facts(), false).layer, Layer::dac);
}

TEST(Judge, takes_another_errno_for_a_fault_of_the_attempt) {
    for (const char* error : {"EINVAL", "EFAULT", "EBADF", ""}) {
        const Finding finding = judge_one({"kernel", "bpf", "denied", error, ""}, no_facts(), true);
        EXPECT_EQ(finding.verdict, Verdict::unexplained) << error;
        EXPECT_TRUE(is_failure(finding.verdict));
    }
    // SELinux has one errno, and it may stand before any row's layer.
    EXPECT_EQ(judge_one({"kernel", "bpf", "denied", "EACCES", ""}, no_facts(), true).layer,
              Layer::selinux_type);
}

TEST(Judge, is_content_when_everything_was_stopped) {
    const Judgement judgement = judge(all_denied(), true);
    EXPECT_EQ(judgement.failures(), 0u);
    EXPECT_EQ(judgement.count(Verdict::blocked), attempts().size());
    EXPECT_EQ(summary(judgement).back(), str(attempts().size(), " attempts, all stopped"));
    EXPECT_EQ(to_json(judgement)["stopped"], true);
    EXPECT_EQ(table_rows(judgement).size(), attempts().size());
    EXPECT_EQ(table_rows(judgement)[0].size(), table_head().size());
}

TEST(Judge, fails_for_what_succeeded_is_missing_or_unknown) {
    Facts facts = all_denied();
    facts.facts[3].result = "succeeded";
    facts.facts[5].result = "absent";
    facts.facts.erase(facts.facts.begin() + 4);
    facts.facts.push_back({"files", "not-in-the-table", "denied", "EPERM", ""});
    const Judgement judgement = judge(facts, true);
    EXPECT_EQ(judgement.count(Verdict::not_stopped), 1u);
    EXPECT_EQ(judgement.count(Verdict::missing), 1u);
    EXPECT_EQ(judgement.count(Verdict::absent), 1u);
    EXPECT_EQ(find(judgement, "files/not-in-the-table").verdict, Verdict::unknown);
    EXPECT_EQ(judgement.failures(), 3u);
    const std::vector<std::string> lines = summary(judgement);
    EXPECT_EQ(lines.back(), str(attempts().size(), " attempts, 3 not stopped"));
    EXPECT_THAT(lines, Contains(HasSubstr("UNKNOWN: files/not-in-the-table")));
    EXPECT_THAT(lines, Contains(HasSubstr("NOT STOPPED: " + facts.facts[3].group + "/" +
                                          facts.facts[3].name)));
    EXPECT_THAT(lines, Contains(HasSubstr("NO FACT: ")));
    EXPECT_THAT(lines, Contains(HasSubstr("1 more were not made")));
    EXPECT_EQ(to_json(judgement)["stopped"], false);
    EXPECT_EQ(judge({}, true).count(Verdict::missing), attempts().size());
}

TEST(Judge, believes_nothing_that_is_said_twice) {
    Facts facts = all_denied();
    facts.facts.push_back(facts.facts[0]);
    facts.facts.back().result = "succeeded";
    const Judgement judgement = judge(facts, true);
    EXPECT_EQ(judgement.failures(), 1u);
    EXPECT_EQ(judgement.findings.back().verdict, Verdict::unknown);
}

TEST(Facts, cannot_write_on_the_terminal) {
    const Facts facts = parse_facts(
        R"({"group":"files","name":"shadow-read","result":"denied","errno":"","detail":"\u001b[2Ja\u009bb\n"})");
    EXPECT_EQ(facts.facts.at(0).detail, "?[2Ja??b?");
}

TEST(Judge, expects_facts_of_the_chosen_groups_only) {
    Facts facts = all_denied();
    std::erase_if(facts.facts, [](const Fact& fact) { return fact.group != "archives"; });
    EXPECT_EQ(judge(facts, true, {"archives"}).failures(), 0u);
    EXPECT_GT(judge(facts, true, {"archives", "labels"}).failures(), 0u);
}

TEST(Judge, tells_that_selinux_took_no_part) {
    Facts facts = all_denied();
    std::size_t needing = 0;
    std::string last;
    for (Fact& fact : facts.facts) {
        const Finding finding = judge_one(fact, facts);
        if (finding.needs_selinux) {
            fact.result = "succeeded";
            ++needing;
            last = str(fact.group, "/", fact.name);
        }
    }
    EXPECT_GT(needing, 0u);
    const Judgement judgement = judge(facts, false);
    EXPECT_EQ(judgement.count(Verdict::not_stopped), needing);
    const std::vector<std::string> lines = summary(judgement);
    EXPECT_THAT(
        lines, Contains(AllOf(HasSubstr(str("SELinux is not on for this gear: ", needing, " attempts")), EndsWith(last))));
    EXPECT_THAT(lines, Contains(HasSubstr("(only SELinux stops it)")));
    const auto others = std::find_if(lines.begin(), lines.end(), [](const std::string& line) { return line.starts_with("only another layer stopped "); });
    ASSERT_NE(others, lines.end());
    EXPECT_THAT(*others, AllOf(HasSubstr("files/other-home-read"), HasSubstr("files/other-homes-walk"), HasSubstr("labels/integrity-attribute"),
                               Not(HasSubstr("labels/exec-label")), Not(HasSubstr("files/shadow-read,"))));
    EXPECT_THAT(summary(judge(all_denied(), true)), Not(Contains(AnyOf(HasSubstr("SELinux is not on"), HasSubstr("only another layer")))));
}

TEST(Facts, are_read_line_by_line) {
    const Facts facts = parse_facts(
        R"({"host":{"uid":1000,"seccomp":true,"capabilities":false,"no_new_privs":true,"label":"u:r:gear_t:s0"}})"
        "\n"
        R"({"group":"files","name":"shadow-read","what":"x","result":"denied","errno":"ENOENT","detail":"d"})"
        "\n\n");
    EXPECT_TRUE(facts.has_filter);
    EXPECT_FALSE(facts.has_capabilities);
    EXPECT_EQ(facts.label, "u:r:gear_t:s0");
    ASSERT_EQ(facts.facts.size(), 1u);
    EXPECT_EQ(facts.facts[0].error, "ENOENT");
    for (const char* broken : {"nonsense", "{}", "[]", R"({"group":"files"})",
                               R"({"group":"f","name":"n","result":"fine","errno":"","detail":""})",
                               R"({"host":{"seccomp":"yes"}})"}) {
        try {
            parse_facts(broken);
            ADD_FAILURE() << broken;
        } catch (const Error& error) {
            EXPECT_THAT(error.text(), HasSubstr("line 1 of the probe: ")) << broken;
        }
    }
}

}  // namespace
}  // namespace gearbox::conformance
