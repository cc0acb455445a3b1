// The broker: all of its services, made in the order of their needs.
#pragma once
#include "broker/applications.h"
#include "broker/authorizations.h"
#include "broker/catalogue.h"
#include "broker/core.h"
#include "broker/domains.h"
#include "broker/keys.h"
#include "broker/login_guard.h"
#include "broker/members.h"
#include "broker/operations/reconciler.h"
#include "broker/passwords.h"
#include "broker/quickstarts.h"
#include "broker/teams.h"
#include "broker/users.h"

namespace gearbox {

/// What the broker is given: everything must outlive it.
struct BrokerParts {
    const Settings& settings;
    StateStore& store;
    NodeAgent& agent;
    GearSessions& sessions;
    const Clock& clock;
    IdSource ids;
    KeyedMutex& application_locks;
    std::string token_secret_file;
};

struct Broker {
    explicit Broker(const BrokerParts& parts)
        : runner(parts.store, parts.clock, parts.ids, parts.settings.testing.crash_at,
                 [&agent = parts.agent] { agent.flush(); }),
          core{parts.settings, parts.store, parts.agent, parts.sessions, parts.clock, parts.ids, domain_locks,
               parts.application_locks, runner,
               Effects{parts.store, parts.agent, parts.clock,
                       static_cast<uid_t>(parts.settings.node.min_uid),
                       static_cast<uid_t>(parts.settings.node.max_uid),
                       parts.settings.broker.cloud_domain, domain_locks}},
          passwords(parts.clock),
          login_guard(parts.clock),
          tokens(parts.token_secret_file),
          users(core, passwords),
          keys(core),
          authorizations(core, tokens),
          catalogue(core),
          applications(core, catalogue),
          domains(core,
                  [this](const Principal& who, const Application& application) {
                      applications.remove(who, application);
                  }),
          members(core),
          teams(core),
          quickstarts(parts.settings.node.quickstart_dir,
                      [this](const Quickstart& quickstart) { return why_not(quickstart); }),
          reconciler(core) {}
    Broker(const Broker&) = delete;
    Broker& operator=(const Broker&) = delete;

    KeyedMutex domain_locks;
    OperationRunner runner;
    Core core;
    Passwords passwords;
    LoginGuard login_guard;
    Tokens tokens;
    UserService users;
    KeyService keys;
    AuthorizationService authorizations;
    CartridgeCatalogue catalogue;
    ApplicationService applications;
    DomainService domains;
    MemberService members;
    TeamService teams;
    QuickstartCatalogue quickstarts;
    Reconciler reconciler;

private:
    std::string why_not(const Quickstart& quickstart) const {
        std::vector<std::string> cartridges;
        for (const std::string& word : quickstart.cartridges) {
            if (catalogue.match(word).empty()) {
                cartridges.push_back(word);
            }
        }
        return lacking(cartridges, core.agent.missing_packages(quickstart.packages));
    }
};

}  // namespace gearbox
