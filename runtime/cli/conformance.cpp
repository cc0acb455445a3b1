// conformance: tries to break out of an application's gear and says what stopped each attempt.
#include "base/file.h"
#include "cli/target.h"
#include "conformance/judge.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct ConformanceArguments {
    Target target;
    std::vector<std::string> groups;
    bool heavy = false;
};

conformance::Facts probe(Session& session, const ConformanceArguments& arguments) {
    std::vector<std::string> argv = ssh_command(session, application_of(session, arguments.target));
    argv.push_back(conformance::probe_command(arguments.groups, arguments.heavy));
    const TempDir directory("gearbox-conformance");
    const std::string file = directory.path() / "facts";
    if (session.world().run(argv, {"", file}) != 0) {
        throw ExitError(exit_status::remote_failed, "the probe did not run to its end in the gear");
    }
    return conformance::parse_facts(read_file(file));
}

void print(Session& session, const conformance::Judgement& judgement) {
    if (!session.print_json(conformance::to_json(judgement))) {
        session.terminal().table(conformance::table_head(), conformance::table_rows(judgement));
        for (const std::string& line : conformance::summary(judgement)) {
            session.terminal().line(line);
        }
    }
}

}  // namespace

Runner declare_conformance(CLI::App& parser) {
    const auto arguments = std::make_shared<ConformanceArguments>();
    add_target(parser, arguments->target);
    parser.add_option("--group", arguments->groups, "only these attempts; may be repeated")
        ->allow_extra_args(false)
        ->check(CLI::IsMember(conformance::groups()));
    parser.add_flag("--heavy", arguments->heavy, "fill the disk up to the gear's quota, too");
    return [arguments](Session& session) {
        const conformance::Facts facts = probe(session, *arguments);
        // The daemon starts a gear in a domain of its own only with SELinux enforcing.
        const bool enforcing = facts.label.find(":gear_session_t:") != std::string::npos;
        const auto judgement = conformance::judge(facts, enforcing, arguments->groups);
        print(session, judgement);
        return judgement.failures() == 0 ? 0 : exit_status::error;
    };
}

}  // namespace gearbox::cli
