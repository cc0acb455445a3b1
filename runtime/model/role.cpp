#include "model/role.h"

namespace gearbox {

const char* name_of(Role role) {
    switch (role) {
        case Role::view: return "view";
        case Role::edit: return "edit";
        case Role::admin: return "admin";
        case Role::owner: return "owner";
    }
    return "";
}

std::optional<Role> parse_role(std::string_view word) {
    for (const Role role : {Role::view, Role::edit, Role::admin}) {
        if (word == name_of(role)) {
            return role;
        }
    }
    return std::nullopt;
}

}  // namespace gearbox
