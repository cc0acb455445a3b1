#include "broker/store/state_store.h"

#include "base/error.h"
#include "broker/store/words.h"

#include <array>

namespace gearbox {

namespace {

// THE schema: one entry a version, applied in order, never edited once released.
constexpr std::array<const char*, 5> migrations = {
    R"(CREATE TABLE users (
        id TEXT PRIMARY KEY, login TEXT NOT NULL UNIQUE, password_hash TEXT NOT NULL,
        max_domains INTEGER NOT NULL, max_gears INTEGER NOT NULL, created INTEGER NOT NULL);
    CREATE TABLE keys (
        user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        name TEXT NOT NULL, type TEXT NOT NULL, content TEXT NOT NULL, created INTEGER NOT NULL,
        PRIMARY KEY (user_id, name), UNIQUE (user_id, content));
    CREATE TABLE authorizations (
        id TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        hash TEXT NOT NULL UNIQUE, note TEXT NOT NULL, scopes TEXT NOT NULL,
        created INTEGER NOT NULL, expires INTEGER NOT NULL);
    CREATE INDEX authorizations_by_user ON authorizations(user_id);
    CREATE TABLE domains (
        id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE,
        owner_id TEXT NOT NULL REFERENCES users(id) ON DELETE RESTRICT,
        gear_sizes TEXT NOT NULL, created INTEGER NOT NULL);
    CREATE INDEX domains_by_owner ON domains(owner_id);
    CREATE TABLE applications (
        id TEXT PRIMARY KEY, domain_id TEXT NOT NULL REFERENCES domains(id) ON DELETE RESTRICT,
        name TEXT NOT NULL, uid INTEGER NOT NULL UNIQUE, stage TEXT NOT NULL,
        initial_git_url TEXT NOT NULL, secret_token TEXT NOT NULL, deployment TEXT NOT NULL,
        variables TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (domain_id, name));
    CREATE TABLE application_cartridges (
        application_id TEXT NOT NULL REFERENCES applications(id) ON DELETE CASCADE,
        name TEXT NOT NULL, position INTEGER NOT NULL, properties TEXT NOT NULL,
        added INTEGER NOT NULL, PRIMARY KEY (application_id, name));
    CREATE TABLE operations (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
        request_id TEXT NOT NULL, user_id TEXT NOT NULL, kind TEXT NOT NULL,
        subject TEXT NOT NULL, request TEXT NOT NULL, state TEXT NOT NULL, error TEXT NOT NULL,
        created INTEGER NOT NULL);
    CREATE INDEX operations_by_request ON operations(request_id);
    CREATE TABLE operation_steps (
        operation_id TEXT NOT NULL REFERENCES operations(id) ON DELETE CASCADE,
        position INTEGER NOT NULL, name TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL,
        started_ms INTEGER NOT NULL, elapsed_ms INTEGER NOT NULL,
        PRIMARY KEY (operation_id, position));)",
    R"(ALTER TABLE users ADD COLUMN max_teams INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN max_storage INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN private_certificates INTEGER NOT NULL DEFAULT 0;
    ALTER TABLE users ADD COLUMN gear_sizes TEXT NOT NULL DEFAULT 'small';
    ALTER TABLE applications ADD COLUMN additional_storage INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE aliases (
        name TEXT PRIMARY KEY,
        application_id TEXT NOT NULL REFERENCES applications(id) ON DELETE CASCADE,
        certificate_added INTEGER NOT NULL);
    CREATE INDEX aliases_by_application ON aliases(application_id);
    CREATE TABLE members (
        domain_id TEXT NOT NULL REFERENCES domains(id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        role TEXT NOT NULL, PRIMARY KEY (domain_id, user_id));
    CREATE INDEX members_by_user ON members(user_id);)",
    R"(CREATE TABLE teams (
        id TEXT PRIMARY KEY, owner_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        name TEXT NOT NULL, created INTEGER NOT NULL, UNIQUE (owner_id, name));
    CREATE TABLE team_members (
        team_id TEXT NOT NULL REFERENCES teams(id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
        PRIMARY KEY (team_id, user_id));
    CREATE INDEX team_members_by_user ON team_members(user_id);
    CREATE TABLE domain_teams (
        domain_id TEXT NOT NULL REFERENCES domains(id) ON DELETE CASCADE,
        team_id TEXT NOT NULL REFERENCES teams(id) ON DELETE CASCADE,
        role TEXT NOT NULL, PRIMARY KEY (domain_id, team_id));
    CREATE INDEX domain_teams_by_team ON domain_teams(team_id);
    CREATE VIEW team_people AS
        SELECT id AS team_id, owner_id AS user_id FROM teams
        UNION ALL SELECT team_id, user_id FROM team_members;
    CREATE VIEW domain_access AS
        SELECT domain_id, user_id, role FROM members
        UNION ALL SELECT d.domain_id, p.user_id, d.role
            FROM domain_teams d JOIN team_people p ON p.team_id = d.team_id;
    CREATE TABLE domain_variables (
        application_id TEXT NOT NULL REFERENCES applications(id) ON DELETE CASCADE,
        cartridge TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, is_unique INTEGER NOT NULL,
        PRIMARY KEY (application_id, cartridge, name));)",
    R"(ALTER TABLE applications ADD COLUMN gear_size TEXT NOT NULL DEFAULT 'small';)",
    R"(ALTER TABLE application_cartridges ADD COLUMN url TEXT NOT NULL DEFAULT '';
    ALTER TABLE application_cartridges ADD COLUMN manifest TEXT NOT NULL DEFAULT '';)",
};

