#include "node/profile_file.h"

#include "base/error.h"
#include "base/toml_file.h"
#include "model/names.h"
#include "sys/capabilities.h"
#include "sys/seccomp.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <map>
#include <utility>

namespace gearbox {

namespace {

namespace fs = std::filesystem;

/// "size 'small'" → the profile that is assigned to it.
using Assigned = std::map<std::string, std::string>;

/// Reads one file.
class Reader {
public:
    Reader(const fs::path& file, const Settings& settings, const SecurityPolicy& policy, Assigned& assigned)
        : file_(file), settings_(settings), policy_(policy), assigned_(assigned) {}

    Profile read() {
        if (!is_profile_name(file_.stem().native())) {
            fail(ErrorKind::invalid, file_.native(), ":1:1: the profile's name '", file_.stem().native(),
                 "' must be 1 to 32 lower-case letters, digits, _ and -, and begin with a letter or digit");
        }
        profile_.name = file_.stem();
        const toml::table table = toml_file::parse(file_);
        read_table(table, "",
                   {{"description", [&](const toml::node& node) { profile_.description = text(node, "description"); }},
                    {"selinux_type", [&](const toml::node& node) { read_type(node); }},
                    {"assign", section(&Reader::read_assign)},
                    {"seccomp", section(&Reader::read_seccomp)},
                    {"capabilities", section(&Reader::read_capabilities)},
                    {"network", section(&Reader::read_network)},
                    {"limits", section(&Reader::read_limits)}});
        return std::move(profile_);
    }

private:
    /// A key, and what takes its value.
    using Keys = std::vector<std::pair<std::string, std::function<void(const toml::node&)>>>;

    template <typename... Parts>
    [[noreturn]] void refuse(const toml::node& node, const Parts&... parts) const {
        fail(ErrorKind::invalid, toml_file::where(node, file_), ": ", parts...);
    }

    // With the place of the node in front of what body says.
    void at(const toml::node& node, const std::function<void()>& body) const {
        while_doing(body, toml_file::where(node, file_));
    }

    void read_table(const toml::table& table, const std::string& prefix, const Keys& keys) const {
        for (const auto& [key, node] : table) {
            const auto row = std::find_if(keys.begin(), keys.end(),
                                          [&name = key](const auto& candidate) { return candidate.first == name.str(); });
            if (row == keys.end()) {
                std::vector<std::string> names;
                std::transform(keys.begin(), keys.end(), std::back_inserter(names),
                               [&](const auto& known) { return prefix + known.first; });
                toml_file::fail_unknown(toml_file::where(node, file_), "key", prefix + std::string(key.str()), names);
            }
            row->second(node);
        }
    }

    std::function<void(const toml::node&)> section(void (Reader::*take)(const toml::table&)) {
        return [this, take](const toml::node& node) {
            const toml::table* const table = node.as_table();
            if (table == nullptr) {
                refuse(node, "this must be a table: write its name in brackets, [assign]");
            }
            (this->*take)(*table);
        };
    }

    std::string text(const toml::node& node, const char* key) const {
        const auto value = node.value_exact<std::string>();
        if (!value) {
            refuse(node, "'", key, "' must be a string");
        }
        return *value;
    }

    void each(const toml::node& node, const char* key,
              const std::function<void(const toml::node&, const std::string&)>& take) const {
        const toml::array* const array = node.as_array();
        if (array == nullptr) {
            refuse(node, "'", key, "' must be a list of strings");
        }
        for (const toml::node& entry : *array) {
            const auto value = entry.value_exact<std::string>();
            if (!value) {
                refuse(entry, "'", key, "' must be a list of strings");
            }
            take(entry, *value);
        }
    }

    void read_type(const toml::node& node) {
        const std::string type = text(node, "selinux_type");
        const bool is_word = !type.empty() && std::all_of(type.begin(), type.end(), [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        });
        if (!is_word) {
            refuse(node, "'", type, "' is no SELinux type");
        }
        at(node, [&] { policy_.check_type(type); });
        profile_.selinux_type = type;
    }

    void read_assign(const toml::table& table) {
        const auto list = [this](const char* key, const char* what, std::vector<std::string>& to,
                                 const std::function<void(const toml::node&, const std::string&)>& check_word) {
            return std::pair(std::string(key), [this, key, what, &to, check_word](const toml::node& node) {
                each(node, str("assign.", key).c_str(), [&](const toml::node& entry, const std::string& word) {
                    check_word(entry, word);
                    claim(entry, str(what, " '", word, "'"));
                    to.push_back(word);
                });
            });
        };
        read_table(table, "assign.",
                   {list("cartridges", "cartridge", profile_.cartridges,
                         [this](const auto& entry, const auto& word) { check_cartridge(entry, word); }),
                    list("sizes", "size", profile_.sizes,
                         [this](const auto& entry, const auto& word) {
                             if (!settings_.has_size(word)) {
                                 toml_file::fail_unknown(toml_file::where(entry, file_), "gear size", word,
                                                         settings_.size_names());
                             }
                         }),
                    list("domains", "domain", profile_.domains, [this](const auto& entry, const auto& word) {
                        const auto name = Namespace::parse(word);
                        if (!name || name->text() != word) {
                            refuse(entry, "'", word, "' is no domain's name: 1 to 16 lower-case letters and digits");
                        }
                    })});
    }

