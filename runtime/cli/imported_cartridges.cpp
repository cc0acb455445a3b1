// cartridge check, for authors; admin cartridge …, for operators, through the daemon's control socket.
#include "base/file.h"
#include "cartridge/check.h"
#include "cli/cartridge_source.h"
#include "cli/command.h"
#include "control/control_client.h"

#include <algorithm>
#include <memory>

namespace gearbox::cli {

namespace {

struct ImportArguments {
    std::string name;  ///< or source
    std::string sha256;
    std::string socket = "/run/gearbox/control.sock";
};

std::shared_ptr<ImportArguments> add_import_arguments(CLI::App& parser, const char* word, const char* help) {
    const auto arguments = std::make_shared<ImportArguments>();
    if (*word != '\0') {
        parser.add_option(word, arguments->name, help)->required();
    }
    parser.add_option("--socket", arguments->socket, "the daemon's control socket")->capture_default_str();
    return arguments;
}

std::string joined(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += str(out.empty() ? "" : ", ", word);
    }
    return out.empty() ? "-" : out;
}

Runner declare_activation(CLI::App& parser, bool active, const char* done) {
    const auto arguments = add_import_arguments(parser, "CARTRIDGE", "as 'admin cartridge list' names it");
    return [arguments, active, done](Session& session) {
        const Json reply =
            call(arguments->socket, "cartridge.activate", {{"name", arguments->name}, {"active", active}});
        if (!session.print_json(reply)) {
            session.terminal().line(str("'", arguments->name, "' ", done));
        }
        return 0;
    };
}

}  // namespace

Runner declare_cartridge_check(CLI::App& parser) {
    const auto source = std::make_shared<std::string>();
    parser.add_option("SOURCE", *source, "a directory; or an archive, a repository or a manifest, as for an import")
        ->required();
    return [source](Session& session) {
        const TempDir fetched;
        std::filesystem::path directory = *source;
        if (!std::filesystem::is_directory(directory)) {
            fetch_cartridge(*source, "", fetched.path());
            directory = fetched.path();
        }
        const cartridge::Report report = cartridge::check(directory);
        Json findings = Json::array();
        for (const cartridge::Finding& finding : report.findings) {
            findings.push_back({{"error", finding.is_error}, {"place", finding.place}, {"text", finding.text}});
        }
        const bool is_usable = report.is_usable();
        if (!session.print_json({{"offers", report.offers}, {"usable", is_usable}, {"findings", findings}})) {
            for (const cartridge::Finding& finding : report.findings) {
                session.terminal().line(str(finding.is_error ? "error    " : "remark   ", cartridge::to_line(finding)));
            }
            session.terminal().line(is_usable ? str("usable: ", joined(report.offers)) : "not usable");
        }
        return is_usable ? 0 : exit_status::error;
    };
}

Runner declare_admin_cartridge_import(CLI::App& parser) {
    const auto arguments = add_import_arguments(
        parser, "SOURCE",
        "a directory, an archive, a git repository (with #branch), a manifest's or repository's address");
    parser.add_option("--sha256", arguments->sha256, "what the archive or manifest must have")
        ->check(CLI::Validator(
            [](const std::string& text) {
                const bool fits = text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
                return fits ? std::string() : "must be 64 hex digits";
            },
            "HEX"));
    return [arguments](Session& session) {
        const auto directory = take<std::string>(call(arguments->socket, "cartridge.staging"), "directory");
        try {
            fetch_cartridge(arguments->name, arguments->sha256, directory);
        } catch (...) {
            std::error_code ignored;
            std::filesystem::remove_all(directory, ignored);
            throw;
        }
        const Json reply = call(arguments->socket, "cartridge.import", {{"directory", directory}});
        if (!session.print_json(reply)) {
            for (const auto& remark : take<std::vector<std::string>>(reply, "remarks")) {
                session.terminal().line(str("remark: ", remark));
            }
            session.terminal().line(str("on offer: ", joined(take<std::vector<std::string>>(reply, "offers"))));
        }
        return 0;
    };
}

Runner declare_admin_cartridge_list(CLI::App& parser) {
    const auto arguments = add_import_arguments(parser, "", "");
    return [arguments](Session& session) {
        const Json cartridges = call(arguments->socket, "cartridge.list");
        if (session.print_json(cartridges)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& cartridge : cartridges) {
            const auto active = take<std::string>(cartridge, "active");
            rows.push_back({take<std::string>(cartridge, "name"), active.empty() ? "-" : active,
                            joined(take<std::vector<std::string>>(cartridge, "versions")),
                            joined(take<std::vector<std::string>>(cartridge, "applications"))});
        }
        session.terminal().table({"CARTRIDGE", "ON OFFER", "VERSIONS", "APPLICATIONS"}, rows);
        return 0;
    };
}

Runner declare_admin_cartridge_activate(CLI::App& parser) { return declare_activation(parser, true, "is on offer"); }
Runner declare_admin_cartridge_deactivate(CLI::App& parser) {
    return declare_activation(parser, false, "is not on offer any more; applications that have it keep it");
}

Runner declare_admin_cartridge_remove(CLI::App& parser) {
    const auto arguments = add_import_arguments(parser, "CARTRIDGE", "as 'admin cartridge list' names it");
    return [arguments](Session& session) {
        const Json reply = call(arguments->socket, "cartridge.remove", {{"name", arguments->name}});
        if (!session.print_json(reply)) {
            session.terminal().line(str("'", arguments->name, "' removed"));
        }
        return 0;
    };
}

Runner declare_admin_cartridge_upgrade(CLI::App& parser) {
    const auto arguments = add_import_arguments(parser, "CARTRIDGE", "as 'admin cartridge list' names it");
    const auto application = std::make_shared<std::string>();
    parser.add_option("APPLICATION", *application, "only in this one (APP or APP-DOMAIN)");
    return [arguments, application](Session& session) {
        Json args = {{"name", arguments->name}};
        if (!application->empty()) {
            args["application"] = *application;
        }
        const Json upgrades = call(arguments->socket, "cartridge.upgrade", args);
        const bool has_failed = std::any_of(upgrades.begin(), upgrades.end(), [](const Json& row) {
            return take<std::string>(row, "result") == "failed";
        });
        if (!session.print_json(upgrades) && upgrades.empty()) {
            session.terminal().line(str("no application has '", arguments->name, "'"));
        } else if (!session.wants_json()) {
            std::vector<std::vector<std::string>> rows;
            for (const Json& row : upgrades) {
                rows.push_back({take<std::string>(row, "application"), take<std::string>(row, "cartridge"),
                                find<std::string>(row, "from").value_or("-"), find<std::string>(row, "to").value_or("-"),
                                take<std::string>(row, "result")});
            }
            session.terminal().table({"APPLICATION", "CARTRIDGE", "FROM", "TO", "RESULT"}, rows);
            for (const Json& row : upgrades) {
                if (const auto reason = find<std::string>(row, "reason")) {
                    session.terminal().line(str(take<std::string>(row, "application"), " keeps what it has: ", *reason));
                }
            }
        }
        return has_failed ? exit_status::error : 0;
    };
}

}  // namespace gearbox::cli