// What every query of users selects, in the order of read_user.
#define GEARBOX_USERS                                                                              \
    "SELECT id, login, max_domains, max_gears, created, max_teams, max_storage,"                   \
    " private_certificates, gear_sizes FROM users "

User read_user(sqlite::Statement& row) {
    User user;
    user.id = UserId(row.text(0));
    user.login = Login::parse(row.text(1)).value();
    user.max_domains = row.number(2);
    user.max_gears = row.number(3);
    user.created = row.number(4);
    user.max_teams = row.number(5);
    user.max_storage = row.number(6);
    user.private_certificates = row.number(7) != 0;
    user.gear_sizes = split_words(row.text(8));
    return user;
}

AuthorizationRecord read_authorization(sqlite::Statement& row) {
    return {row.text(0), UserId(row.text(1)), row.text(2),  row.text(3),
            row.text(4), row.number(5),       row.number(6)};
}

}  // namespace

StateStore::StateStore(const std::string& file) : db_(file) { migrate(); }

void StateStore::migrate() {
    const int current = schema_version();
    if (current > static_cast<int>(migrations.size())) {
        fail(ErrorKind::invalid, "the state database has schema ", current,
             ", this gearboxd knows up to ", migrations.size(), ": it was written by a newer version");
    }
    for (auto version = static_cast<std::size_t>(current); version < migrations.size(); ++version) {
        sqlite::Transaction transaction(db_);
        db_.execute(migrations[version]);
        db_.execute(str("PRAGMA user_version=", version + 1));
        transaction.commit();
    }
}

int StateStore::schema_version() const {
    const auto row = db_.query("PRAGMA user_version");
    row->next();
    return static_cast<int>(row->number(0));
}

void StateStore::insert_user(const User& user, const std::string& password_hash) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT INTO users (id, login, password_hash, max_domains, max_gears, created, max_teams,"
            " max_storage, private_certificates, gear_sizes) VALUES (?,?,?,?,?,?,?,?,?,?)",
            user.id.text(), user.login.text(), password_hash, user.max_domains, user.max_gears,
            user.created, user.max_teams, user.max_storage,
            static_cast<std::int64_t>(user.private_certificates), join_words(user.gear_sizes));
}

void StateStore::update_limits(const User& user) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE users SET max_domains=?, max_gears=?, max_teams=?, max_storage=?,"
            " private_certificates=?, gear_sizes=? WHERE id=?",
            user.max_domains, user.max_gears, user.max_teams, user.max_storage,
            static_cast<std::int64_t>(user.private_certificates), join_words(user.gear_sizes),
            user.id.text());
}

std::optional<User> StateStore::find_user(const std::string& login) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(GEARBOX_USERS "WHERE login=?", login);
    return row->next() ? std::optional(read_user(*row)) : std::nullopt;
}

std::optional<User> StateStore::find_user(const UserId& id) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(GEARBOX_USERS "WHERE id=?", id.text());
    return row->next() ? std::optional(read_user(*row)) : std::nullopt;
}

std::string StateStore::password_hash(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query("SELECT password_hash FROM users WHERE id=?", user.text());
    return row->next() ? row->text(0) : std::string();
}

void StateStore::set_password_hash(const UserId& user, const std::string& hash) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE users SET password_hash=? WHERE id=?", hash, user.text());
}

