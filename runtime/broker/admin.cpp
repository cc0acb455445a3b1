#include "broker/admin.h"

#include "base/error.h"
#include "model/names.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace gearbox {

namespace {

Json to_json(const User& user, std::int64_t gears) {
    return {{"id", user.id.text()},
            {"login", user.login.text()},
            {"consumed_gears", gears},
            {"max_gears", user.max_gears},
            {"max_domains", user.max_domains},
            {"max_teams", user.max_teams},
            {"max_storage_per_gear", user.max_storage},
            {"gear_sizes", user.gear_sizes},
            {"private_ssl_certificates", user.private_certificates},
            {"created", iso_time(user.created)}};
}

Json user_create(Broker& broker, const Json& args) {
    const auto given = find<std::string>(args, "password");
    const std::string password = given ? *given : make_password();
    const User user = broker.users.create(take<std::string>(args, "login"), password);
    Json reply = to_json(user, 0);
    if (!given) {
        reply["password"] = password;
    }
    return reply;
}

Json user_list(Broker& broker, const Json&) {
    Json users = Json::array();
    for (const User& user : broker.users.list()) {
        users.push_back(to_json(user, broker.users.consumed_gears(user)));
    }
    return users;
}

Json user_show(Broker& broker, const Json& args) {
    const User user = broker.users.user(take<std::string>(args, "login"));
    return to_json(user, broker.users.consumed_gears(user));
}

Json user_set(Broker& broker, const Json& args) {
    UserLimits limits;
    limits.max_domains = find<std::int64_t>(args, "max_domains");
    limits.max_gears = find<std::int64_t>(args, "max_gears");
    limits.max_teams = find<std::int64_t>(args, "max_teams");
    limits.max_storage = find<std::int64_t>(args, "max_storage");
    limits.private_certificates = find<bool>(args, "private_certificates");
    limits.gear_sizes = find<std::vector<std::string>>(args, "gear_sizes");
    const User user = broker.users.set_limits(take<std::string>(args, "login"), limits);
    return to_json(user, broker.users.consumed_gears(user));
}

Json user_delete(Broker& broker, const Json& args) {
    const auto login = take<std::string>(args, "login");
    if (find<bool>(args, "force").value_or(false)) {
        const Principal who{broker.users.user(login), "session", ""};
        for (const Domain& domain : broker.domains.own(who)) {
            broker.domains.remove(who, domain.name.text(), true);
        }
    }
    broker.users.remove(login);
    return Json::object();
}

Json user_passwd(Broker& broker, const Json& args) {
    const auto given = find<std::string>(args, "password");
    const std::string password = given ? *given : make_password();
    broker.users.set_password(take<std::string>(args, "login"), password);
    return given ? Json::object() : Json{{"password", password}};
}

Json application_list(Broker& broker, const Json&) {
    Json applications = Json::array();
    for (const ApplicationRecord& record : broker.core.store.all_applications()) {
        const Application& application = record.value;
        const auto owner = broker.core.store.find_user(application.owner);
        applications.push_back(
            {{"id", application.id.text()},
             {"name", application.name.text()},
             {"domain", application.domain_name.text()},
             {"owner", owner ? owner->login.text() : ""},
             {"uid", application.uid},
             {"ready", record.stage == Stage::ready},
             {"state", name_of(broker.core.agent.has_gear(application.gear())
                                   ? broker.core.agent.state(application.gear())
                                   : GearState::unknown)}});
    }
    return applications;
}

// "APP-DOMAIN", an id, or APP where only one domain has it; acts as its owner would.
std::pair<Principal, Application> application_of(Broker& broker, const Json& args) {
    const auto word = take<std::string>(args, "application");
    std::vector<Application> found;
    for (ApplicationRecord& record : broker.core.store.all_applications()) {
        const Application& application = record.value;
        if (record.stage == Stage::ready &&
            (application.id.text() == word || application.name.text() == word ||
             str(application.name.text(), "-", application.domain_name.text()) == word)) {
            found.push_back(std::move(record.value));
        }
    }
    if (found.size() != 1) {
        fail(ErrorKind::not_found, found.empty() ? "there is no application '" : "several domains have an application '",
             word, found.empty() ? "'" : "': write APP-DOMAIN");
    }
    const auto owner = broker.core.store.find_user(found.front().owner);
    return {Principal{owner.value(), "session", ""}, std::move(found.front())};
}

Json application_event(Broker& broker, const Json& args) {
    const auto word = take<std::string>(args, "event");
    const auto event = parse_gear_event(word);
    if (!event) {
        fail(ErrorKind::invalid, "there is no event '", word, "'");
    }
    const auto [who, application] = application_of(broker, args);
    broker.applications.run_event(who, application, *event);
    return {{"id", application.id.text()}};
}

Json application_resize(Broker& broker, const Json& args) {
    const auto [who, application] = application_of(broker, args);
    broker.applications.resize(who, application, take<std::string>(args, "size"));
    return {{"id", application.id.text()}};
}

Json gear_list(Broker& broker, const Json&) {
    Json gears = Json::array();
    const NodeAgent& agent = broker.core.agent;
    for (const ApplicationRecord& record : broker.core.store.all_applications()) {
        const Application& application = record.value;
        if (!agent.has_gear(application.gear())) {
            continue;
        }
        const GearUse use = agent.use(application.gear());
        const GearHealth health = agent.health(application.gear());
        gears.push_back({{"id", application.id.text()},
                         {"application", str(application.name.text(), "-", application.domain_name.text())},
                         {"size", application.resources.size},
                         {"profile", agent.profile(application.gear())},
                         {"state", use.is_frozen ? "frozen" : name_of(agent.state(application.gear()))},
                         {"memory_bytes", use.memory_bytes},
                         {"cpu_us", use.cpu_us},
                         {"processes", use.processes},
                         {"disk_bytes", use.disk_bytes ? Json(*use.disk_bytes) : Json(nullptr)},
                         {"files", use.files ? Json(*use.files) : Json(nullptr)},
                         {"oom_kills", health.oom_kills},
                         {"service_restarts", health.restarts}});
    }
    return gears;
}

Json gear_plan(Broker& broker, const Json& args) {
    return broker.core.agent.plan(application_of(broker, args).second.gear());
}

Json profile_list(Broker& broker, const Json&) {
    const NodeAgent& agent = broker.core.agent;
    std::map<std::string, int> gears;
    for (const ApplicationRecord& record : broker.core.store.all_applications()) {
        if (const GearId gear = record.value.gear(); agent.has_gear(gear)) {
            ++gears[agent.profile(gear)];
        }
    }
    Json out = Json::array();
    for (const Profile& profile : agent.profiles()) {
        Json row = to_json(profile);
        row["gears"] = gears[profile.name];
        out.push_back(std::move(row));
    }
    return out;
}

std::vector<std::string> users_of(const Broker& broker, const std::string& cartridge) {
    std::vector<std::string> out;
    for (const ApplicationRecord& record : broker.core.store.all_applications()) {
        const Application& application = record.value;
        if (std::any_of(application.cartridges.begin(), application.cartridges.end(),
                        [&](const InstalledCartridge& installed) {
                            return installed.url.empty() && without_version(installed.name.text()) == cartridge;
                        })) {
            out.push_back(str(application.name.text(), "-", application.domain_name.text()));
        }
    }
    return out;
}

Json cartridge_list(Broker& broker, const Json&) {
    Json out = Json::array();
    for (const ImportedCartridge& imported : broker.core.agent.imported_cartridges()) {
        out.push_back({{"name", imported.name},
                       {"versions", imported.versions},
                       {"active", imported.active},
                       {"applications", users_of(broker, imported.name)}});
    }
    return out;
}

Json cartridge_staging(Broker& broker, const Json&) {
    return {{"directory", broker.core.agent.make_cartridge_staging()}};
}

Json cartridge_import(Broker& broker, const Json& args) {
    const CartridgeImport done = broker.core.agent.import_cartridge(take<std::string>(args, "directory"));
    broker.catalogue.forget();
    return {{"name", done.name}, {"offers", done.offers}, {"remarks", done.remarks}};
}

Json cartridge_activate(Broker& broker, const Json& args) {
    broker.core.agent.activate_cartridge(take<std::string>(args, "name"), take<bool>(args, "active"));
    broker.catalogue.forget();
    return Json::object();
}

// One gear after the other: what goes wrong in one is told, and the next has its turn.
Json upgrade_one(Broker& broker, const Application& application, const std::string& cartridge) {
    Json row = {{"application", str(application.name.text(), "-", application.domain_name.text())}, {"cartridge", cartridge}};
    try {
        const auto owner = broker.core.store.find_user(application.owner);
        const Principal who{owner.value(), "session", ""};
        const CartridgeUpgrade done = broker.applications.upgrade_cartridge(who, application, cartridge);
        row["from"] = done.from;
        row["to"] = done.to;
        row["result"] = done.from == done.to ? "current" : done.was_compatible ? "upgraded" : "upgraded, restarted";
    } catch (const Error& error) {
        row["result"] = "failed";
        row["reason"] = error.text();
    }
    return row;
}

Json cartridge_upgrade(Broker& broker, const Json& args) {
    const auto name = take<std::string>(args, "name");
    check_imported(name, broker.core.agent.imported_cartridges());
    std::vector<Application> applications;
    if (find<std::string>(args, "application")) {
        applications.push_back(application_of(broker, args).second);
    } else {
        for (ApplicationRecord& record : broker.core.store.all_applications()) {
            if (record.stage == Stage::ready) {
                applications.push_back(std::move(record.value));
            }
        }
    }
    Json rows = Json::array();
    for (const Application& application : applications) {
        for (const InstalledCartridge& installed : application.cartridges) {
            if (installed.url.empty() && without_version(installed.name.text()) == name) {
                rows.push_back(upgrade_one(broker, application, installed.name.text()));
            }
        }
    }
    return rows;
}

// An application without its cartridge in the catalogue could not be shown, scaled or restored.
Json cartridge_remove(Broker& broker, const Json& args) {
    const auto name = take<std::string>(args, "name");
    const auto users = users_of(broker, name);
    if (!users.empty()) {
        const auto all = broker.core.agent.imported_cartridges();
        const bool is_offered = std::any_of(all.begin(), all.end(), [&](const auto& one) { return one.name == name && !one.active.empty(); });
        fail(ErrorKind::conflict, "'", name, "' is used by ", users.front(),
             users.size() == 1 ? "" : str(" and ", users.size() - 1, " more"),
             is_offered ? str("; 'gearbox admin cartridge deactivate ", name, "' keeps it from new applications") : "");
    }
    broker.core.agent.forget_cartridge(name);
    broker.catalogue.forget();
    return Json::object();
}

Json gear_freeze(Broker& broker, const Json& args) {
    const Application application = application_of(broker, args).second;
    const bool frozen = take<bool>(args, "frozen");
    // What waits for the gear may hold it.
    std::optional<KeyedMutex::Lock> lock;
    if (frozen) {
        lock.emplace(broker.core.application_locks.lock(application.id.text()));
    }
    broker.core.agent.freeze(application.gear(), frozen);
    return {{"id", application.id.text()}};
}

Json application_delete(Broker& broker, const Json& args) {
    const auto [who, application] = application_of(broker, args);
    broker.applications.remove(who, application);
    return {{"id", application.id.text()}};
}

// Store, node, router and journal must tell the same story.
Json check(Broker& broker, const Json&) {
    Json problems = Json::array();
    const StateStore& store = broker.core.store;
    std::set<std::string> known;
    std::map<GearId, std::vector<std::string>> hosts;
    for (const ApplicationRecord& record : store.all_applications()) {
        const Application& application = record.value;
        const std::string name = str(application.name.text(), "-", application.domain_name.text());
        known.insert(application.id.text());
        if (record.stage == Stage::ready && !broker.core.agent.has_gear(application.gear())) {
            problems.push_back(str("application '", name, "' has no gear"));
        }
        if (record.stage == Stage::ready) {
            hosts[application.gear()] = hosts_of(application, broker.core.settings.broker.cloud_domain);
        }
    }
    for (const GearId& gear : broker.core.agent.gears()) {
        if (!known.contains(gear.text())) {
            problems.push_back(str("gear '", gear.text(), "' belongs to no application"));
        }
    }
    for (std::string& problem : broker.core.agent.check_routes(hosts)) {
        problems.push_back(std::move(problem));
    }
    for (const OperationRecord& operation : store.unfinished_operations()) {
        problems.push_back(str("operation '", operation.kind, "' of ", operation.subject,
                               " is not finished (state ", name_of(operation.state), ")"));
    }
    return {{"applications", known.size()}, {"problems", std::move(problems)}};
}

Json status(Broker& broker, const Json&) {
    const NodeStorage storage = broker.core.agent.storage();
    return {{"version", GEARBOX_VERSION},
            {"users", broker.users.list().size()},
            {"applications", broker.core.store.all_applications().size()},
            {"cartridges", broker.catalogue.list()->size()},
            {"unfinished_operations", broker.core.store.unfinished_operations().size()},
            {"disk_mb", storage.all_mb},
            {"disk_free_mb", storage.free_mb},
            {"disk_reserve_mb", storage.reserve_mb}};
}

}  // namespace

