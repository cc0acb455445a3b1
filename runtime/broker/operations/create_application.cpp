#include "broker/operations/plans.h"

#include "broker/problems.h"

#include <memory>

namespace gearbox {

namespace {

constexpr std::size_t deploy_log_kept = 10 * 1024;

GearSpec make_gear_spec(const CreateFacts& facts, uid_t uid, const std::string& cloud_domain) {
    const Application& application = facts.application;
    GearSpec spec;
    spec.id = application.gear();
    spec.application = application.id;
    spec.uid = uid;
    spec.application_name = application.name;
    spec.domain = application.domain_name;
    spec.dns = application_host(application, cloud_domain);
    spec.login = facts.login;
    spec.secret_token = application.secret_token;
    spec.deployment = application.deployment;
    spec.user_variables = application.variables;
    spec.resources = application.resources;
    return spec;
}

Op reserve_step(std::shared_ptr<const CreateFacts> facts, const Effects& e) {
    return {"reserve", "Reserve the name and a user id",
            [facts, e] {
                e.store.reserve_application(facts->application, e.first_uid, e.last_uid,
                                            e.agent.foreign_ids(e.first_uid, e.last_uid));
            },
            [id = facts->application.id, e] { forget_application(e, id); }};
}

Op create_gear_step(std::shared_ptr<const CreateFacts> facts, const Effects& e) {
    return {"create-gear", "Create the gear",
            [facts, e] {
                const auto record = e.store.find_application(facts->application.id.text());
                e.agent.create_gear(make_gear_spec(*facts, record.value().value.uid, e.cloud_domain));
                const auto given = e.store.domain_variables(facts->application.domain);
                if (!given.empty()) {
                    e.agent.set_domain_variables(facts->application.gear(), given);
                }
            },
            [application = facts->application, e] {
                mark_for_deletion(e, application.id);
                e.agent.destroy_gear(application.gear());
            }};
}

void add_cartridge(const CreateFacts& facts, const Cartridge& cartridge, const Effects& e, OperationOutput& output) {
    ScriptMessages said = e.agent.add_cartridge(facts.application.gear(), cartridge);
    e.store.add_cartridge(facts.application.id, installed(cartridge, said.cart_data, e.clock.now()));
    give_domain_variables(e, facts.application.id, cartridge.full_name(), said.domain_variables);
    output.messages.push_back(std::move(said));
}

Op add_cartridge_step(std::shared_ptr<const CreateFacts> facts, const Cartridge& cartridge,
                      const Effects& e, OperationOutput& output) {
    return {"add-cartridge-" + cartridge.name, str("Install ", cartridge.display_name.empty()
                                                                   ? cartridge.full_name()
                                                                   : cartridge.display_name),
            [facts, cartridge, e, &output] { add_cartridge(*facts, cartridge, e, output); },
            {}};
}

// What a user's own cartridge is, its manifest tells when it is there: until then nobody knows the set.
std::vector<Op> own_cartridge_steps(std::shared_ptr<const CreateFacts> facts, const Effects& e,
                                    OperationOutput& output) {
    const auto set = std::make_shared<std::vector<Cartridge>>(facts->cartridges);
    const GearId gear = facts->application.gear();
    return {{"fetch-cartridges", "Fetch the cartridges",
             [facts, set, gear, e] {
                 for (const std::string& url : facts->own_urls) {
                     set->push_back(fetch_cartridge(e, gear, url));
                 }
                 *set = facts->complete_set(std::move(*set));
             },
             {}},
            {"add-cartridges", "Install the cartridges",
             [facts, set, gear, e, &output] {
                 for (const Cartridge& cartridge : *set) {
                     add_cartridge(*facts, cartridge, e, output);
                 }
                 e.agent.drop_fetched(gear);
             },
             {}}};
}

Op create_repository_step(std::shared_ptr<const CreateFacts> facts, const Effects& e) {
    return {"create-repository", "Create the git repository",
            [facts, e] {
                try {
                    e.agent.create_repository(facts->application.gear(), facts->source);
                } catch (const Error& error) {
                    // What cannot be cloned is a bad parameter, in the contract's terms.
                    if (error.kind() != ErrorKind::invalid) {
                        throw;
                    }
                    refuse(ErrorKind::invalid, error.text(), exit_code::git_url, "initial_git_url");
                }
            },
            {}};
}

// output begins with what installing each of them said.
void finish_cartridges(const ApplicationId& id, const Effects& e, OperationOutput& output) {
    const auto application = e.store.find_application(id.text());
    std::size_t number = 0;
    for (const InstalledCartridge& cartridge : application.value().value.cartridges) {
        ScriptMessages& said = output.messages.at(number++);
        append(said, e.agent.post_install(application->value.gear(), cartridge.name.text()));
        if (said.cart_data != cartridge.properties) {
            e.store.set_properties(id, cartridge.name.text(), said.cart_data);
        }
        give_domain_variables(e, id, cartridge.name.text(), said.domain_variables);
    }
}

Op deploy_step(std::shared_ptr<const CreateFacts> facts, const Effects& e, OperationOutput& output) {
    return {"deploy", "Build, deploy and start",
            [facts, e, &output] {
                const TextSink sink = [&output](std::string_view text) {
                    output.deploy_log += text;
                    if (output.deploy_log.size() > 2 * deploy_log_kept) {
                        output.deploy_log.erase(0, output.deploy_log.size() - deploy_log_kept);
                    }
                };
                output.messages.push_back(
                    e.agent.deploy_initially(facts->application.gear(), sink));
                finish_cartridges(facts->application.id, e, output);
            },
            {}};
}

}  // namespace

std::vector<std::string> hosts_of(const Application& application, const std::string& cloud_domain) {
    std::vector<std::string> hosts = {application_host(application, cloud_domain)};
    if (cloud_domain != "localhost") {
        hosts.push_back(application_host(application, "localhost"));
    }
    for (const Alias& alias : application.aliases) {
        hosts.push_back(alias.name.text());
    }
    return hosts;
}

std::vector<PublicKey> authorized_keys(const StateStore& store, const DomainId& domain) {
    std::vector<UserId> users;
    if (const auto found = store.find_domain(domain)) {
        users.push_back(found->owner);
    }
    for (const auto& [person, role] : store.people(domain)) {
        if (role >= Role::edit && (users.empty() || person != users.front())) {
            users.push_back(person);
        }
    }
    std::vector<PublicKey> keys;
    for (const UserId& id : users) {
        const auto user = store.find_user(id);
        for (const KeyRecord& key : store.keys(id)) {
            keys.push_back({key.type, key.content, key.name.text(), user ? user->login.text() : ""});
        }
    }
    return keys;
}

OperationPlan plan_create_application(const CreateFacts& create_facts, const Effects& e,
                                      OperationOutput& output) {
    const auto facts = std::make_shared<const CreateFacts>(create_facts);
    const Application& application = facts->application;
    const GearId gear = application.gear();
    OperationPlan plan;
    plan.kind = "create-application";
    plan.user = application.owner;
    plan.subject = application.id.text();
    plan.request = {{"name", application.name.text()}, {"domain", application.domain_name.text()}};
    plan.recovery = Recovery::undo;
    plan.steps.push_back(reserve_step(facts, e));
    plan.steps.push_back(create_gear_step(facts, e));
    if (facts->own_urls.empty()) {
        for (const Cartridge& cartridge : facts->cartridges) {
            plan.steps.push_back(add_cartridge_step(facts, cartridge, e, output));
        }
    } else {
        for (Op& step : own_cartridge_steps(facts, e, output)) {
            plan.steps.push_back(std::move(step));
        }
    }
    plan.steps.push_back(create_repository_step(facts, e));
    plan.steps.push_back(deploy_step(facts, e, output));
    plan.steps.push_back({"publish-routes", "Publish the address",
                          [facts, gear, e] {
                              e.agent.publish_routes(gear,
                                                     hosts_of(facts->application, e.cloud_domain));
                          },
                          {}});
    // The commit point: from here on the application is whole (see plan_interrupted_creation).
    plan.steps.push_back({"complete", "Hand it over",
                          [facts, e] { complete_gear(e, facts->application); },
                          {}});
    return plan;
}

OperationPlan plan_interrupted_creation(const OperationRecord& record, const Effects& e) {
    OperationPlan plan;
    plan.kind = record.kind;
    plan.user = record.user;
    plan.subject = record.subject;
    plan.request = record.request;
    const auto kept = e.store.find_application(record.subject);
    if (kept && kept->stage == Stage::ready) {
        plan.recovery = Recovery::finish;  // nothing was left but the journal's last line
        return plan;
    }
    plan.recovery = Recovery::undo;
    const ApplicationId id(record.subject);
    const GearId gear(record.subject);
    plan.steps.push_back(
        {"reserve", "", {}, [id, e] { forget_application(e, id); }});
    plan.steps.push_back({"create-gear", "", {}, [gear, e] { e.agent.destroy_gear(gear); }});
    return plan;
}

}  // namespace gearbox
