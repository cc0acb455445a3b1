// Everything that the broker remembers, in one SQLite database: users, keys, tokens, domains,
// applications and the journal of operations.
#pragma once
#include "base/json.h"
#include "broker/store/sqlite.h"
#include "model/application.h"
#include "model/role.h"
#include "model/team.h"

#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

struct KeyRecord {
    KeyName name;
    std::string type;
    std::string content;  ///< base64 part
    std::int64_t created = 0;
};

/// A token; the token itself is not kept, only its hash.
struct AuthorizationRecord {
    std::string id;
    UserId user;
    std::string hash;
    std::string note;
    std::string scopes;  ///< separated by blanks
    std::int64_t created = 0;
    std::int64_t expires = 0;
};

/// Where an application is in its life. Only ready and deleting ones are shown.
enum class Stage { creating, ready, deleting };

struct ApplicationRecord {
    Application value;
    Stage stage = Stage::creating;
};

enum class OperationState { running, undoing, done, failed };
const char* name_of(OperationState state);
enum class StepState { pending, running, done, failed, undone };
const char* name_of(StepState state);

struct StepRecord {
    std::string name;
    std::string title;
    StepState state = StepState::pending;
    std::int64_t started_ms = 0;  ///< Clock::monotonic_ms
    std::int64_t elapsed_ms = 0;
};

/// One journalled operation. Unfinished ones (running, undoing) are taken up again at start.
struct OperationRecord {
    OperationId id;
    std::string request_id;  ///< of the client; "" if none
    UserId user;
    std::string kind;
    std::string subject;  ///< the application or user that it changes
    Json request;         ///< what recovery needs to plan it again
    OperationState state = OperationState::running;
    std::string error;
    std::int64_t created = 0;
    std::vector<StepRecord> steps;
};

/// Thread-safe: one connection, one lock, short statements. find_… return empty for what is not
/// there; inserts throw Error(conflict) when a unique rule is broken.
class StateStore {
public:
    explicit StateStore(const std::string& file);

    // users
    void insert_user(const User& user, const std::string& password_hash);
    std::optional<User> find_user(const std::string& login) const;
    std::optional<User> find_user(const UserId& id) const;
    /// Everything of the user that limits what they may do.
    void update_limits(const User& user);
    std::string password_hash(const UserId& user) const;
    void set_password_hash(const UserId& user, const std::string& hash);
    std::vector<User> users() const;
    /// Throws Error(conflict) while the user owns domains.
    void remove_user(const UserId& user);

    // keys
    void insert_key(const UserId& user, const KeyRecord& key);
    void update_key(const UserId& user, const KeyRecord& key);
    void remove_key(const UserId& user, const std::string& name);
    std::vector<KeyRecord> keys(const UserId& user) const;

    // authorizations
    void insert_authorization(const AuthorizationRecord& record);
    void set_authorization_note(const std::string& id, const std::string& note);
    std::optional<AuthorizationRecord> find_authorization_by_hash(const std::string& hash) const;
    std::vector<AuthorizationRecord> authorizations(const UserId& user) const;
    void remove_authorization(const std::string& id);
    void remove_expired_authorizations(std::int64_t now);

    // domains
    void insert_domain(const Domain& domain);
    void update_domain(const Domain& domain);
    void remove_domain(const DomainId& domain);
    std::optional<Domain> find_domain(const std::string& name) const;
    std::optional<Domain> find_domain(const DomainId& id) const;
    std::vector<Domain> domains(const UserId& owner) const;  ///< oldest first
    /// Those of which the user is a member, also by a team, but not the owner; oldest first.
    std::vector<Domain> domains_of_member(const UserId& user) const;

