// What a program runs in a gear for. With SELinux each has a domain of its own
// (node/security_policy.cpp).
#pragma once

namespace gearbox {

enum class Purpose {
    git,       ///< git on the repository, and its hooks
    init,      ///< the sandbox's PID 1
    service,   ///< control scripts of cartridges, and what they start
    database,  ///< the same of database cartridges
    build,     ///< setup, build and deployment, and the hooks around them
    session,   ///< what the owner runs through ssh
};

}  // namespace gearbox
