// Request bodies as typed requests: every problem of a body is collected, with its field.
#pragma once
#include "rest/message.h"

namespace gearbox::rest {

/// Reads members of the parameters; a value of the wrong type is a problem and reads as absent.
class Fields {
public:
    Fields(const Json& params, Problems& problems) : params_(params), problems_(problems) {}

    /// Absent and null are empty.
    std::optional<std::string> text(const char* name, int exit_code);
    /// The first of the names that is there: older clients use other names.
    std::optional<std::string> text_of(std::initializer_list<const char*> names, int exit_code);
    /// JSON booleans, "true" and "false" in any case; else problem 167.
    std::optional<bool> boolean(const char* name);
    std::optional<std::int64_t> integer(const char* name, int exit_code);
    std::optional<std::vector<std::string>> texts(const char* name, int exit_code);
    /// The raw value, null if absent.
    const Json& raw(const char* name) const;

private:
    const Json& params_;
    Problems& problems_;
};

CreateApplication parse_create_application(const Json& params);
DomainChange parse_domain_change(const Json& params, Problems& problems);
/// [{"login" or "id", "role", "type"}] of "members", or one such object in the parameters. A role
/// that is not given is the one named here, or a problem.
std::vector<MemberChange> parse_member_changes(const Json& params, Problems& problems,
                                               const std::optional<std::string>& role = {});
/// The word of "role"; empty for "none".
std::optional<Role> parse_member_role(const Json& params, Problems& problems,
                                      const std::optional<std::string>& otherwise = {});
DeploymentChange parse_deployment_change(const Json& params, Problems& problems);
AuthorizationRequest parse_authorization(const Json& params, Problems& problems);
/// The word of "name", or of "cartridge" as text or object.
CartridgeWish parse_cartridge_wish(const Json& params, Problems& problems);
/// [{"name","value"}]; entries without value remove when removal is allowed.
std::vector<VariableChange> parse_variables(const Json& list, bool is_removal_allowed,
                                            Problems& problems);

}  // namespace gearbox::rest
