#include "rest/payloads.h"

#include <algorithm>
#include <charconv>

namespace gearbox::rest {

namespace {

constexpr std::size_t most_cartridges = 32;
constexpr std::size_t most_entries = 1000;
const Json nothing = nullptr;

// A number given as JSON or, in a form, as text.
std::optional<std::int64_t> parse_integer(const Json& value) {
    if (value.is_number_integer() &&
        !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX)) {
        return value.get<std::int64_t>();
    }
    if (!value.is_string()) {
        return std::nullopt;
    }
    const auto& text = value.get_ref<const std::string&>();
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(number) : std::nullopt;
}

void parse_wish(const Json& entry, CreateApplication& request) {
    if (entry.is_string()) {
        request.cartridges.push_back({entry.get<std::string>(), "", "", std::nullopt});
        return;
    }
    if (!entry.is_object()) {
        request.problems.add("Each cartridge must be a name or an object", exit_code::cartridge,
                             "cartridge");
        return;
    }
    Fields fields(entry, request.problems);
    CartridgeWish wish;
    wish.name = fields.text_of({"name", "id"}, exit_code::cartridge).value_or("");
    wish.url = fields.text("url", exit_code::cartridge).value_or("");
    wish.gear_size = fields.text_of({"gear_size", "gear_profile"}, exit_code::gear_size).value_or("");
    constexpr int storage_not_a_number = 165;
    wish.additional_storage = fields.integer("additional_gear_storage", storage_not_a_number);
    constexpr int bad_scale = 168;
    fields.integer("scales_from", bad_scale);
    fields.integer("scales_to", bad_scale);
    request.cartridges.push_back(std::move(wish));
}

void parse_wishes(const Json& params, CreateApplication& request) {
    const Fields fields(params, request.problems);
    const Json& list =
        fields.raw("cartridges").is_null() ? fields.raw("cartridge") : fields.raw("cartridges");
    if (list.is_string() || list.is_object()) {
        return parse_wish(list, request);
    }
    if (list.is_null()) {
        return;  // the rule for web cartridges tells what is missing
    }
    if (!list.is_array() || list.size() > most_cartridges) {
        request.problems.add("Cartridges must be a list of names or objects, at most 32",
                             exit_code::cartridge, "cartridge");
        return;
    }
    for (const Json& entry : list) {
        parse_wish(entry, request);
    }
}

}  // namespace

const Json& Fields::raw(const char* name) const {
    const auto found = params_.find(name);
    return found == params_.end() ? nothing : *found;
}

std::optional<std::string> Fields::text(const char* name, int exit_code) {
    const Json& value = raw(name);
    if (value.is_null()) {
        return std::nullopt;
    }
    if (!value.is_string()) {
        problems_.add(str("'", name, "' must be a string"), exit_code, name);
        return std::nullopt;
    }
    return value.get<std::string>();
}

std::optional<std::string> Fields::text_of(std::initializer_list<const char*> names, int exit_code) {
    for (const char* name : names) {
        if (!raw(name).is_null()) {
            return text(name, exit_code);
        }
    }
    return std::nullopt;
}

std::optional<bool> Fields::boolean(const char* name) {
    const Json& value = raw(name);
    if (value.is_null()) {
        return std::nullopt;
    }
    if (value.is_boolean()) {
        return value.get<bool>();
    }
    const std::string word = value.is_string() ? to_lower(value.get<std::string>()) : "";
    if (word != "true" && word != "false") {
        problems_.add(str("Invalid value for '", name, "'. Valid options: [true, false]"),
                      exit_code::not_boolean, name);
        return std::nullopt;
    }
    return word == "true";
}

std::optional<std::int64_t> Fields::integer(const char* name, int exit_code) {
    const Json& value = raw(name);
    if (value.is_null()) {
        return std::nullopt;
    }
    const auto number = parse_integer(value);
    if (!number) {
        problems_.add(str("'", name, "' must be a whole number"), exit_code, name);
    }
    return number;
}

