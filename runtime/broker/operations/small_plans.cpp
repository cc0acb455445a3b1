// Plans of one or two steps: events, variables, deployment settings, single cartridges.
#include "broker/operations/plans.h"

#include "base/error.h"
#include "base/log.h"
#include "broker/problems.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

struct EventRow {
    GearEvent event;
    const char* name;
    const char* title;
    Recovery recovery;
};

// Start, stop and restart are finished after a crash: whoever asked saw no answer, and each may be
// done twice. Reload and tidy leave nothing half-done.
constexpr std::array<EventRow, 6> events = {{
    {GearEvent::start, "start", "Start the application", Recovery::finish},
    {GearEvent::stop, "stop", "Stop the application", Recovery::finish},
    {GearEvent::force_stop, "force-stop", "Kill the application", Recovery::finish},
    {GearEvent::restart, "restart", "Restart the application", Recovery::finish},
    {GearEvent::reload, "reload", "Reload the configuration", Recovery::abandon},
    {GearEvent::tidy, "tidy", "Tidy up logs and the repository", Recovery::abandon},
}};

void perform(NodeAgent& agent, const GearId& gear, GearEvent event) {
    switch (event) {
        case GearEvent::start:
            return agent.start(gear);
        case GearEvent::stop:
            return agent.stop(gear, false);
        case GearEvent::force_stop:
            return agent.stop(gear, true);
        case GearEvent::restart:
            return agent.restart(gear);
        case GearEvent::reload:
            return agent.reload(gear);
        case GearEvent::tidy:
            return agent.tidy(gear);
    }
}

OperationPlan make_plan(const char* kind, const Application& application, const UserId& user,
                        Recovery recovery) {
    OperationPlan plan;
    plan.kind = kind;
    plan.user = user;
    plan.subject = application.id.text();
    plan.request = Json::object();
    plan.recovery = recovery;
    return plan;
}

// Gives the thing of that id another value; undone, the one from before.
template <typename Target, typename Id, typename Value>
Op setting_step(const char* name, const char* title, const Id& id, const Value& before, const Value& after,
                Target& target, void (Target::*set)(const Id&, const Value&)) {
    return {name, title, [=, &target] { (target.*set)(id, after); }, [=, &target] { (target.*set)(id, before); }};
}

}  // namespace

const char* name_of(GearEvent event) {
    for (const EventRow& row : events) {
        if (row.event == event) {
            return row.name;
        }
    }
    return "";
}

std::optional<GearEvent> parse_gear_event(const std::string& word) {
    for (const EventRow& row : events) {
        if (word == row.name) {
            return row.event;
        }
    }
    return std::nullopt;
}

OperationPlan plan_event(const ApplicationId& application, const UserId& user, GearEvent event,
                         const Effects& e) {
    const GearId gear(application.text());
    for (const EventRow& row : events) {
        if (row.event == event) {
            OperationPlan plan;
            plan.kind = str("event-", row.name);
            plan.user = user;
            plan.subject = application.text();
            plan.request = {{"event", row.name}};
            plan.recovery = row.recovery;
            plan.steps = {
                {row.name, row.title, [gear, event, e] { perform(e.agent, gear, event); }, {}}};
            return plan;
        }
    }
    fail(ErrorKind::internal, "event without a row");
}

OperationPlan plan_set_variables(const Application& application, const UserId& user,
                                 const std::vector<EnvironmentVariable>& variables,
                                 const Effects& e) {
    OperationPlan plan = make_plan("set-variables", application, user, Recovery::undo);
    plan.steps = {
        setting_step("record", "Keep the variables", application.id, application.variables, variables, e.store,
                     &StateStore::set_variables),
        setting_step("push", "Write them to the gear", application.gear(), application.variables, variables,
                     e.agent, &NodeAgent::set_user_variables),
    };
    Json before = Json::array();
    for (const EnvironmentVariable& variable : application.variables) {
        before.push_back({variable.name, variable.value});
    }
    plan.request = {{"before", std::move(before)}};
    return plan;
}

OperationPlan plan_set_deployment(const Application& application, const UserId& user,
                                  const DeploymentSettings& settings, const Effects& e) {
    OperationPlan plan = make_plan("set-deployment", application, user, Recovery::undo);
    const DeploymentSettings& before = application.deployment;
    plan.steps = {
        setting_step("record", "Keep the settings", application.id, before, settings, e.store,
                     &StateStore::set_deployment),
        setting_step("push", "Write them to the gear", application.gear(), before, settings, e.agent,
                     &NodeAgent::set_deployment_settings),
    };
    plan.request = {{"auto_deploy", before.auto_deploy},
                    {"branch", before.branch},
                    {"keep", before.keep},
                    {"type", before.type}};
    return plan;
}

