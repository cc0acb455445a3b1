// The plans of every operation: pure functions of facts. The steps that they return act on the
// store and the node through Effects, which must outlive the plan.
#pragma once
#include "base/clock.h"
#include "base/keyed_mutex.h"
#include "broker/operations/op.h"
#include "broker/store/state_store.h"
#include "node/agent.h"

#include <functional>
#include <string>
#include <vector>

namespace gearbox {

struct Effects {
    StateStore& store;
    NodeAgent& agent;
    const Clock& clock;
    uid_t first_uid;
    uid_t last_uid;
    std::string cloud_domain;
    KeyedMutex& domain_locks;
};

struct CreateFacts {
    Application application;            ///< its uid is chosen by the step "reserve"
    std::string login;                  ///< of the owner
    std::vector<Cartridge> cartridges;  ///< in the order of installation, the web framework first
    RepositorySource source;
    /// Of users' own cartridges, which are known only when they are there.
    std::vector<std::string> own_urls = {};
    /// Checks the whole set then and puts it in order; throws RequestError.
    std::function<std::vector<Cartridge>(std::vector<Cartridge>)> complete_set = {};
};

/// What the steps tell, for the reply.
struct OperationOutput {
    std::vector<ScriptMessages> messages;
    std::string deploy_log;  ///< the last part of it
};

/// Throws RequestError for what may not be added.
using CartridgeRule = std::function<void(const Cartridge&)>;

/// reserve, create-gear, add-cartridge-NAME… (fetch-cartridges, add-cartridges if some are users' own), create-repository, deploy, publish-routes, complete.
OperationPlan plan_create_application(const CreateFacts& facts, const Effects& effects,
                                      OperationOutput& output);
/// Only good for undoing: all that is known after a crash is the id.
OperationPlan plan_interrupted_creation(const OperationRecord& record, const Effects& effects);

/// mark, withdraw-routes, stop, destroy-gear, forget.
OperationPlan plan_delete_application(const ApplicationId& application, const UserId& user,
                                      const Effects& effects);

/// Events that act on a running gear. Pattern of section 15; checked by the caller.
enum class GearEvent { start, stop, force_stop, restart, reload, tidy };
const char* name_of(GearEvent event);
std::optional<GearEvent> parse_gear_event(const std::string& word);

OperationPlan plan_event(const ApplicationId& application, const UserId& user, GearEvent event,
                         const Effects& effects);

OperationPlan plan_set_variables(const Application& application, const UserId& user,
                                 const std::vector<EnvironmentVariable>& variables,
                                 const Effects& effects);
OperationPlan plan_set_deployment(const Application& application, const UserId& user,
                                  const DeploymentSettings& settings, const Effects& effects);
OperationPlan plan_set_resources(const Application& application, const UserId& user,
                                 const GearResources& resources, const Effects& effects);
/// A user's own, into the gear: plan_add_cartridge is next.
OperationPlan plan_fetch_cartridge(const Application& application, const UserId& user, const std::string& url,
                                   const CartridgeRule& rule, Cartridge& fetched, const Effects& effects);
/// As it is kept.
InstalledCartridge installed(const Cartridge& cartridge, const std::vector<CartridgeProperty>& properties,
                             std::int64_t now);
/// Fetches it, for a refusal with the contract's words.
Cartridge fetch_cartridge(const Effects& effects, const GearId& gear, const std::string& url);
OperationPlan plan_add_cartridge(const Application& application, const UserId& user,
                                 const Cartridge& cartridge, const Effects& effects,
                                 OperationOutput& output);
OperationPlan plan_remove_cartridge(const Application& application, const UserId& user,
                                    const Cartridge& cartridge, const Effects& effects);

/// To the packaging on offer; after a crash once more. Both put right by themselves what fails.
OperationPlan plan_upgrade_cartridge(const Application& application, const UserId& user, const Cartridge& cartridge,
                                     CartridgeUpgrade& done, const Effects& effects);
/// The same for the recovery, where nobody waits for the reason.
OperationPlan plan_upgrade_again(const Application& application, const UserId& user, const Cartridge& cartridge,
                                 const Effects& effects);

/// A deployment without a push, and the activation of a kept one. is_done tells whether it worked;
/// both put right by themselves what failed.
OperationPlan plan_deploy(const Application& application, const UserId& user,
                          const DeployRequest& request, const TextSink& output, bool& is_done,
                          const Effects& effects);
OperationPlan plan_activate(const Application& application, const UserId& user,
                            const std::string& deployment, bool& is_done, const Effects& effects);

/// A certificate for one of the aliases; "" for the pem when only the undo is of use.
struct RouterCertificate {
    std::string host;
    std::string pem;
};

/// Another set of aliases: kept, published, with a certificate for one of them; the certificates of
/// those that go removed.
OperationPlan plan_set_aliases(const Application& application, const UserId& user,
                               const std::vector<Alias>& aliases,
                               const std::optional<RouterCertificate>& certificate,
                               const Effects& effects);

/// Gives every application of the domain these variables of a cartridge; 403/134 for a clash.
void give_domain_variables(const Effects& effects, const ApplicationId& application,
                           const std::string& cartridge,
                           const std::vector<DomainVariable>& variables);
void take_domain_variables(const Effects& effects, const ApplicationId& application,
                           const std::string& cartridge);
/// Removes it from the store, and the variables that it gave from the gears of its domain.
void forget_application(const Effects& effects, const ApplicationId& application);

/// The hosts that lead to an application: APP-DOMAIN.SUFFIX, APP-DOMAIN.localhost, which every
/// browser resolves by itself, and its aliases.
std::vector<std::string> hosts_of(const Application& application, const std::string& cloud_domain);

/// The keys of the domain's owner and of the members who may edit, for authorized_keys.
std::vector<PublicKey> authorized_keys(const StateStore& store, const DomainId& domain);

// gear_access.cpp: these need no lock of the application, so that a key that was revoked does not
// stay good because a push takes long.
/// Writes who may log in to the application's gear, unless it is being made or removed.
void write_keys(const Effects& effects, const Application& application);
/// The last step of making one: who may log in, the domain's variables; from then on it is ready.
void complete_gear(const Effects& effects, const Application& application);
/// From then on nothing is written to its gear any more.
void mark_for_deletion(const Effects& effects, const ApplicationId& application);

}  // namespace gearbox