const std::vector<AdminVerb>& admin_verbs() {
    static const std::vector<AdminVerb> verbs = {
        {"check", "", "what store, gears, router and operations disagree about", check},
        {"status", "", "version and what there is", status},
        {"user.create", "login [password]", "make a user; without password one is made", user_create},
        {"user.list", "", "users and their gears", user_list},
        {"user.show", "login", "one user's limits and use", user_show},
        {"user.set",
         "login [max_domains max_gears max_teams max_storage private_certificates gear_sizes]",
         "what a user may use", user_set},
        {"user.password", "login [password]", "give a user another password", user_passwd},
        {"user.delete", "login [force]", "remove a user; force: with domains and applications",
         user_delete},
        {"application.event", "application event", "start, stop, restart … as its owner would",
         application_event},
        {"application.resize", "application size", "give its gear another size, at once",
         application_resize},
        {"application.delete", "application", "remove one with its data and repository",
         application_delete},
        {"gear.list", "", "what every gear uses", gear_list},
        {"gear.plan", "application", "how its sandbox is made", gear_plan},
        {"gear.freeze", "application frozen", "stop its processes where they are, or let them go on",
         gear_freeze},
        {"profile.list", "", "the security profiles and how many gears have each", profile_list},
        {"cartridge.list", "", "the imported cartridges, and who uses them", cartridge_list},
        {"cartridge.staging", "", "a directory to put a cartridge into", cartridge_staging},
        {"cartridge.import", "directory", "check what was put there, and offer it", cartridge_import},
        {"cartridge.activate", "name active", "offer an imported cartridge, or no longer", cartridge_activate},
        {"cartridge.upgrade", "name [application]", "bring gears that have it to the version on offer", cartridge_upgrade},
        {"cartridge.remove", "name", "forget an imported cartridge that nobody uses", cartridge_remove},
        {"application.list", "", "every application of every user", application_list},
    };
    return verbs;
}

}  // namespace gearbox