OperationPlan plan_set_resources(const Application& application, const UserId& user,
                                 const GearResources& resources, const Effects& e) {
    OperationPlan plan = make_plan("set-resources", application, user, Recovery::undo);
    const GearResources& before = application.resources;
    plan.steps = {
        setting_step("record", "Keep the limits", application.id, before, resources, e.store,
                     &StateStore::set_resources),
        setting_step("limit", "Limit the gear", application.gear(), before, resources, e.agent,
                     &NodeAgent::set_resources),
    };
    plan.request = {{"size", before.size}, {"extra_gb", before.extra_gb}};
    return plan;
}

OperationPlan plan_deploy(const Application& application, const UserId& user,
                          const DeployRequest& request, const TextSink& output, bool& is_done,
                          const Effects& e) {
    OperationPlan plan = make_plan("deploy", application, user, Recovery::abandon);
    plan.request = {{"ref", request.ref}};
    plan.steps = {{"deploy", "Build, deploy and start",
                   [gear = application.gear(), request, output, &is_done, e] {
                       is_done = e.agent.deploy(gear, request, output);
                   },
                   {}}};
    return plan;
}

OperationPlan plan_activate(const Application& application, const UserId& user,
                            const std::string& deployment, bool& is_done, const Effects& e) {
    OperationPlan plan = make_plan("activate", application, user, Recovery::abandon);
    plan.request = {{"deployment", deployment}};
    plan.steps = {{"activate", "Activate the deployment",
                   [gear = application.gear(), deployment, &is_done, e] {
                       is_done = e.agent.activate(gear, deployment, {});
                   },
                   {}}};
    return plan;
}

OperationPlan plan_set_aliases(const Application& application, const UserId& user,
                               const std::vector<Alias>& aliases,
                               const std::optional<RouterCertificate>& certificate,
                               const Effects& e) {
    OperationPlan plan = make_plan("set-aliases", application, user, Recovery::undo);
    Application after = application;
    after.aliases = aliases;
    const auto publish = [e](const Application& a) {
        return [gear = a.gear(), hosts = hosts_of(a, e.cloud_domain), e] {
            e.agent.publish_routes(gear, hosts);
        };
    };
    plan.steps = {
        {"record", "Keep the aliases",
         [id = application.id, aliases, e] { e.store.set_aliases(id, aliases); },
         [id = application.id, before = application.aliases, e] { e.store.set_aliases(id, before); }},
        {"publish", "Publish them", publish(after), publish(application)},
    };
    // Last: nothing that could fail comes after what cannot be brought back.
    if (certificate) {
        const bool had_one = std::any_of(
            application.aliases.begin(), application.aliases.end(), [&](const Alias& alias) {
                return alias.name.text() == certificate->host && alias.certificate_added != 0;
            });
        plan.steps.push_back({"set-certificate", "Install its certificate",
                              [certificate, e] {
                                  e.agent.set_certificate(certificate->host, certificate->pem);
                              },
                              [host = certificate->host, had_one, e] {
                                  if (!had_one) {
                                      e.agent.remove_certificate(host);
                                  }
                              }});
    }
    for (const Alias& alias : application.aliases) {
        const bool is_kept = std::any_of(aliases.begin(), aliases.end(), [&](const Alias& other) {
            return other.name == alias.name && other.certificate_added != 0;
        });
        if (alias.certificate_added != 0 && !is_kept) {
            const std::string name = alias.name.text();
            plan.steps.push_back({"remove-certificate-" + name, "Remove its certificate",
                                  [name, e] { e.agent.remove_certificate(name); }, {}});
        }
    }
    Json before = Json::array();
    for (const Alias& alias : application.aliases) {
        before.push_back({alias.name.text(), alias.certificate_added});
    }
    plan.request = {{"before", std::move(before)},
                    {"certificate", certificate ? certificate->host : ""}};
    return plan;
}

InstalledCartridge installed(const Cartridge& cartridge, const std::vector<CartridgeProperty>& properties,
                             std::int64_t now) {
    return {CartridgeName::parse(cartridge.full_name()).value(), properties, now, cartridge.url, cartridge.manifest};
}

Cartridge fetch_cartridge(const Effects& e, const GearId& gear, const std::string& url) {
    try {
        return e.agent.fetch_cartridge(gear, url);
    } catch (const Error& error) {
        // What cannot be fetched is a bad parameter, in the contract's terms.
        if (error.kind() != ErrorKind::invalid) {
            throw;
        }
        refuse(ErrorKind::invalid, error.text(), exit_code::cartridge, "cartridge");
    }
}

