// OpenShift ran connectors between the gears of scaled applications. In one gear most of what is published is there already,
// by the variables of the publisher itself: those stay as they are (the published host and port of a database are those for
// other gears).
#include "node/connectors.h"

#include "base/argv.h"
#include "base/error.h"
#include "base/log.h"
#include "model/names.h"
#include "node/cartridge_runner.h"
#include "node/environ.h"
#include "node/script_output.h"

#include <algorithm>
#include <map>

namespace gearbox {

namespace {

constexpr std::string_view all_variables = "ENV:*";

bool fits(const Connector& from, const Connector& to) {
    return from.type == to.type || (to.type == all_variables && from.type.starts_with("ENV:"));
}

// As a subscriber's script gets variables.
std::string joined(const std::map<std::string, std::string>& variables) {
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
    return ".env/" + without_version(publisher.full_name);
}

void CartridgeRunner::publish(const GearRecord& record, const RecordedCartridge& publisher,
                              const std::map<std::string, std::string>& variables) const {
    const GearFiles files = node_.files(record);
    const std::string directory = published_directory(publisher);
    const Environment all = make_environment(files, record, node_.settings);
    for (const auto& [name, value] : variables) {
        if (!all.contains(name) || files.exists(str(directory, "/", name))) {
            files.ensure_directory(directory, files.locked(), 0750);
            write_variable(files, directory, name, value);
        }
    }
}

void CartridgeRunner::connect(const GearRecord& record, const std::string& name, ScriptMessages& said) const {
    // Everything that it publishes itself is asked for again below.
    node_.files(record).remove(published_directory(*record.find_cartridge(name)));
    std::map<const Connector*, std::string> payloads;
    for (const Connection& connection : connections_of(record, name)) {
        try {
            auto known = payloads.find(connection.from);
            if (known == payloads.end()) {
                known = payloads.emplace(connection.from, run_hook(record, *connection.publisher, connection.from->hook, said)).first;
            }
            std::string payload = known->second;
            if (connection.is_environment()) {
                const auto variables = published_variables(payload);
                publish(record, *connection.publisher, variables);
                if (!node_.files(record).exists(str(connection.subscriber->name, "/hooks/", connection.to->hook))) {
                    continue;  // variables are all that most want
                }
                payload = joined(variables);
            }
            run_hook(record, *connection.subscriber, connection.to->hook, said,
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