std::vector<User> StateStore::users() const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(GEARBOX_USERS "ORDER BY login");
    std::vector<User> found;
    while (row->next()) {
        found.push_back(read_user(*row));
    }
    return found;
}

void StateStore::remove_user(const UserId& user) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM users WHERE id=?", user.text());
}

void StateStore::insert_key(const UserId& user, const KeyRecord& key) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT INTO keys VALUES (?,?,?,?,?)", user.text(), key.name.text(), key.type,
            key.content, key.created);
}

void StateStore::update_key(const UserId& user, const KeyRecord& key) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE keys SET type=?, content=? WHERE user_id=? AND name=?", key.type, key.content,
            user.text(), key.name.text());
}

void StateStore::remove_key(const UserId& user, const std::string& name) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM keys WHERE user_id=? AND name=?", user.text(), name);
}

std::vector<KeyRecord> StateStore::keys(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        "SELECT name, type, content, created FROM keys WHERE user_id=? ORDER BY name", user.text());
    std::vector<KeyRecord> found;
    while (row->next()) {
        found.push_back(
            {KeyName::parse(row->text(0)).value(), row->text(1), row->text(2), row->number(3)});
    }
    return found;
}

void StateStore::insert_authorization(const AuthorizationRecord& record) {
    const std::lock_guard lock(mutex_);
    db_.run("INSERT INTO authorizations VALUES (?,?,?,?,?,?,?)", record.id, record.user.text(),
            record.hash, record.note, record.scopes, record.created, record.expires);
}

void StateStore::set_authorization_note(const std::string& id, const std::string& note) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE authorizations SET note=? WHERE id=?", note, id);
}

std::optional<AuthorizationRecord> StateStore::find_authorization_by_hash(
    const std::string& hash) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query("SELECT * FROM authorizations WHERE hash=?", hash);
    return row->next() ? std::optional(read_authorization(*row)) : std::nullopt;
}

std::vector<AuthorizationRecord> StateStore::authorizations(const UserId& user) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        "SELECT * FROM authorizations WHERE user_id=? ORDER BY created DESC, id", user.text());
    std::vector<AuthorizationRecord> found;
    while (row->next()) {
        found.push_back(read_authorization(*row));
    }
    return found;
}

void StateStore::remove_authorization(const std::string& id) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM authorizations WHERE id=?", id);
}

void StateStore::remove_expired_authorizations(std::int64_t now) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM authorizations WHERE expires<=?", now);
}

std::int64_t StateStore::version() const {
    const std::lock_guard lock(mutex_);
    return db_.total_changes();
}

std::string StateStore::dump() const {
    const std::lock_guard lock(mutex_);
    std::string out;
    for (const char* sql :
         {"SELECT 'user', id, login, password_hash, max_domains, max_gears FROM users ORDER BY id",
          "SELECT 'key', user_id, name, type, content, '' FROM keys ORDER BY user_id, name",
          "SELECT 'token', id, user_id, hash, note, scopes FROM authorizations ORDER BY id",
          "SELECT 'domain', id, name, owner_id, gear_sizes, created FROM domains ORDER BY id",
          "SELECT 'application', id, domain_id, name, uid, stage || deployment || variables ||"
          " additional_storage FROM applications ORDER BY id",
          "SELECT 'limits', id, max_teams, max_storage, private_certificates, gear_sizes FROM users"
          " ORDER BY id",
          "SELECT 'alias', name, application_id, certificate_added, '', '' FROM aliases ORDER BY name",
          "SELECT 'member', domain_id, user_id, role, '', '' FROM members ORDER BY domain_id, user_id",
          "SELECT 'domain variable', application_id, cartridge, name, value, is_unique"
          " FROM domain_variables ORDER BY application_id, cartridge, name",
          "SELECT 'team', id, owner_id, name, created, '' FROM teams ORDER BY id",
          "SELECT 'team member', team_id, user_id, '', '', '' FROM team_members ORDER BY team_id, user_id",
          "SELECT 'domain team', domain_id, team_id, role, '', '' FROM domain_teams"
          " ORDER BY domain_id, team_id",
          "SELECT 'cartridge', application_id, name, position, properties, added"
          " FROM application_cartridges ORDER BY application_id, position"}) {
        const auto row = db_.query(sql);
        while (row->next()) {
            for (int column = 0; column < 6; ++column) {
                out += row->text(column) + (column < 5 ? " | " : "\n");
            }
        }
    }
    return out;
}

}  // namespace gearbox
