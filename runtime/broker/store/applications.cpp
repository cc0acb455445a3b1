// Domains and applications in the store.
#include "broker/store/state_store.h"
#include "broker/store/words.h"

#include "broker/problems.h"

#include <set>

namespace gearbox {

namespace {

const char* text_of(Stage stage) {
    switch (stage) {
        case Stage::creating:
            return "creating";
        case Stage::ready:
            return "ready";
        case Stage::deleting:
            return "deleting";
    }
    return "";
}

Stage parse_stage(const std::string& text) {
    return text == "ready" ? Stage::ready : text == "deleting" ? Stage::deleting : Stage::creating;
}

Json to_json(const DeploymentSettings& settings) {
    return {{"auto_deploy", settings.auto_deploy},
            {"branch", settings.branch},
            {"keep", settings.keep},
            {"type", settings.type}};
}

DeploymentSettings parse_deployment(const Json& json) {
    return {take<bool>(json, "auto_deploy"), take<std::string>(json, "branch"),
            take<int>(json, "keep"), take<std::string>(json, "type")};
}

// Pairs as an array: JSON objects would lose the order.
template <typename Pair>
std::string pairs_text(const std::vector<Pair>& pairs) {
    Json out = Json::array();
    for (const Pair& pair : pairs) {
        out.push_back({pair.name, pair.value});
    }
    return to_text(out);
}

template <typename Pair>
std::vector<Pair> parse_pairs(const std::string& text) {
    std::vector<Pair> out;
    for (const Json& pair : parse_json(text)) {
        out.push_back({pair.at(0).get<std::string>(), pair.at(1).get<std::string>()});
    }
    return out;
}

Domain read_domain(sqlite::Statement& row) {
    Domain domain;
    domain.id = DomainId(row.text(0));
    domain.name = Namespace::parse(row.text(1)).value();
    domain.owner = UserId(row.text(2));
    domain.gear_sizes = split_words(row.text(3));
    domain.created = row.number(4);
    return domain;
}

// What every query of applications selects, in the order of read_applications.
#define GEARBOX_APPLICATIONS                                                                        \
    "SELECT a.id, a.name, a.domain_id, d.name, d.owner_id, a.uid, a.stage, a.initial_git_url,"      \
    " a.secret_token, a.deployment, a.variables, a.created, a.additional_storage, a.gear_size"      \
    " FROM applications a"                                                                          \
    " JOIN domains d ON d.id = a.domain_id "

}  // namespace

void StateStore::insert_domain(const Domain& domain) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT INTO domains VALUES (?,?,?,?,?)", domain.id.text(), domain.name.text(),
            domain.owner.text(), join_words(domain.gear_sizes), domain.created);
}

void StateStore::update_domain(const Domain& domain) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE domains SET name=?, gear_sizes=? WHERE id=?", domain.name.text(),
            join_words(domain.gear_sizes), domain.id.text());
}

void StateStore::remove_domain(const DomainId& domain) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM domains WHERE id=?", domain.text());
}

std::optional<Domain> StateStore::find_domain(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query("SELECT * FROM domains WHERE name=?", name);
    return row->next() ? std::optional(read_domain(*row)) : std::nullopt;
}

std::optional<Domain> StateStore::find_domain(const DomainId& id) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query("SELECT * FROM domains WHERE id=?", id.text());
    return row->next() ? std::optional(read_domain(*row)) : std::nullopt;
}

std::vector<Domain> StateStore::domains_of_member(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        "SELECT * FROM domains WHERE owner_id<>?1"
        " AND id IN (SELECT domain_id FROM domain_access WHERE user_id=?1) ORDER BY created, rowid",
        user.text());
    std::vector<Domain> found;
    while (row->next()) {
        found.push_back(read_domain(*row));
    }
    return found;
}

std::vector<Domain> StateStore::domains(const UserId& owner) const {
    const std::lock_guard lock(mutex_);
    const auto row =
        db_.query("SELECT * FROM domains WHERE owner_id=? ORDER BY created, rowid", owner.text());
    std::vector<Domain> found;
    while (row->next()) {
        found.push_back(read_domain(*row));
    }
    return found;
}

