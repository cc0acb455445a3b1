#include "conformance/judge.h"

#include <algorithm>
#include <map>
#include <set>

namespace gearbox::conformance {

namespace {

struct VerdictName {
    Verdict verdict;
    const char* name;
    bool failure;
};

constexpr VerdictName verdicts[] = {
    {Verdict::blocked, "blocked", false}, {Verdict::not_stopped, "NOT STOPPED", true},
    {Verdict::absent, "absent", false},   {Verdict::unexplained, "UNEXPLAINED", true},
    {Verdict::missing, "NO FACT", true},  {Verdict::unknown, "UNKNOWN", true},
};

const VerdictName& row_of(Verdict verdict) {
    return *std::find_if(std::begin(verdicts), std::end(verdicts),
                         [verdict](const VerdictName& row) { return row.verdict == verdict; });
}

// EPERM of a filter and of a missing capability look alike. A filter answers before the kernel
// looks at anything else; so a call of the filter's list was stopped by it if there is one at all.
bool takes_part(Layer layer, const Facts& facts, bool enforcing) {
    switch (layer) {
        case Layer::seccomp: return facts.has_filter;
        case Layer::capabilities: return !facts.has_capabilities;
        case Layer::selinux_type:
        case Layer::mcs: return enforcing;
        case Layer::none: return false;
        case Layer::dac:
        case Layer::namespaces:
        case Layer::cgroup:
        case Layer::limit:
        case Layer::quota:
        case Layer::nftables:
        case Layer::mount:
        case Layer::platform: return true;
    }
    return false;
}

bool fits(const Sign& sign, const Fact& fact) {
    return fact.error == sign.error && fact.detail.find(sign.words) != std::string::npos;
}

// SELinux may stand before any row's layer and has no other sign than EACCES. Not where the rows
// know that errno: owner and mode are asked first.
Layer layer_of(const Attempt& attempt, const Fact& fact, const Facts& facts, bool enforcing) {
    for (const Sign& sign : attempt.signs) {
        if (takes_part(sign.layer, facts, enforcing) && fits(sign, fact)) {
            return sign.layer;
        }
    }
    return enforcing && fact.error == "EACCES" ? Layer::selinux_type : Layer::none;
}

Finding judge_attempt(const Attempt& attempt, const Fact* fact, const Facts& facts,
                      bool enforcing) {
    Finding out;
    out.group = kebab(attempt.group);
    out.name = kebab(attempt.identifier);
    out.what = attempt.what;
    out.needs_selinux = needs_selinux(attempt);
    out.may_meet_selinux = selinux_is_one_of_several(attempt);
    if (fact == nullptr) {
        return out;
    }
    out.error = fact->error;
    out.detail = fact->detail;
    if (fact->result == "succeeded") {
        out.verdict = Verdict::not_stopped;
    } else if (fact->result == "absent") {
        out.verdict = Verdict::absent;
    } else {
        out.layer = layer_of(attempt, *fact, facts, enforcing);
        out.verdict = out.layer == Layer::none ? Verdict::unexplained : Verdict::blocked;
    }
    return out;
}

struct Names {
    std::size_t number = 0;
    std::string text;
    void add(const Finding& finding) {
        ++number;
        text += str(text.empty() ? "" : ", ", finding.group, "/", finding.name);
    }
};

// It is the gear's word, and it is going to be on somebody's terminal.
std::string printable(std::string text) {
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    return text;
}

Fact parse_fact(const Json& json) {
    const auto text = [&json](const char* key) { return printable(take<std::string>(json, key)); };
    Fact fact{text("group"), text("name"), text("result"), text("errno"), text("detail")};
    if (fact.result != "denied" && fact.result != "succeeded" && fact.result != "absent") {
        fail(ErrorKind::invalid, "'/result' is '", fact.result, "'");
    }
    return fact;
}

}  // namespace

const char* name_of(Verdict verdict) {
    return row_of(verdict).name;
}

bool is_failure(Verdict verdict) {
    return row_of(verdict).failure;
}

Facts parse_facts(std::string_view text) {
    Facts out;
    int number = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        ++number;
        if (line.empty()) {
            continue;
        }
        while_doing(
            [&] {
                const Json json = parse_json(line);
                if (const auto host = find<Json>(json, "host")) {
                    out.has_filter = take<bool>(*host, "seccomp");
                    out.has_capabilities = take<bool>(*host, "capabilities");
                    out.label = take<std::string>(*host, "label");
                } else {
                    out.facts.push_back(parse_fact(json));
                }
            },
            "line ", number, " of the probe");
    }
    return out;
}