std::optional<std::vector<std::string>> Fields::texts(const char* name, int exit_code) {
    const Json& value = raw(name);
    if (value.is_null()) {
        return std::nullopt;
    }
    std::vector<std::string> out;
    // A form has no empty list: "a[]=" or "a=" stands for it.
    if (value.is_string() && value.get_ref<const std::string&>().empty()) {
        return out;
    }
    const bool is_list = value.is_array() && value.size() <= most_entries &&
                         std::all_of(value.begin(), value.end(),
                                     [](const Json& entry) { return entry.is_string(); });
    if (!is_list) {
        problems_.add(str("'", name, "' must be a list of strings"), exit_code, name);
        return std::nullopt;
    }
    for (const Json& entry : value) {
        if (!entry.get_ref<const std::string&>().empty()) {
            out.push_back(entry.get<std::string>());
        }
    }
    return out;
}

std::vector<VariableChange> parse_variables(const Json& list, bool is_removal_allowed,
                                            Problems& problems) {
    std::vector<VariableChange> out;
    if (list.is_null()) {
        return out;
    }
    if (!list.is_array() || list.size() > most_entries) {
        problems.add("environment_variables must be a list of {name, value}", exit_code::variables,
                     "environment_variables");
        return out;
    }
    for (const Json& entry : list) {
        const Json& name = entry.is_object() && entry.contains("name") ? entry.at("name") : nothing;
        const Json& value = entry.is_object() && entry.contains("value") ? entry.at("value") : nothing;
        if (!name.is_string()) {
            problems.add("Each environment variable must be an object with a name",
                         exit_code::variables, "environment_variables");
        } else if (value.is_string() || value.is_number() || value.is_boolean()) {
            out.push_back({name.get<std::string>(),
                           value.is_string() ? value.get<std::string>() : to_text(value)});
        } else if (value.is_null() && is_removal_allowed) {
            out.push_back({name.get<std::string>(), std::nullopt});
        } else {
            problems.add(str("Environment variable '", shown(name.get<std::string>()),
                             "' needs a value that is a string"),
                         exit_code::variable_value, "environment_variables");
        }
    }
    return out;
}

std::optional<Role> parse_member_role(const Json& params, Problems& problems,
                                      const std::optional<std::string>& otherwise) {
    Fields fields(params, problems);
    auto word = fields.text("role", exit_code::members);
    if (!word) {
        word = otherwise;
    }
    const auto role = parse_role(word.value_or(""));
    if (!role && word != "none" && problems.empty()) {
        problems.add(str("The role '", shown(word.value_or("")),
                         "' is not valid. Valid roles: view, edit, admin, none"),
                     exit_code::members, "role");
    }
    return role;
}

std::vector<MemberChange> parse_member_changes(const Json& params, Problems& problems,
                                               const std::optional<std::string>& role) {
    const Json& given = Fields(params, problems).raw("members");
    const Json list = given.is_null() ? Json::array({params}) : given;
    std::vector<MemberChange> out;
    if (!list.is_array() || list.empty() || list.size() > most_entries) {
        problems.add("members must be a list of {login or id, role}", exit_code::members, "members");
        return out;
    }
    for (const Json& entry : list) {
        if (!entry.is_object()) {
            problems.add("Each member must be an object with login or id, and role",
                         exit_code::members, "members");
            continue;
        }
        Fields fields(entry, problems);
        MemberChange change;
        change.login = fields.text("login", exit_code::members).value_or("");
        change.id = fields.text("id", exit_code::members).value_or("");
        const std::string type = fields.text("type", exit_code::members).value_or("user");
        change.is_team = type == "team";
        if (!change.is_team && type != "user") {
            problems.add(str("The type '", shown(type), "' is not valid. Valid types: user, team"),
                         exit_code::members, "type");
        } else if (change.is_team && change.id.empty()) {
            problems.add("A team is given by its id", exit_code::members, "members");
        } else if (change.login.empty() && change.id.empty()) {
            problems.add("Each member needs a login or an id", exit_code::members, "members");
        }
        change.role = parse_member_role(entry, problems, role);
        out.push_back(std::move(change));
    }
    return out;
}

