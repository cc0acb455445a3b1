// Applications: creating, finding, changing, deleting.
#pragma once
#include "broker/catalogue.h"
#include "broker/core.h"
#include "broker/domains.h"
#include "broker/problems.h"

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// One entry of "cartridges".
struct CartridgeWish {
    std::string name;
    std::string url;
    std::string gear_size;
    std::optional<std::int64_t> additional_storage;
};

/// POST …/applications, decoded. What could not be decoded is in problems already.
struct CreateApplication {
    std::string name;
    std::vector<CartridgeWish> cartridges;
    bool scale = false;
    bool ha = false;
    std::string gear_size;
    std::string initial_git_url;
    std::string initial_git_branch;
    std::string region;
    std::vector<EnvironmentVariable> variables;
    DeploymentSettings deployment;
    Problems problems;
};

struct Created {
    Application application;
    OperationOutput output;
};

/// An entry of a PATCH: without a value the variable is removed.
struct VariableChange {
    std::string name;
    std::optional<std::string> value;
};

/// What PUT application may change; absent members stay.
struct DeploymentChange {
    std::optional<bool> auto_deploy;
    std::optional<std::string> branch;
    std::optional<std::int64_t> keep;
    std::optional<std::string> type;
};

/// PEM texts; all empty: none.
struct AliasCertificate {
    std::string chain;
    std::string key;
    std::string pass_phrase;
    bool is_empty() const { return chain.empty() && key.empty(); }
};

/// What PUT cartridge may change; absent members stay.
struct ScalingChange {
    std::optional<std::int64_t> from;
    std::optional<std::int64_t> to;
    std::optional<std::int64_t> additional_storage;
};

/// Bytes that are made while they are sent: the next of them, "" at the end.
using Pieces = std::function<std::string()>;
/// Hands over bytes as they come until they end or the receiver wants no more. Throws when they break off.
using PieceReader = std::function<void(const std::function<bool(std::string_view)>& receiver)>;

/// Reads take no lock. Changes take the application's lock for as long as they last.
class ApplicationService {
public:
    ApplicationService(Core& core, CartridgeCatalogue& catalogue)
        : core_(core), catalogue_(catalogue) {}

    /// In the domain of that name, which is made by make_domain if the user has none such.
    Created create(const Principal& who, const std::string& domain, const CreateApplication& request,
                   DomainService& domains);

    std::vector<Application> list(const Principal& who) const;
    std::vector<Application> list(const Domain& domain) const;
    /// Throw 404/101.
    Application application(const Principal& who, const std::string& id) const;
    Application application(const Domain& domain, const std::string& name) const;

    void remove(const Principal& who, const Application& application);
    void run_event(const Principal& who, const Application& application, GearEvent event);
    ScriptMessages run_cartridge_verb(const Principal& who, const Application& application,
                                      const std::string& cartridge, const std::string& verb);
    GearHealth health(const Application& application) const {
        return core_.agent.health(application.gear());
    }
    GearState state(const Application& application) const;
    std::vector<Deployment> deployments(const Application& application) const;
    LogPage logs(const Application& application, const std::string& after, int lines) const {
        return core_.agent.logs(application.gear(), after, lines);
    }

    Created add_cartridge(const Principal& who, const Application& application,
                          const CartridgeWish& wish, const Problems& problems);
    void remove_cartridge(const Principal& who, const Application& application,
                          const std::string& name);
    /// To the packaging that is on offer now. Throws Error with why it stays as it is.
    CartridgeUpgrade upgrade_cartridge(const Principal& who, const Application& application, const std::string& name);
    Application change_variables(const Principal& who, const Application& application,
                                 const std::vector<VariableChange>& changes);
    /// Gives its gear another size, at once. 110 for a size that the host does not have.
    Application resize(const Principal& who, const Application& application, const std::string& size);
    /// The limits of a cartridge: 100, 164, 166, 168 for what an unscaled application or its owner
    /// may not have.
    Application change_scaling(const Principal& who, const Application& application,
                               const std::string& cartridge, const ScalingChange& change);
    std::vector<GearEndpoint> endpoints(const Application& application) const;
    /// `control threaddump` of every cartridge that declares it; 180 if none does.
    ScriptMessages dump_threads(const Principal& who, const Application& application);
    /// Deploys without a push. Throws Error(unavailable) with the end of its output if it fails.
    Deployment deploy(const Principal& who, const Application& application,
                      const DeployRequest& request);
    void activate(const Principal& who, const Application& application,
                  const std::string& deployment);

    // snapshots.cpp
    /// The whole application as a gzipped tar (cartridge contract, 18), which rests until it is read to its end or given
    /// up. Throws before the first piece when there is none to be had; later the archive is worth nothing.
    Pieces save_snapshot(const Principal& who, const Application& application);
    /// Puts back what it was given, of this or another application. 422 with what the gear said when it cannot be used
    /// or does not start.
    void restore_snapshot(const Principal& who, const Application& application, const PieceReader& archive);