uid_t StateStore::reserve_application(const Application& application, uid_t first, uid_t last,
                                      const std::vector<uid_t>& except) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    {
        const auto limit = db_.query(
            "SELECT (SELECT max_gears FROM users WHERE id=?1) - (SELECT count(*) FROM applications a"
            " JOIN domains d ON d.id = a.domain_id WHERE d.owner_id=?1)",
            application.owner.text());
        if (limit->next() && limit->number(0) <= 0) {
            refuse(ErrorKind::quota, "You have reached your gear limit", exit_code::gear_limit);
        }
    }
    {
        const auto taken = db_.query("SELECT 1 FROM applications WHERE domain_id=? AND name=?",
                                     application.domain.text(), application.name.text());
        if (taken->next()) {
            refuse(ErrorKind::invalid,
                   str("The supplied application name '", application.name.text(), "' already exists"),
                   exit_code::application_exists, "name");
        }
    }
    // The lowest free one: a uid is free only when its gear is wholly gone (the row is last).
    std::set<std::int64_t> taken_uids(except.begin(), except.end());
    {
        const auto rows = db_.query("SELECT uid FROM applications");
        while (rows->next()) {
            taken_uids.insert(rows->number(0));
        }
    }
    std::int64_t uid = first;
    while (taken_uids.contains(uid)) {
        ++uid;
    }
    if (uid > static_cast<std::int64_t>(last)) {
        refuse(ErrorKind::quota, "This machine has no gear left", exit_code::gear_limit);
    }
    db_.run("INSERT INTO applications VALUES (?,?,?,?,?,?,?,?,?,?,?,?)", application.id.text(),
            application.domain.text(), application.name.text(), uid, text_of(Stage::creating),
            application.initial_git_url, application.secret_token,
            to_text(to_json(application.deployment)), pairs_text(application.variables),
            application.created, application.resources.extra_gb, application.resources.size);
    transaction.commit();
    return static_cast<uid_t>(uid);
}

void StateStore::set_stage(const ApplicationId& application, Stage stage) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE applications SET stage=? WHERE id=?", text_of(stage), application.text());
}

void StateStore::add_cartridge(const ApplicationId& application,
                               const InstalledCartridge& cartridge) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT OR REPLACE INTO application_cartridges SELECT ?1, ?2, coalesce("
            "(SELECT max(position) + 1 FROM application_cartridges WHERE application_id=?1), 0), ?3, ?4, ?5, ?6",
            application.text(), cartridge.name.text(), pairs_text(cartridge.properties),
            cartridge.added, cartridge.url, cartridge.manifest);
}

void StateStore::remove_cartridge(const ApplicationId& application, const std::string& name) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM application_cartridges WHERE application_id=? AND name=?",
            application.text(), name);
}

void StateStore::set_properties(const ApplicationId& application, const std::string& cartridge,
                                const std::vector<CartridgeProperty>& properties) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE application_cartridges SET properties=? WHERE application_id=? AND name=?", pairs_text(properties),
            application.text(), cartridge);
}

void StateStore::set_variables(const ApplicationId& application,
                               const std::vector<EnvironmentVariable>& variables) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE applications SET variables=? WHERE id=?", pairs_text(variables),
            application.text());
}

void StateStore::set_domain_variables(const ApplicationId& application,
                                      const std::string& cartridge,
                                      const std::vector<DomainVariable>& variables) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    db_.run("DELETE FROM domain_variables WHERE application_id=? AND cartridge=?",
            application.text(), cartridge);
    for (const DomainVariable& variable : variables) {
        const auto clash = db_.query(
            "SELECT a.name FROM domain_variables v JOIN applications a ON a.id = v.application_id"
            " WHERE v.name=?1 AND a.id<>?2 AND (v.is_unique OR ?3)"
            " AND a.domain_id = (SELECT domain_id FROM applications WHERE id=?2)",
            variable.name.text(), application.text(),
            static_cast<std::int64_t>(variable.is_unique));
        if (clash->next()) {
            refuse(ErrorKind::forbidden,
                   str("The environment variable '", variable.name.text(), "' of cartridge ",
                       cartridge, " must be unique in the domain, and application '", clash->text(0),
                       "' gives it already"),
                   exit_code::gear_size, "cartridges");
        }
        db_.run("INSERT OR REPLACE INTO domain_variables VALUES (?,?,?,?,?)", application.text(),
                cartridge, variable.name.text(), variable.value,
                static_cast<std::int64_t>(variable.is_unique));
    }
    transaction.commit();
}

std::vector<EnvironmentVariable> StateStore::domain_variables(const DomainId& domain) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        "SELECT v.name, v.value FROM domain_variables v JOIN applications a ON a.id ="
        " v.application_id WHERE a.domain_id=? ORDER BY v.name, v.rowid",
        domain.text());
    std::vector<EnvironmentVariable> found;
    while (row->next()) {
        if (!found.empty() && found.back().name == row->text(0)) {
            found.pop_back();
        }
        found.push_back({row->text(0), row->text(1)});
    }
    return found;
}

