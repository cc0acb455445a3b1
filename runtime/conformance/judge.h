// Says which layer stopped each attempt of the probe, from facts alone: no I/O.
#pragma once
#include "base/json.h"
#include "conformance/attempts.h"

#include <string>
#include <string_view>
#include <vector>

namespace gearbox::conformance {

/// A line of the probe.
struct Fact {
    std::string group;
    std::string name;
    std::string result;  ///< "denied", "succeeded", "absent"
    std::string error;   ///< "EPERM"; "" for none
    std::string detail;
};

struct Facts {
    bool has_filter = false;        ///< a seccomp filter is on the probe
    bool has_capabilities = false;  ///< its effective set is not empty
    std::string label;              ///< its SELinux label; "" without SELinux
    std::vector<Fact> facts;
};

/// What does not print becomes '?'. Throws Error(invalid) naming the line.
Facts parse_facts(std::string_view text);

enum class Verdict {
    blocked,  ///< by `layer`
    not_stopped,
    absent,       ///< nothing was tried: the machine does not have it
    unexplained,  ///< denied, but by no sign of the table: the attempt or the table is wrong
    missing,      ///< in the table, and no fact
    unknown,      ///< a fact that is not in the table, or twice
};

const char* name_of(Verdict verdict);
/// Every verdict but blocked and absent.
bool is_failure(Verdict verdict);

struct Finding {
    std::string group;
    std::string name;
    std::string what;
    Verdict verdict = Verdict::missing;
    Layer layer = Layer::none;
    bool needs_selinux = false;  ///< nothing else stops it
    std::string error;
    std::string detail;
    bool may_meet_selinux = false;  ///< as well as another layer
};

struct Judgement {
    std::vector<Finding> findings;  ///< in the order of the table, unknown ones last
    bool enforcing = false;
    std::size_t count(Verdict verdict) const;
    std::size_t failures() const;
};

/// Only the named groups are expected; none named: all.
Judgement judge(const Facts& facts, bool enforcing, const std::vector<std::string>& groups = {});

/// {"enforcing","attempts":[…],"totals":{…},"stopped":bool}
Json to_json(const Judgement& judgement);

/// Head of the table, and one row for each finding.
std::vector<std::string> table_head();
std::vector<std::vector<std::string>> table_rows(const Judgement& judgement);

/// What was not stopped, whether SELinux took part, how many attempts were absent; last "127
/// attempts, all stopped" or how many were not. Absent ones do not count.
std::vector<std::string> summary(const Judgement& judgement);

}  // namespace gearbox::conformance
