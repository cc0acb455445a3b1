// How an application is shown, shared by create and show.
#pragma once
#include "cli/session.h"

namespace gearbox::cli {

/// URL, git URL, cartridges with their connection values.
void print_application(Session& session, const Json& application);

/// Clones the application's source into the directory, with the ssh options in the clone's settings.
int clone_repository(Session& session, const Json& application, const std::string& directory);

/// The application's data with the addresses that hold from here: url, clone_url, ssh_target.
Json with_addresses(const Session& session, Json application);

}  // namespace gearbox::cli
