// cartridge list, quickstart list, and the words that stand for their entries.
#include "cli/catalogue.h"

#include "base/settings.h"
#include "cli/command.h"
#include "model/names.h"

#include <sstream>

namespace gearbox::cli {

namespace {

std::string spaced(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += (out.empty() ? "" : " ") + word;
    }
    return out;
}

// OpenShift sends the list as text; ours as an array.
std::vector<std::string> strings_of(const Json& value) {
    if (value.is_array()) {
        return value.get<std::vector<std::string>>();
    }
    std::vector<std::string> out;
    std::istringstream in(value.is_string() ? value.get<std::string>() : "");
    for (std::string word; in >> word;) {
        out.push_back(word);
    }
    return out;
}

}  // namespace

std::string resolve_cartridge(const Json& catalogue, const std::string& word) {
    std::vector<std::string> names;
    std::string newest;  // the catalogue is sorted by name, then version descending
    for (const Json& cartridge : catalogue) {
        const auto name = take<std::string>(cartridge, "name");
        if (name == word) {
            return name;
        }
        if (newest.empty() && without_version(name) == word) {
            newest = name;
        }
        names.push_back(name);
        names.push_back(without_version(name));
    }
    if (!newest.empty()) {
        return newest;
    }
    const std::string near = nearest(word, names);
    throw ExitError(exit_status::no_cartridge,
                    str("there is no cartridge '", word, "'",
                        near.empty() ? "; see 'gearbox cartridge list'"
                                     : str("; did you mean '", near, "'?")));
}

Json cartridge_wish(const Json& catalogue, const std::string& word) {
    if (word.find("://") != std::string::npos) {
        return {{"url", word}};
    }
    return resolve_cartridge(catalogue, word);
}

std::vector<Quickstart> parse_quickstarts(const Json& data) {
    std::vector<Quickstart> out;
    for (const Json& item : data) {
        const Json& entry = item.contains("quickstart") ? item.at("quickstart") : item;
        out.push_back({take<std::string>(entry, "id"), find<std::string>(entry, "summary").value_or(""),
                       take<std::string>(entry, "initial_git_url"),
                       strings_of(entry.value("cartridges", Json::array())),
                       find<std::string>(entry, "unavailable").value_or("")});
    }
    return out;
}

Runner declare_cartridge_list(CLI::App&) {
    return [](Session& session) {
        const Json cartridges = session.connect("").get("/cartridges").data;
        if (session.print_json(cartridges)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& cartridge : cartridges) {
            const bool web = find<std::string>(cartridge, "type").value_or("") == "standalone";
            rows.push_back({take<std::string>(cartridge, "name"), web ? "web" : "add-on",
                            find<std::string>(cartridge, "display_name").value_or("")});
        }
        session.terminal().table({"NAME", "KIND", "TITLE"}, rows);
        return 0;
    };
}

Runner declare_quickstart_list(CLI::App&) {
    return [](Session& session) {
        const Json data = session.connect("").get("/quickstarts").data;
        if (session.print_json(data)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Quickstart& quickstart : parse_quickstarts(data)) {
            rows.push_back({quickstart.id, spaced(quickstart.cartridges),
                            quickstart.unavailable.empty() ? quickstart.summary
                                                           : "not available: " + quickstart.unavailable});
        }
        session.terminal().table({"NAME", "CARTRIDGES", "WHAT IT IS"}, rows);
        return 0;
    };
}

}  // namespace gearbox::cli