    // members and teams
    /// The highest of the user's own and their teams' roles; empty: none.
    std::optional<Role> find_role(const DomainId& domain, const UserId& member) const;
    /// Everybody with a role, each once with the highest, by id; the owner only if also a member.
    std::vector<std::pair<UserId, Role>> people(const DomainId& domain) const;
    DomainMembers members(const DomainId& domain) const;  ///< by id
    /// Replaces all of them.
    void set_members(const DomainId& domain, const DomainMembers& members);
    /// Throws Error(conflict) if the owner has a team of that name.
    void insert_team(const Team& team);
    void remove_team(const TeamId& team);
    std::optional<Team> find_team(const TeamId& team) const;
    std::vector<Team> teams_of_owner(const UserId& owner) const;  ///< by name
    /// Those that the user owns or is a member of, by name.
    std::vector<Team> teams_of_member(const UserId& user) const;
    std::vector<UserId> team_members(const TeamId& team) const;  ///< by id, without the owner
    /// Replaces all of them.
    void set_team_members(const TeamId& team, const std::vector<UserId>& members);
    /// Of which the team is a member.
    std::vector<DomainId> domains_of_team(const TeamId& team) const;

    // applications
    /// Takes a free uid out of [first, last] but for those excepted, and keeps name and uid, all or nothing. Throws
    /// Error(conflict) for the name, Error(quota) for the owner's gears or the uids.
    uid_t reserve_application(const Application& application, uid_t first, uid_t last,
                              const std::vector<uid_t>& except = {});
    void set_stage(const ApplicationId& application, Stage stage);
    void add_cartridge(const ApplicationId& application, const InstalledCartridge& cartridge);
    void remove_cartridge(const ApplicationId& application, const std::string& name);
    void set_properties(const ApplicationId& application, const std::string& cartridge,
                        const std::vector<CartridgeProperty>& properties);
    void set_variables(const ApplicationId& application,
                       const std::vector<EnvironmentVariable>& variables);
    /// Replaces those that this cartridge gives the domain. Throws RequestError 403/134 for a name
    /// that another application gives, if one of both wants it unique.
    void set_domain_variables(const ApplicationId& application, const std::string& cartridge,
                              const std::vector<DomainVariable>& variables);
    /// What all cartridges of the domain give, by name; of several the latest.
    std::vector<EnvironmentVariable> domain_variables(const DomainId& domain) const;
    void set_deployment(const ApplicationId& application, const DeploymentSettings& settings);
    void set_resources(const ApplicationId& application, const GearResources& resources);
    /// Replaces all of them. Throws Error(conflict) for a name that another application has.
    void set_aliases(const ApplicationId& application, const std::vector<Alias>& aliases);
    bool is_alias(const std::string& name) const;
    void remove_application(const ApplicationId& application);
    std::optional<ApplicationRecord> find_application(const std::string& id) const;
    std::optional<ApplicationRecord> find_application(const DomainId& domain,
                                                      const std::string& name) const;
    /// Every stage, sorted by name.
    std::vector<ApplicationRecord> applications(const DomainId& domain) const;
    /// Of all domains that the user owns or is a member of.
    std::vector<ApplicationRecord> applications_of(const UserId& user) const;
    std::vector<ApplicationRecord> all_applications() const;
    std::int64_t gears_of(const UserId& owner) const;

    // journal
    void insert_operation(const OperationRecord& record);
    void set_operation(const OperationId& id, OperationState state, const std::string& error);
    void set_step(const OperationId& id, const StepRecord& step);
    std::vector<OperationRecord> unfinished_operations() const;  ///< oldest first
    std::optional<OperationRecord> find_operation(const UserId& user,
                                                  const std::string& request_id) const;
    /// Keeps the newest finished operations, at most this many.
    void prune_operations(std::int64_t keep);

    /// Another number after every change; never an earlier one while the store is open.
    std::int64_t version() const;

    /// Every table as text, for tests that compare before and after.
    std::string dump() const;
    int schema_version() const;

private:
    void migrate();
    std::vector<ApplicationRecord> read_applications(sqlite::Statement& rows) const;
    OperationRecord read_operation(sqlite::Statement& row) const;

    mutable std::mutex mutex_;
    mutable sqlite::Database db_;
};

}  // namespace gearbox
