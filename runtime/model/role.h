// What a member of a domain may do there (broker contract, 13).
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace gearbox {

/// In rising order: each may do what the ones before it may.
enum class Role {
    view,   ///< reads
    edit,   ///< changes applications, gets into their gears by ssh
    admin,  ///< changes members
    owner,  ///< renames, deletes, sets gear sizes; cannot be given
};

const char* name_of(Role role);
/// view, edit and admin; empty for other words.
std::optional<Role> parse_role(std::string_view word);

}  // namespace gearbox