Judgement judge(const Facts& facts, bool enforcing, const std::vector<std::string>& groups) {
    Judgement out;
    out.enforcing = enforcing;
    std::map<std::pair<std::string, std::string>, const Fact*> given;
    std::vector<const Fact*> strange;
    for (const Fact& fact : facts.facts) {
        if (!given.emplace(std::pair(fact.group, fact.name), &fact).second) {
            strange.push_back(&fact);  // said twice
        }
    }
    for (const Attempt& attempt : attempts()) {
        const auto found = given.find({kebab(attempt.group), kebab(attempt.identifier)});
        const Fact* const fact = found == given.end() ? nullptr : found->second;
        const bool is_expected = groups.empty() || std::find(groups.begin(), groups.end(),
                                                             kebab(attempt.group)) != groups.end();
        if (is_expected || fact != nullptr) {
            out.findings.push_back(judge_attempt(attempt, fact, facts, enforcing));
        }
        if (fact != nullptr) {
            given.erase(found);
        }
    }
    for (const auto& [key, fact] : given) {
        strange.push_back(fact);
    }
    for (const Fact* const fact : strange) {
        out.findings.push_back({fact->group, fact->name, "", Verdict::unknown, Layer::none, false,
                                fact->error, fact->detail});
    }
    return out;
}

std::size_t Judgement::count(Verdict verdict) const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [verdict](const Finding& finding) { return finding.verdict == verdict; }));
}

std::size_t Judgement::failures() const {
    return static_cast<std::size_t>(
        std::count_if(findings.begin(), findings.end(),
                      [](const Finding& finding) { return is_failure(finding.verdict); }));
}

Json to_json(const Judgement& judgement) {
    Json rows = Json::array();
    for (const Finding& finding : judgement.findings) {
        rows.push_back(
            {{"group", finding.group},
             {"name", finding.name},
             {"what", finding.what},
             {"verdict", name_of(finding.verdict)},
             {"layer", finding.layer == Layer::none ? Json(nullptr) : Json(name_of(finding.layer))},
             {"needs_selinux", finding.needs_selinux},
             {"errno", finding.error},
             {"detail", finding.detail}});
    }
    Json totals = Json::object();
    for (const VerdictName& row : verdicts) {
        totals[row.name] = judgement.count(row.verdict);
    }
    Json layers = Json::object();
    for (const Finding& finding : judgement.findings) {
        if (finding.verdict == Verdict::blocked) {
            const char* const name = name_of(finding.layer);
            layers[name] = layers.value(name, 0) + 1;
        }
    }
    return {{"enforcing", judgement.enforcing},
            {"attempts", rows},
            {"totals", totals},
            {"layers", layers},
            {"stopped", judgement.failures() == 0}};
}

std::vector<std::string> table_head() {
    return {"GROUP", "ATTEMPT", "RESULT", "BY", "ERROR", "DETAIL"};
}

std::vector<std::vector<std::string>> table_rows(const Judgement& judgement) {
    std::vector<std::vector<std::string>> out;
    for (const Finding& finding : judgement.findings) {
        out.push_back({finding.group, finding.name, name_of(finding.verdict),
                       finding.layer == Layer::none ? "" : name_of(finding.layer), finding.error,
                       finding.detail});
    }
    return out;
}

std::vector<std::string> summary(const Judgement& judgement) {
    std::vector<std::string> out;
    Names only_selinux;
    Names other_layers;
    for (const Finding& finding : judgement.findings) {
        if (finding.needs_selinux) {
            only_selinux.add(finding);
        } else if (finding.may_meet_selinux && finding.verdict == Verdict::blocked) {
            other_layers.add(finding);
        }
        if (is_failure(finding.verdict)) {
            out.push_back(str(
                name_of(finding.verdict), ": ", finding.group, "/", finding.name, ": ",
                finding.what, finding.detail.empty() ? "" : " — ", finding.detail,
                finding.needs_selinux && !judgement.enforcing ? " (only SELinux stops it)" : ""));
        }
    }
    if (!judgement.enforcing) {
        out.push_back(str("SELinux is not on for this gear: ", only_selinux.number,
                          " attempts have nothing else that stops them: ", only_selinux.text));
        out.push_back(str("only another layer stopped ", other_layers.number, " that SELinux would meet, too: ", other_layers.text));
    }
    const std::size_t absent = judgement.count(Verdict::absent);
    if (absent > 0) {
        out.push_back(
            str(absent, " more were not made: this machine does not have what they need"));
    }
    const std::size_t failures = judgement.failures();
    const std::size_t made = judgement.findings.size() - absent;
    out.push_back(failures == 0 ? str(made, " attempts, all stopped")
                                : str(made, " attempts, ", failures, " not stopped"));
    return out;
}

}  // namespace gearbox::conformance