DeploymentChange parse_deployment_change(const Json& params, Problems& problems) {
    Fields fields(params, problems);
    DeploymentChange change;
    change.auto_deploy = fields.boolean("auto_deploy");
    change.branch = fields.text("deployment_branch", exit_code::unspecified);
    change.keep = fields.integer("keep_deployments", exit_code::unspecified);
    change.type = fields.text("deployment_type", exit_code::unspecified);
    return change;
}

CreateApplication parse_create_application(const Json& params) {
    CreateApplication request;
    Fields fields(params, request.problems);
    request.region = fields.text("region", exit_code::unspecified).value_or("");
    request.initial_git_url = fields.text("initial_git_url", exit_code::git_url).value_or("");
    request.initial_git_branch = fields.text("initial_git_branch", exit_code::git_url).value_or("");
    parse_wishes(params, request);
    request.gear_size =
        fields.text_of({"gear_size", "gear_profile"}, exit_code::gear_size).value_or("");
    request.ha = fields.boolean("ha").value_or(false);
    request.scale = fields.boolean("scale").value_or(false);
    request.name = fields.text("name", exit_code::application_name).value_or("");
    for (const VariableChange& variable :
         parse_variables(fields.raw("environment_variables"), false, request.problems)) {
        request.variables.push_back({variable.name, variable.value.value_or("")});
    }
    if (const Json& config = fields.raw("config"); config.is_object()) {
        const DeploymentChange change = parse_deployment_change(config, request.problems);
        request.deployment = apply(change, {}, request.problems);
    } else if (!config.is_null()) {
        request.problems.add("'config' must be an object", exit_code::unspecified, "config");
    }
    return request;
}

DomainChange parse_domain_change(const Json& params, Problems& problems) {
    Fields fields(params, problems);
    DomainChange change;
    change.name = fields.text_of({"name", "id", "namespace"}, exit_code::namespace_name);
    change.gear_sizes = fields.texts("allowed_gear_sizes", exit_code::gear_sizes);
    return change;
}

AuthorizationRequest parse_authorization(const Json& params, Problems& problems) {
    Fields fields(params, problems);
    AuthorizationRequest request;
    request.scopes = fields.text_of({"scope", "scopes"}, exit_code::unspecified).value_or("");
    request.note = fields.text("note", exit_code::unspecified).value_or("");
    request.expires_in = fields.integer("expires_in", exit_code::unspecified);
    request.reuse = fields.boolean("reuse").value_or(false);
    return request;
}

CartridgeWish parse_cartridge_wish(const Json& params, Problems& problems) {
    const Fields outer(params, problems);
    const Json* source = &params;
    const Json& list = outer.raw("cartridges");
    const Json& one = list.is_array() && list.size() == 1 ? list.at(0) : outer.raw("cartridge");
    if (one.is_string()) {
        return {one.get<std::string>(), "", "", std::nullopt};
    }
    if (one.is_object()) {
        source = &one;
    }
    Fields fields(*source, problems);
    const auto url = fields.text("url", exit_code::cartridge).value_or("");
    const auto name = fields.text_of({"name", "id"}, exit_code::cartridge).value_or("");
    if (url.empty() && name.empty() && problems.empty()) {
        problems.add("A cartridge name is required", exit_code::cartridge, "cartridge");
    } else if (!url.empty() && !name.empty()) {
        problems.add("Each cartridge must have either a name or a url", exit_code::cartridge, "cartridge");
    }
    return {name, url, "", std::nullopt};
}

}  // namespace gearbox::rest
