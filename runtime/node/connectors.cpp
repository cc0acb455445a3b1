// OpenShift ran connectors between the gears of scaled applications. In one gear most of what is published is there already,
// by the variables of the publisher itself: those stay as they are (the published host and port of a database are those for
// other gears).
#include "node/connectors.h"

#include "base/error.h"
#include "base/log.h"
#include "model/names.h"
#include "node/cartridge_runner.h"
#include "node/environ.h"

#include <algorithm>
#include <map>

namespace gearbox {

namespace {

constexpr std::string_view all_variables = "ENV:*";

bool fits(const Connector& from, const Connector& to) {
    return from.type == to.type || (to.type == all_variables && from.type.starts_with("ENV:"));
}

/// For a shell that evaluates it, as scripts do with their fourth argument.
std::string shell_word(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return out + "'";
}

std::string joined(const std::vector<std::pair<std::string, std::string>>& variables) {
    std::string out;
    for (const auto& [name, value] : variables) {
        out += str(name, "=", value, "; ");
    }
    return out;
}

}  // namespace

std::vector<Connection> connections_of(const GearRecord& record, const std::string& name) {
    std::vector<Connection> out;
    for (const RecordedCartridge& publisher : record.cartridges) {
        for (const RecordedCartridge& subscriber : record.cartridges) {
            if (&publisher == &subscriber || (publisher.name != name && subscriber.name != name)) {
                continue;
            }
            for (const Connector& from : publisher.publishes) {
                for (const Connector& to : subscriber.subscribes) {
                    if (fits(from, to)) {
                        out.push_back({&publisher, &from, &subscriber, &to});
                    }
                }
            }
        }
    }
    return out;
}

std::string published_directory(const RecordedCartridge& publisher) {
    return ".env/" + publisher.full_name.substr(0, publisher.full_name.rfind('-'));
}

std::vector<std::pair<std::string, std::string>> published_variables(std::string_view payload) {
    std::map<std::string, std::string> out;
    constexpr std::size_t most_variables = 100;
    while (!payload.empty() && out.size() < most_variables) {
        const auto end = std::min(payload.find('\n'), payload.size());
        const std::string_view line = payload.substr(0, end);
        payload.remove_prefix(std::min(end + 1, payload.size()));
        const auto equals = line.find('=');
        if (equals != std::string_view::npos && VariableName::parse(std::string(line.substr(0, equals)))) {
            out[std::string(line.substr(0, equals))] = line.substr(equals + 1);
        }
    }
    return {out.begin(), out.end()};
}

void CartridgeRunner::connect(const GearRecord& record, const std::string& name) const {
    const GearFiles files = node_.files(record);
    for (const Connection& connection : connections_of(record, name)) {
        try {
            std::string payload = run_hook(record, *connection.publisher, connection.from->hook);
            if (connection.is_environment()) {
                const auto variables = published_variables(payload);
                const std::string directory = published_directory(*connection.publisher);
                files.remove(directory);
                const Environment before = make_environment(files, record, node_.settings);
                std::vector<EnvironmentVariable> fresh;
                for (const auto& [variable, value] : variables) {
                    if (!before.contains(variable)) {
                        fresh.push_back({variable, value});
                    }
                }
                if (!fresh.empty()) {
                    files.ensure_directory(directory, files.locked(), 0750);
                    write_variables(files, directory, fresh);
                }
                payload = joined(variables);
                if (!files.exists(str(connection.subscriber->name, "/hooks/", connection.to->hook))) {
                    continue;  // variables are all that most want
                }
            }
            run_hook(record, *connection.subscriber, connection.to->hook,
                     {str(shell_word(record.spec.id.text()), "=", shell_word(payload))});
        } catch (const Error& error) {
            if (connection.is_required()) {
                throw;
            }
            log::info("not connected: ", error.text(), log::field("gear", record.spec.id.text()));
        }
    }
}

}  // namespace gearbox