void StateStore::set_deployment(const ApplicationId& application,
                                const DeploymentSettings& settings) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE applications SET deployment=? WHERE id=?", to_text(to_json(settings)),
            application.text());
}

void StateStore::set_resources(const ApplicationId& application, const GearResources& resources) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE applications SET additional_storage=?, gear_size=? WHERE id=?", resources.extra_gb,
            resources.size, application.text());
}

void StateStore::set_aliases(const ApplicationId& application, const std::vector<Alias>& aliases) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    db_.run("DELETE FROM aliases WHERE application_id=?", application.text());
    for (const Alias& alias : aliases) {
        db_.run("INSERT INTO aliases VALUES (?,?,?)", alias.name.text(), application.text(),
                alias.certificate_added);
    }
    transaction.commit();
}

bool StateStore::is_alias(const std::string& name) const {
    const std::lock_guard lock(mutex_);
    return db_.query("SELECT 1 FROM aliases WHERE name=?", name)->next();
}

void StateStore::remove_application(const ApplicationId& application) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM applications WHERE id=?", application.text());
}

std::vector<ApplicationRecord> StateStore::read_applications(sqlite::Statement& row) const {
    std::vector<ApplicationRecord> found;
    while (row.next()) {
        ApplicationRecord record;
        Application& a = record.value;
        a.id = ApplicationId(row.text(0));
        a.name = ApplicationName::parse(row.text(1)).value();
        a.domain = DomainId(row.text(2));
        a.domain_name = Namespace::parse(row.text(3)).value();
        a.owner = UserId(row.text(4));
        a.uid = static_cast<uid_t>(row.number(5));
        record.stage = parse_stage(row.text(6));
        a.initial_git_url = row.text(7);
        a.secret_token = row.text(8);
        a.deployment = parse_deployment(parse_json(row.text(9)));
        a.variables = parse_pairs<EnvironmentVariable>(row.text(10));
        a.created = row.number(11);
        a.resources = {row.text(13), row.number(12)};
        const auto alias = db_.query(
            "SELECT name, certificate_added FROM aliases WHERE application_id=? ORDER BY name",
            a.id.text());
        while (alias->next()) {
            a.aliases.push_back({AliasName::parse(alias->text(0)).value(), alias->number(1)});
        }
        const auto cartridge = db_.query(
            "SELECT name, properties, added, url, manifest FROM application_cartridges WHERE application_id=?"
            " ORDER BY position",
            a.id.text());
        while (cartridge->next()) {
            a.cartridges.push_back({CartridgeName::parse(cartridge->text(0)).value(),
                                    parse_pairs<CartridgeProperty>(cartridge->text(1)),
                                    cartridge->number(2), cartridge->text(3), cartridge->text(4)});
        }
        found.push_back(std::move(record));
    }
    return found;
}

std::optional<ApplicationRecord> StateStore::find_application(const std::string& id) const {
    const std::lock_guard lock(mutex_);
    const auto rows = db_.query(GEARBOX_APPLICATIONS "WHERE a.id=?", id);
    auto found = read_applications(*rows);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::optional<ApplicationRecord> StateStore::find_application(const DomainId& domain,
                                                              const std::string& name) const {
    const std::lock_guard lock(mutex_);
    const auto rows =
        db_.query(GEARBOX_APPLICATIONS "WHERE a.domain_id=? AND a.name=?", domain.text(), name);
    auto found = read_applications(*rows);
    return found.empty() ? std::nullopt : std::optional(std::move(found.front()));
}

std::vector<ApplicationRecord> StateStore::applications(const DomainId& domain) const {
    const std::lock_guard lock(mutex_);
    const auto rows =
        db_.query(GEARBOX_APPLICATIONS "WHERE a.domain_id=? ORDER BY a.name", domain.text());
    return read_applications(*rows);
}

std::vector<ApplicationRecord> StateStore::applications_of(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    const auto rows = db_.query(
        GEARBOX_APPLICATIONS
        "WHERE d.owner_id=?1 OR d.id IN (SELECT domain_id FROM domain_access WHERE user_id=?1)"
        " ORDER BY a.name, d.name",
        user.text());
    return read_applications(*rows);
}

std::vector<ApplicationRecord> StateStore::all_applications() const {
    const std::lock_guard lock(mutex_);
    const auto rows = db_.query(GEARBOX_APPLICATIONS "ORDER BY a.created, a.id");
    return read_applications(*rows);
}

std::int64_t StateStore::gears_of(const UserId& owner) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        "SELECT count(*) FROM applications a JOIN domains d ON d.id = a.domain_id WHERE d.owner_id=?",
        owner.text());
    row->next();
    return row->number(0);
}

}  // namespace gearbox