    // aliases.cpp
    /// Throws 404/173.
    static const Alias& alias(const Application& application, const std::string& name);
    Application add_alias(const Principal& who, const Application& application,
                          const std::string& name, const AliasCertificate& certificate);
    /// Another certificate, or none if it is empty.
    Application update_alias(const Principal& who, const Application& application,
                             const std::string& name, const AliasCertificate& certificate);
    Application remove_alias(const Principal& who, const Application& application,
                             const std::string& name);

    Application change_deployment(const Principal& who, const Application& application,
                                  const DeploymentChange& change);

private:
    AliasName check_alias(const std::string& text) const;
    /// Empty if none is given; 403/175 for owners who may have none, 172 and 174 for a bad one.
    std::optional<RouterCertificate> check_certificate(const Application& application,
                                                       const std::string& host,
                                                       const AliasCertificate& certificate) const;
    void run_aliases(const Principal& who, const Application& current, std::vector<Alias> aliases,
                     const std::optional<RouterCertificate>& certificate);
    /// Whether it is new is told too: what another request made is not this one's to remove.
    std::pair<Domain, bool> ensure_domain(const Principal& who, const std::string& name,
                                          DomainService& domains) const;
    /// 503 when another operation lasts longer than broker.lock_wait_seconds.
    KeyedMutex::Lock wait_for_lock(const Application& application) const;
    KeyedMutex::Lock lock_ready(const Application& application, Application& current) const;
    Deployment deploy_archive(const Principal& who, const Application& application, const DeployRequest& request);
    /// A command of the gear's user, once nothing else goes on there.
    std::unique_ptr<GearStream> open_session(const Principal& who, const Application& application,
                                             const std::string& command) const;
    /// 109 for one of category domain_scope that another application of the domain has.
    void check_scope(const Application& application, const Cartridge& cartridge) const;
    /// 136, 137, 185 for one that the application cannot have.
    void check_addition(const Application& current, const Cartridge& cartridge) const;
    /// Into the application's gear.
    Cartridge fetch_own(const Principal& who, const Application& current, const std::string& url) const;
    RepositorySource source_of(const CreateApplication& request) const;
    Application make_application(const CreateApplication& request, const ApplicationName& name) const;
    Created run_creation(const Principal& who, const Domain& seen, CreateFacts facts,
                         DomainService& domains);

    Core& core_;
    CartridgeCatalogue& catalogue_;
};

/// What the rules of a creation depend on.
struct CreationRules {
    User owner;                             ///< of the domain
    std::int64_t consumed_gears = 0;        ///< the owner's
    std::vector<std::string> host_sizes;    ///< that this host has
    std::vector<std::string> domain_sizes;  ///< that the domain allows
    const Settings& settings;
};

struct CheckedCreation {
    std::vector<Cartridge> cartridges;  ///< in the order of installation; of the catalogue
    std::vector<std::string> own_urls;  ///< of those that are still to be fetched: the set is not checked yet
    std::string gear_size;
};

/// The rules of section 14.3 that need no lock, in its order; problems are added, 403 is thrown.
CheckedCreation check_creation(const CreateApplication& request, const CreationRules& rules,
                               const CartridgeCatalogue& catalogue, Problems& problems);

/// The cartridges meant by these words, in the order of installation; 109 and 155 where they are
/// none, several, or no set that makes an application; not is_whole: others are still to come.
std::vector<Cartridge> choose_cartridges(const std::vector<std::string>& words,
                                         const CartridgeCatalogue& catalogue, Problems& problems,
                                         bool is_whole = true);

/// Why this cartridge cannot be put beside those: it is obsolete, or two of them conflict; "" if it can.
std::string unfit_among(const Cartridge& cartridge, const std::vector<Cartridge>& others);

/// 109, 155 and 185 for what is no set that makes an application.
void check_set(const std::vector<Cartridge>& chosen, const CartridgeCatalogue& catalogue, Problems& problems);

/// 109 for addresses of own cartridges that are not taken; there: how many the application has already.
void check_own_urls(const std::vector<std::string>& urls, std::size_t there, const Settings& settings, Problems& problems);

/// 164 and 166 for extra storage beyond what the owner may have.
void check_storage(std::int64_t gigabytes, const User& owner, Problems& problems);

/// 186, 188, 190 for the variables that an application would have.
void check_variables(const std::vector<EnvironmentVariable>& variables, Problems& problems);

/// What git check-ref-format(1) allows as far as one can tell without git, at most 256 characters.
bool is_git_ref(const std::string& text);

/// The settings with the change in; exit code 1 and the field for values that break a rule.
DeploymentSettings apply(const DeploymentChange& change, DeploymentSettings settings,
                         Problems& problems);

/// The URL as it may be shown: user information removed; "" for "empty".
std::string public_git_url(const std::string& url);

}  // namespace gearbox
