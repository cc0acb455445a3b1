#include "broker/applications.h"

#include "base/log.h"
#include "broker/access.h"

#include <algorithm>

namespace gearbox {

namespace {

constexpr std::size_t secret_token_bytes = 96;  // 128 url-safe base64 characters

[[noreturn]] void refuse_unknown(const std::string& name) {
    refuse(ErrorKind::not_found, str("Application '", shown(name), "' not found."),
           exit_code::application_not_found);
}

std::vector<Application> shown_ones(std::vector<ApplicationRecord> records) {
    std::vector<Application> out;
    for (ApplicationRecord& record : records) {
        if (record.stage != Stage::creating) {
            out.push_back(std::move(record.value));
        }
    }
    return out;
}

const Deployment& latest(const std::vector<Deployment>& all) {
    return *std::max_element(all.begin(), all.end(), [](const Deployment& a, const Deployment& b) {
        return a.activations < b.activations;
    });
}

}  // namespace

RepositorySource ApplicationService::source_of(const CreateApplication& request) const {
    RepositorySource source;
    if (request.initial_git_url == "empty") {
        source.kind = RepositorySource::Kind::empty;
    } else if (!request.initial_git_url.empty()) {
        source.kind = RepositorySource::Kind::git;
        source.git =
            parse_git_source(request.initial_git_url, core_.settings.node.quickstart_dir).value();
        if (source.git.branch.empty()) {
            source.git.branch = request.initial_git_branch;
        }
    }
    return source;
}

Created ApplicationService::create(const Principal& who, const std::string& domain_name,
                                   const CreateApplication& request, DomainService& domains) {
    const auto existing = core_.store.find_domain(to_lower(domain_name));
    if (existing) {
        domains.domain(who, domain_name);  // throws for strangers
    }
    if (!existing) {
        parse_namespace(domain_name);
    }
    Problems problems = request.problems;
    CreateFacts facts;
    // Gears count against the owner of the domain, whoever makes them.
    const User owner = existing ? core_.store.find_user(existing->owner).value_or(who.user) : who.user;
    CheckedCreation checked = check_creation(
        request,
        {owner, core_.store.gears_of(owner.id), core_.settings.size_names(),
         existing ? existing->gear_sizes : owner.gear_sizes, core_.settings},
        catalogue_, problems);
    facts.cartridges = std::move(checked.cartridges);
    facts.own_urls = std::move(checked.own_urls);
    facts.complete_set = [this](std::vector<Cartridge> set) {
        Problems wrong;
        check_set(set, catalogue_, wrong);
        wrong.check();
        return in_configure_order(std::move(set));
    };
    const auto name = ApplicationName::parse(request.name);
    if (existing && name && core_.store.find_application(existing->id, name->text())) {
        problems.add(str("The supplied application name '", name->text(), "' already exists"),
                     exit_code::application_exists, "name");
    }
    problems.check();
    facts.application = make_application(request, *name);
    facts.application.resources.size = checked.gear_size;
    facts.login = owner.login.text();
    facts.source = source_of(request);
    if (existing) {
        return run_creation(who, *existing, std::move(facts), domains);
    }
    const auto [domain, is_new] = ensure_domain(who, domain_name, domains);
    try {
        return run_creation(who, domain, std::move(facts), domains);
    } catch (...) {
        if (is_new) {
            domains.remove_if_empty(domain);
        }
        throw;
    }
}

std::pair<Domain, bool> ApplicationService::ensure_domain(const Principal& who,
                                                          const std::string& name,
                                                          DomainService& domains) const {
    try {
        return {domains.create(who, {name, {}}), true};
    } catch (const RequestError&) {
        // Another request of this user may have made it in the same moment.
        const auto found = core_.store.find_domain(to_lower(name));
        if (!found || found->owner != who.user.id) {
            throw;
        }
        return {*found, false};
    }
}

Application ApplicationService::make_application(const CreateApplication& request,
                                                 const ApplicationName& name) const {
    Application application;
    application.id = ApplicationId(core_.ids());
    application.name = name;
    application.initial_git_url = public_git_url(request.initial_git_url);
    application.secret_token = random_base64(secret_token_bytes);
    application.deployment = request.deployment;
    application.variables = request.variables;
    // Cartridges of one gear share its disk.
    for (const CartridgeWish& wish : request.cartridges) {
        application.resources.extra_gb =
            std::max(application.resources.extra_gb, wish.additional_storage.value_or(0));
    }
    application.created = core_.clock.now();
    return application;
}

Created ApplicationService::run_creation(const Principal& who, const Domain& seen,
                                         CreateFacts facts, DomainService& domains) {
    std::optional domain_lock(core_.domain_locks.lock(seen.name.text()));
    // Again, now that nobody can rename or delete it.
    const Domain domain = domains.domain(who, seen.name.text());
    Application& application = facts.application;
    application.domain = domain.id;
    application.domain_name = domain.name;
    application.owner = domain.owner;
    for (const Cartridge& cartridge : facts.cartridges) {
        check_scope(application, cartridge);
    }
    const auto lock = core_.application_locks.lock(application.id.text());
    Created created;
    const OperationPlan plan = plan_create_application(facts, core_.effects, created.output);
    // Once the name is reserved, others may use the domain again.
    core_.runner.run(plan, who.request_id, [&](const Op& op) {
        if (op.name == "reserve") {
            domain_lock.reset();
        }
    });
    created.application = this->application(who, application.id.text());
    return created;
}

std::vector<Application> ApplicationService::list(const Principal& who) const {
    auto found = shown_ones(core_.store.applications_of(who.user.id));
    std::erase_if(found, [&](const Application& application) {
        return !may_see(who, {application.domain, application.id});
    });
    return found;
}

std::vector<Application> ApplicationService::list(const Domain& domain) const {
    return shown_ones(core_.store.applications(domain.id));
}

Application ApplicationService::application(const Principal& who, const std::string& id) const {
    auto found = core_.store.find_application(id);
    if (!found || found->stage == Stage::creating ||
        !role_in(core_.store, who.user.id, found->value.domain)) {
        refuse_unknown(id);
    }
    return std::move(found->value);
}

Application ApplicationService::application(const Domain& domain, const std::string& name) const {
    auto found = core_.store.find_application(domain.id, to_lower(name));
    if (!found || found->stage == Stage::creating) {
        refuse_unknown(name);
    }
    return std::move(found->value);
}

void ApplicationService::remove(const Principal& who, const Application& application) {
    const auto lock = wait_for_lock(application);
    if (!core_.store.find_application(application.id.text())) {
        refuse_unknown(application.name.text());
    }
    core_.runner.run(plan_delete_application(application.id, who.user.id, core_.effects),
                     who.request_id);
}

KeyedMutex::Lock ApplicationService::wait_for_lock(const Application& application) const {
    const std::chrono::seconds patience(core_.settings.broker.lock_wait_seconds);
    auto lock = core_.application_locks.lock_within(application.id.text(), patience);
    if (!lock) {
        refuse(ErrorKind::unavailable, busy_text(application.name, patience), exit_code::unspecified);
    }
    return std::move(*lock);
}

KeyedMutex::Lock ApplicationService::lock_ready(const Application& application,
                                                Application& current) const {
    auto lock = wait_for_lock(application);
    auto found = core_.store.find_application(application.id.text());
    if (!found || found->stage != Stage::ready) {
        refuse_unknown(application.name.text());
    }
    current = std::move(found->value);
    return lock;
}

GearState ApplicationService::state(const Application& application) const {
    return core_.agent.state(application.gear());
}

std::vector<Deployment> ApplicationService::deployments(const Application& application) const {
    return core_.agent.deployments(application.gear());
}

std::vector<GearEndpoint> ApplicationService::endpoints(const Application& application) const {
    return core_.agent.endpoints(application.gear());
}

Deployment ApplicationService::deploy(const Principal& who, const Application& application,
                                      const DeployRequest& request) {
    if (!request.artifact_url.empty()) {
        return deploy_archive(who, application, request);
    }
    Application current;
    const auto lock = lock_ready(application, current);
    std::string output;
    bool is_done = false;
    const TextSink sink = [&](std::string_view text) { output += text; };
    core_.runner.run(plan_deploy(current, who.user.id, request, sink, is_done, core_.effects),
                     who.request_id);
    const auto all = core_.agent.deployments(current.gear());
    if (!is_done || all.empty()) {
        constexpr std::size_t shown_end = 4096;
        refuse(ErrorKind::invalid,
               str("The deployment failed:\n",
                   output.substr(output.size() - std::min(output.size(), shown_end))),
               exit_code::deployment, "ref");
    }
    return latest(all);
}

Deployment ApplicationService::deploy_archive(const Principal& who, const Application& application,
                                              const DeployRequest& request) {
    if (application.deployment.type != "binary") {
        refuse(ErrorKind::invalid, "This application is deployed by git; its deployment_type has to be 'binary'",
               exit_code::deployment, "artifact_url");
    }
    // Without quotes: the address was checked.
    const auto stream = open_session(who, application, str("oo-binary-deploy --url '", request.artifact_url, "'",
                                                           request.hot_deploy ? " --hot-deploy" : "",
                                                           request.force_clean_build ? " --force-clean-build" : ""));
    const int status = stream->finish();
    const auto all = core_.agent.deployments(application.gear());
    if (status != 0 || all.empty()) {
        refuse(failure_of(status), str("The deployment failed:\n", stream->said()), exit_code::deployment, "artifact_url");
    }
    return latest(all);
}

void ApplicationService::activate(const Principal& who, const Application& application,
                                  const std::string& deployment) {
    Application current;
    const auto lock = lock_ready(application, current);
    bool is_done = false;
    core_.runner.run(plan_activate(current, who.user.id, deployment, is_done, core_.effects),
                     who.request_id);
    if (!is_done) {
        refuse(ErrorKind::unavailable,
               str("Deployment '", deployment, "' does not start; the one from before runs again"),
               exit_code::unspecified);
    }
}

void ApplicationService::run_event(const Principal& who, const Application& application,
                                   GearEvent event) {
    Application current;
    const auto lock = lock_ready(application, current);
    core_.runner.run(plan_event(current.id, who.user.id, event, core_.effects), who.request_id);
}

}  // namespace gearbox
