// gear-probe: runs in a gear, tries to break out, and prints what came of each attempt, one JSON
// object a line. What that means is the judge's business (conformance/judge.h).
#include "base/json.h"
#include "conformance/attempts.h"
#include "conformance/probe/groups.h"
#include "conformance/probe/run.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <optional>
#include <set>

namespace gearbox::probe {

namespace {

constexpr const char* usage =
    "usage: gear-probe [--group GROUP]… [--attempt NAME]… [--targets JSON] [--heavy] [--list] [--as-root]\n"
    "  --group    only attempts of this group; may be repeated\n"
    "  --attempt  only attempts of this name; may be repeated\n"
    "  --targets  what is known of neighbours and host: other_uid, other_home, other_pid,\n"
    "             other_address, other_port, host_addresses, memory_mb, cpu_percent\n"
    "  --heavy    write until the disk quota is met, too\n"
    "  --list     print the table instead\n"
    "  --as-root  run although nothing will stop it: in a throw-away machine only\n";

// In the order of the table.
constexpr Function functions[] = {
#define ATTEMPT(group, function, ...) &group::function,
#include "conformance/attempts.def"
#undef ATTEMPT
};

struct Options {
    std::set<std::string> groups;
    std::set<std::string> names;
    Targets targets = guess_targets();
    bool list = false;
    bool as_root = false;
};

std::optional<Options> parse_options(const std::vector<std::string>& words) {
    Options out;
    bool heavy = false;
    const std::vector<std::string> known = conformance::groups();
    for (std::size_t i = 0; i < words.size(); ++i) {
        const bool has_value = i + 1 < words.size();
        if (words[i] == "--group" && has_value) {
            if (std::find(known.begin(), known.end(), words[++i]) == known.end()) {
                fail(ErrorKind::invalid, "there is no group '", words[i], "'");
            }
            out.groups.insert(words[i]);
        } else if (words[i] == "--attempt" && has_value) {
            const auto& rows = conformance::attempts();
            if (std::none_of(rows.begin(), rows.end(), [name = words[++i]](const conformance::Attempt& row) {
                    return conformance::kebab(row.identifier) == name;
                })) {
                fail(ErrorKind::invalid, "there is no attempt '", words[i], "'");
            }
            out.names.insert(words[i]);
        } else if (words[i] == "--targets" && has_value) {
            out.targets = parse_targets(words[++i]);
        } else if (words[i] == "--heavy") {
            heavy = true;
        } else if (words[i] == "--list") {
            out.list = true;
        } else if (words[i] == "--as-root") {
            out.as_root = true;
        } else {
            return std::nullopt;
        }
    }
    out.targets.heavy = heavy;
    return out;
}

void print(const Json& json) {
    std::fprintf(stdout, "%s\n", to_text(json).c_str());
    std::fflush(stdout);
}

const char* name_of(Result result) {
    switch (result) {
        case Result::denied: return "denied";
        case Result::succeeded: return "succeeded";
        case Result::absent: return "absent";
    }
    return "";
}

// What the judge must know to tell layers apart that answer with the same errno.
void print_host() {
    print({{"host",
            {{"uid", ::getuid()},
             {"seccomp", is_filtered()},
             {"capabilities", status_field("CapEff").find_first_not_of('0') != std::string::npos},
             {"no_new_privs", status_field("NoNewPrivs") == "1"},
             {"label", own_label()}}}});
}

void run_all(const Options& options) {
    const auto& rows = conformance::attempts();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string group = conformance::kebab(rows[i].group);
        const std::string name = conformance::kebab(rows[i].identifier);
        if ((!options.groups.empty() && !options.groups.contains(group)) ||
            (!options.names.empty() && !options.names.contains(name))) {
            continue;
        }
        if (options.list) {
            std::fprintf(stdout, "%-10s %-28s %s\n", group.c_str(), name.c_str(), rows[i].what);
            continue;
        }
        const Outcome outcome = run_attempt(functions[i], options.targets);
        print({{"group", group},
               {"name", name},
               {"what", rows[i].what},
               {"result", name_of(outcome.result)},
               {"errno", error_name(outcome.code)},
               {"detail", outcome.detail}});
    }
}

int probe_all(const std::vector<std::string>& words) {
    const auto options = parse_options(words);
    if (!options) {
        std::fputs(usage, stderr);
        return 2;
    }
    if (!options->list && ::geteuid() == 0 && !options->as_root) {
        std::fputs("gear-probe: root would break out of nothing; run it in a gear\n", stderr);
        return 2;
    }
    if (!options->list) {
        print_host();
    }
    run_all(*options);
    return 0;
}

}  // namespace

}  // namespace gearbox::probe

int main(int argc, char** argv) {
    try {
        return gearbox::probe::probe_all({argv + 1, argv + argc});
    } catch (const std::exception& error) {
        std::fprintf(stderr, "gear-probe: %s\n", error.what());
        return 2;
    }
}