OperationPlan plan_fetch_cartridge(const Application& application, const UserId& user, const std::string& url,
                                   const CartridgeRule& rule, Cartridge& fetched, const Effects& e) {
    OperationPlan plan = make_plan("fetch-cartridge", application, user, Recovery::undo);
    plan.request = {{"url", url}};
    const GearId gear = application.gear();
    plan.steps = {{"fetch", "Fetch the cartridge",
                   [gear, url, rule, &fetched, e] {
                       fetched = fetch_cartridge(e, gear, url);
                       rule(fetched);
                   },
                   [gear, e] { e.agent.drop_fetched(gear); }}};
    return plan;
}

OperationPlan plan_add_cartridge(const Application& application, const UserId& user,
                                 const Cartridge& cartridge, const Effects& e,
                                 OperationOutput& output) {
    OperationPlan plan = make_plan("add-cartridge", application, user, Recovery::undo);
    plan.request = {{"cartridge", cartridge.full_name()}, {"url", cartridge.url}, {"manifest", cartridge.manifest}};
    const GearId gear = application.gear();
    const auto drop_fetched = [gear, is_own = cartridge.is_own(), e] {
        if (is_own) {
            e.agent.drop_fetched(gear);
        }
    };
    plan.steps = {
        {"install", "Install " + cartridge.full_name(),
         [gear, cartridge, drop_fetched, e, &output] {
             output.messages.push_back(e.agent.add_cartridge(gear, cartridge));
             drop_fetched();
         },
         [gear, cartridge, drop_fetched, e] {
             drop_fetched();
             e.agent.remove_cartridge(gear, cartridge);
         }},
        {"start", "Start it",
         [gear, cartridge, e, &output] {
             ScriptMessages& said = output.messages.front();
             if (e.agent.state(gear) == GearState::started) {
                 append(said, e.agent.control(gear, cartridge.name, "start"));
             }
             append(said, e.agent.post_install(gear, cartridge.full_name()));
         },
         {}},
        {"record", "Keep it",
         [id = application.id, cartridge, e, &output] {
             e.store.add_cartridge(id, installed(cartridge, output.messages.front().cart_data, e.clock.now()));
             give_domain_variables(e, id, cartridge.full_name(),
                                   output.messages.front().domain_variables);
         },
         [id = application.id, cartridge, e] {
             take_domain_variables(e, id, cartridge.full_name());
             e.store.remove_cartridge(id, cartridge.full_name());
         }},
    };
    return plan;
}

OperationPlan plan_remove_cartridge(const Application& application, const UserId& user,
                                    const Cartridge& cartridge, const Effects& e) {
    OperationPlan plan = make_plan("remove-cartridge", application, user, Recovery::finish);
    plan.request = {{"cartridge", cartridge.full_name()}, {"url", cartridge.url}, {"manifest", cartridge.manifest}};
    plan.steps = {
        {"remove", "Remove " + cartridge.full_name(),
         [gear = application.gear(), cartridge, e] { e.agent.remove_cartridge(gear, cartridge); },
         {}},
        {"forget", "Forget it",
         [id = application.id, cartridge, e] {
             take_domain_variables(e, id, cartridge.full_name());
             e.store.remove_cartridge(id, cartridge.full_name());
         },
         {}},
    };
    return plan;
}

OperationPlan plan_upgrade_cartridge(const Application& application, const UserId& user, const Cartridge& cartridge,
                                     CartridgeUpgrade& done, const Effects& e) {
    OperationPlan plan = make_plan("upgrade-cartridge", application, user, Recovery::finish);
    plan.request = {{"cartridge", cartridge.full_name()}};
    plan.steps = {{"upgrade", "Upgrade " + cartridge.full_name(),
                   [gear = application.gear(), cartridge, &done, e] { done = e.agent.upgrade_cartridge(gear, cartridge); },
                   {}}};
    return plan;
}

OperationPlan plan_upgrade_again(const Application& application, const UserId& user, const Cartridge& cartridge,
                                 const Effects& e) {
    OperationPlan plan = make_plan("upgrade-cartridge", application, user, Recovery::finish);
    plan.request = {{"cartridge", cartridge.full_name()}};
    plan.steps = {{"upgrade", "",
                   [gear = application.gear(), cartridge, e] {
                       try {
                           e.agent.upgrade_cartridge(gear, cartridge);
                       } catch (const Error& error) {
                           log::warning("an interrupted upgrade of ", cartridge.full_name(), " went back: ", error.text(),
                                        log::field("gear", gear.text()));
                       }
                   },
                   {}}};
    return plan;
}

}  // namespace gearbox