    void check_cartridge(const toml::node& entry, const std::string& word) const {
        // A name becomes a full one by its version.
        if (!CartridgeName::parse(word) && !CartridgeName::parse(word + "-1")) {
            refuse(entry, "'", word, "' is no cartridge's name, as \"php\" or \"php-8.4\"");
        }
    }

    void claim(const toml::node& entry, const std::string& what) {
        const auto [found, is_new] = assigned_.emplace(what, profile_.name);
        if (!is_new) {
            refuse(entry, "the ", what, " is assigned to the profile '", found->second, "' already, and cannot be to '",
                   profile_.name, "', too");
        }
    }

    void read_seccomp(const toml::table& table) {
        FilterRules& rules = profile_.filter;
        const std::vector<std::string> known = sys::system_calls();
        const toml::node* lists = nullptr;
        const auto calls = [&](const char* key, std::vector<std::string>& to, const std::vector<std::string>& other,
                               bool is_refusal) {
            return std::pair(std::string(key), [&, key, is_refusal](const toml::node& node) {
                lists = &node;
                each(node, str("seccomp.", key).c_str(), [&](const toml::node& entry, const std::string& call) {
                    if (std::find(known.begin(), known.end(), call) == known.end()) {
                        toml_file::fail_unknown(toml_file::where(entry, file_), "system call", call, known);
                    }
                    if (std::find(other.begin(), other.end(), call) != other.end()) {
                        refuse(entry, "the system call '", call, "' is allowed and refused");
                    }
                    if (const char* const why = is_refusal ? sys::why_needed(call) : nullptr) {
                        refuse(entry, "the system call '", call, "' cannot be refused: ", why);
                    }
                    to.push_back(call);
                });
            });
        };
        read_table(table, "seccomp.",
                   {calls("allow", rules.allow, rules.refuse, false), calls("refuse", rules.refuse, rules.allow, true),
                    {"filter", [&](const toml::node& node) {
                         const auto value = node.value_exact<bool>();
                         if (!value) {
                             refuse(node, "'seccomp.filter' must be true or false");
                         }
                         rules.enabled = *value;
                     }}});
        if (!rules.enabled && lists != nullptr) {
            refuse(*lists, "without a filter ('seccomp.filter' is false) there is nothing to allow or refuse");
        }
        for (std::vector<std::string>* const list : {&rules.allow, &rules.refuse}) {
            std::sort(list->begin(), list->end());
            list->erase(std::unique(list->begin(), list->end()), list->end());
        }
    }

    void read_capabilities(const toml::table& table) {
        std::vector<std::string> known;
        for (const sys::Capability& row : sys::capabilities()) {
            known.emplace_back(row.name);
        }
        read_table(table, "capabilities.", {{"keep", [&](const toml::node& node) {
            each(node, "capabilities.keep", [&](const toml::node& entry, const std::string& name) {
                const sys::Capability* const found = sys::find_capability(name);
                if (found == nullptr) {
                    toml_file::fail_unknown(toml_file::where(entry, file_), "capability", name, known);
                }
                if (found->refused != nullptr) {
                    refuse(entry, "no gear can keep the capability '", name, "': ", found->refused);
                }
                if (!sys::is_in_bounding_set(*found)) {
                    refuse(entry, "the daemon has not got the capability '", name,
                           "' itself: its unit must name it in CapabilityBoundingSet=");
                }
                profile_.capabilities.push_back(name);
            });
        }}});
        std::sort(profile_.capabilities.begin(), profile_.capabilities.end());
    }

    void read_network(const toml::table& table) {
        read_table(table, "network.", {{"egress", [&](const toml::node& node) {
            const auto word = node.value_exact<std::string>();
            if (word && (*word == "internet" || *word == "none")) {
                profile_.egress = Egress{*word == "internet", {}};
                return;
            }
            if (!node.is_array()) {
                refuse(node, "'network.egress' must be \"internet\", \"none\" or a list of networks");
            }
            profile_.egress = Egress{false, {}};
            each(node, "network.egress", [&](const toml::node& entry, const std::string& rule) {
                at(entry, [&] { profile_.egress->rules.push_back(parse_egress_rule(rule)); });
            });
        }}});
    }

    void read_limits(const toml::table& table) {
        GearSettings values;
        const std::vector<toml_file::Row> rows = toml_file::gear_rows("limits.", values);
        toml_file::apply(table, "limits.", rows, file_);
        for (const toml_file::Row& row : rows) {
            const std::string key = row.key.substr(row.key.find('.') + 1);
            if (table.contains(key)) {
                profile_.limits[key] = *std::get<std::int64_t*>(row.target);
            }
        }
    }

    const fs::path& file_;
    const Settings& settings_;
    const SecurityPolicy& policy_;
    Assigned& assigned_;
    Profile profile_;
};

}  // namespace

std::vector<Profile> load_profiles(const fs::path& directory, const Settings& settings, const SecurityPolicy& policy) {
    std::vector<fs::path> files;
    if (fs::exists(directory)) {
        for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
            if (entry.path().extension() == ".toml") {
                files.push_back(entry.path());
            }
        }
    }
    std::sort(files.begin(), files.end());
    Assigned assigned;
    std::vector<Profile> out;
    for (const fs::path& file : files) {
        out.push_back(Reader(file, settings, policy, assigned).read());
    }
    return out;
}

}  // namespace gearbox
