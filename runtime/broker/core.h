// What every service of the broker works with; made once, in broker.h.
#pragma once
#include "base/clock.h"
#include "base/keyed_mutex.h"
#include "base/settings.h"
#include "broker/operations/plans.h"
#include "broker/operations/runner.h"
#include "broker/store/state_store.h"
#include "node/agent.h"

#include <string>

namespace gearbox {

/// Lock order: domain, teams, application. Both may be held for minutes: never by a read.
struct Core {
    const Settings& settings;
    StateStore& store;
    NodeAgent& agent;
    GearSessions& sessions;
    const Clock& clock;
    IdSource ids;
    KeyedMutex& domain_locks;       ///< by namespace; "user:ID" for a user's keys, "teams" for all
                                    ///< teams, "files:ID" for what a domain's gears get from it (taken last)
    KeyedMutex& application_locks;  ///< by application id; git pushes use the same
    OperationRunner& runner;
    Effects effects;
};

/// Who asks, and under which id their request is journalled.
struct Principal {
    User user;
    std::string scopes = "session";
    std::string request_id;
};

}  // namespace gearbox
