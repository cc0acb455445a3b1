// Teams as the commands name them.
#pragma once
#include "cli/session.h"

#include <string>

namespace gearbox::cli {

/// The team of that name or id, with its members. Throws ExitError(162).
Json find_team(Session& session, const std::string& word);
/// "/team/ID".
std::string team_path(Session& session, const std::string& word);

}  // namespace gearbox::cli
