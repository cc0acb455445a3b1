// What the broker may ask of the node: the only header of node/ that broker/ includes. One
// implementation in this process (local_agent.h); fakes in tests.
#pragma once
#include "base/error.h"
#include "base/id.h"
#include "base/json.h"
#include "model/application.h"
#include "model/cartridge.h"
#include "model/events.h"
#include "model/gear.h"
#include "model/profile.h"
#include "node/gear_stream.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// Where a new application's repository comes from.
struct RepositorySource {
    enum class Kind { cartridge_template, git, empty };
    Kind kind = Kind::cartridge_template;
    GitSource git;  ///< for Kind::git
};

/// What the broker hears of a setup, install or post_install that ends with less than 100, which are the node's own
/// numbers (contract 6.3).
constexpr int script_failure = 157;

/// A script of a cartridge ended with non-zero status. what() is fit for the user.
class ScriptError : public Error {
public:
    ScriptError(int status, ErrorKind kind, std::string text)
        : Error(kind, std::move(text)), status_(status) {}
    int status() const { return status_; }

private:
    int status_;
};

/// One deployment as metadata.json tells it (cartridge contract, 14.2).
struct Deployment {
    std::string id;  ///< 8 hex digits
    std::string ref;
    std::string sha1;
    bool hot_deploy = false;
    bool force_clean_build = false;
    std::int64_t created = 0;
    std::vector<double> activations;  ///< seconds since the epoch
    std::string checksum = {};        ///< of its files, hex
};

/// Of the file system that holds all gears.
struct NodeStorage {
    std::int64_t all_mb = 0;
    std::int64_t free_mb = 0;     ///< for gears
    std::int64_t reserve_mb = 0;  ///< nothing is created or deployed when less is free
};

/// An address that a cartridge of a gear listens on.
struct GearEndpoint {
    std::string cartridge;         ///< full name
    std::string internal_address;  ///< inside of the gear
    int internal_port = 0;
    std::string external_address;  ///< on this machine
    int external_port = 0;         ///< 0: reached inside of the gear only
};

/// A deployment without a push.
struct DeployRequest {
    std::string ref;  ///< branch, tag or commit; "" = the deployment branch
    bool hot_deploy = false;
    bool force_clean_build = false;
    std::string artifact_url = {};  ///< of an archive to be deployed instead; checked (model/cartridge_url.h)
};

/// What became of a gear's services, as far as the daemon has seen.
struct GearHealth {
    std::int64_t oom_kills = 0;  ///< processes killed by the memory limit since its cgroup was made, at most since boot
    int restarts = 0;            ///< of services that had ended, since the daemon started
    bool has_given_up = false;   ///< a service ends again and again
};

/// What a gear uses now.
struct GearUse {
    std::int64_t memory_bytes = 0;
    std::int64_t cpu_us = 0;  ///< since it exists
    std::int64_t processes = 0;
    std::optional<std::int64_t> disk_bytes;  ///< none: its file system keeps no quota
    std::optional<std::int64_t> files;
    bool is_frozen = false;
};

/// A cartridge that the operator has added to those of the packages.
struct ImportedCartridge {
    std::string name;                   ///< with its vendor, without a version
    std::vector<std::string> versions;  ///< of the packaging, oldest first
    std::string active;                 ///< one of them; "": not offered
};

/// Throws Error(not_found) for a name that none of them has.
inline void check_imported(const std::string& name, const std::vector<ImportedCartridge>& all) {
    if (std::any_of(all.begin(), all.end(), [&](const ImportedCartridge& one) { return one.name == name; })) {
        return;
    }
    for (const ImportedCartridge& one : all) {
        if (one.name == without_version(name)) {
            fail(ErrorKind::not_found, "no cartridge '", name, "' was imported; '", one.name, "' stands for all its versions");
        }
    }
    fail(ErrorKind::not_found, "no cartridge '", name, "' was imported; see 'gearbox admin cartridge list'");
}

/// What came of an import.
struct CartridgeImport {
    std::string name;
    std::vector<std::string> offers;   ///< full names
    std::vector<std::string> remarks;  ///< what its operator should know
};

/// What an upgrade of a cartridge in a gear came to.
struct CartridgeUpgrade {
    std::string from;  ///< versions of its packaging
    std::string to;    ///< the same as from: there was nothing to do
    bool was_compatible = false;
};

/// Acts on gears. Thread-safe; calls for one gear are serialised by the caller (one lock per
/// application). Every call is idempotent: the journal repeats calls after a crash. destroy_ and
/// remove_ calls are fine with what never existed. All throw Error.
struct LogLine {
    std::string file;  ///< below the gear's home
    std::string text;  ///< without control characters
};
struct LogPage {
    std::vector<LogLine> lines;
    std::string after;  ///< asks for what comes next
};

class NodeAgent {
public:
    virtual ~NodeAgent() = default;

    virtual NodeStorage storage() const { return {}; }

    /// Cartridges whose native requirements are installed, every version, newest first.
    virtual std::vector<Cartridge> cartridges() const = 0;
    /// Those that are on this node and that applications may have, but that are not on offer: withdrawn by the operator,
    /// left out of a newer packaging, or without their packages.
    virtual std::vector<Cartridge> withdrawn_cartridges() const { return {}; }

    /// Those of these Debian packages that are not installed.
    virtual std::vector<std::string> missing_packages(const std::vector<std::string>&) const { return {}; }

    /// The operator's cartridges: an empty directory for root to fill, what was filled taken in and offered, offered
    /// or not, forgotten. Gears that have one keep it.
    virtual std::vector<ImportedCartridge> imported_cartridges() const { return {}; }
    virtual std::string make_cartridge_staging() { fail_imports(); }
    virtual CartridgeImport import_cartridge(const std::string&) { fail_imports(); }
    virtual void activate_cartridge(const std::string&, bool) { fail_imports(); }
    virtual void forget_cartridge(const std::string&) { fail_imports(); }

    /// Ids from first to last that belong to accounts or groups of the machine which are not gears.
    virtual std::vector<uid_t> foreign_ids(uid_t first, uid_t last) const {
        static_cast<void>(first);
        static_cast<void>(last);
        return {};
    }

    /// What gears' files are survives a power cut from now on.
    virtual void flush() const {}

    /// Account, home in the v2 layout with the gear's label, environment files, cgroup.
    virtual void create_gear(const GearSpec& spec) = 0;
    /// Kills what runs, removes route, sandbox, network device, cgroup, account, home. Works on a
    /// gear that is only half there.
    virtual void destroy_gear(const GearId& gear) = 0;
    virtual bool has_gear(const GearId& gear) const = 0;
    /// Gears whose home or record exists, for the reconciliation at start.
    virtual std::vector<GearId> gears() const = 0;

    /// Fetches a user's own cartridge with the gear's powers and network, into its home: it has to be added, or
    /// dropped. The gear may be new. Throws Error(invalid) with why it cannot be fetched or used.
    virtual Cartridge fetch_cartridge(const GearId& gear, const std::string& url) = 0;
    /// Everything that was fetched and not added.
    virtual void drop_fetched(const GearId& gear) = 0;

    /// Installs one cartridge: copy, endpoints, setup, install (contract 3.1). The first one is the
    /// primary. A failing script leaves the gear as it was before and throws ScriptError.
    virtual ScriptMessages add_cartridge(const GearId& gear, const Cartridge& cartridge) = 0;
    /// What a cartridge of a gear, by its full name, has to do once the application is there (contract 3.2).
    virtual ScriptMessages post_install(const GearId& gear, const std::string& cartridge) = 0;
    virtual void remove_cartridge(const GearId& gear, const Cartridge& cartridge) = 0;

    /// Brings a cartridge of a gear to the packaging that is on offer now (contract 3.5). One that fails is at its
    /// version from before, and runs if it did. May be repeated after a crash.
    virtual CartridgeUpgrade upgrade_cartridge(const GearId&, const Cartridge&) { fail_imports(); }

    /// Makes ~/git/APP.git with hooks. Throws Error(invalid) if the source cannot be cloned.
    virtual void create_repository(const GearId& gear, const RepositorySource& source) = 0;
    /// The first deployment of a new application and its start (contract 3.2); for an empty
    /// repository nothing is started.
    virtual ScriptMessages deploy_initially(const GearId& gear, const TextSink& output) = 0;

    virtual void start(const GearId& gear) = 0;
    /// After the cartridges' own stop scripts, what is left is asked to end (TERM) and, some seconds later, killed; force: at
    /// once, and whether the scripts succeed or not.
    virtual void stop(const GearId& gear, bool force) = 0;
    virtual void restart(const GearId& gear) = 0;
    virtual void reload(const GearId& gear) = 0;
    virtual void tidy(const GearId& gear) = 0;
    /// One cartridge's control verb (start stop restart reload status threaddump …), its output.
    virtual ScriptMessages control(const GearId& gear, const std::string& cartridge,
                                   const std::string& verb) = 0;
    virtual GearState state(const GearId& gear) const = 0;
    virtual GearHealth health(const GearId& gear) const = 0;
    virtual GearUse use(const GearId& gear) const = 0;
    /// How its sandbox is made, as gear-init gets it.
    virtual Json plan(const GearId& gear) const = 0;
    /// The operator's security profiles, and the name of the one that a gear has ("": none).
    virtual std::vector<Profile> profiles() const = 0;
    virtual std::string profile(const GearId& gear) const = 0;
    /// Stops its processes where they are, or lets them go on; starting and stopping lets them go on, too.
    /// Errors: unavailable on hosts with cgroup v1.
    virtual void freeze(const GearId& gear, bool frozen) = 0;

    /// Host names that lead to this gear's web endpoints from now on, replacing earlier ones.
    virtual void publish_routes(const GearId& gear, const std::vector<std::string>& hosts) = 0;
    /// What is wrong, as sentences, when exactly these hosts should lead to these gears: what the
    /// running router misses, has too much, or sends elsewhere.
    virtual std::vector<std::string> check_routes(
        const std::map<GearId, std::vector<std::string>>& hosts) const = 0;
    /// The certificate chain and private key (PEM) that visitors of this host name get, instead of
    /// the machine's own.
    virtual void set_certificate(const std::string& host, const std::string& pem) = 0;
    virtual void remove_certificate(const std::string& host) = 0;
    /// Where the gear's cartridges listen.
    virtual std::vector<GearEndpoint> endpoints(const GearId& gear) const = 0;

    /// Who may log in; replaces the whole list. Needs no lock of the application.
    virtual void set_authorized_keys(const GearId& gear, const std::vector<PublicKey>& keys) = 0;
    /// The user's variables, replacing all earlier ones; seen after a restart.
    virtual void set_user_variables(const GearId& gear,
                                    const std::vector<EnvironmentVariable>& variables) = 0;
    /// Those that cartridges of the domain give, replacing all earlier ones; seen after a restart.
    /// Needs no lock of the application.
    virtual void set_domain_variables(const GearId& gear,
                                      const std::vector<EnvironmentVariable>& variables) = 0;
    virtual void set_deployment_settings(const GearId& gear,
                                         const DeploymentSettings& settings) = 0;
    /// What it may use, at once. More in use than it shall have is no error: of disk space it gets no more,
    /// and memory is taken back by killing if need be.
    virtual void set_resources(const GearId& gear, const GearResources& resources) = 0;
    virtual std::vector<Deployment> deployments(const GearId& gear) const = 0;
    /// after "": the last lines of each log; else what came after an earlier page. Needs no lock of the application.
    virtual LogPage logs(const GearId& gear, const std::string& after, int lines) const = 0;
    /// Builds and activates what the repository has. False when that failed, with the reason in the
    /// output. Throws Error(invalid) for a ref that is not there and for applications that take
    /// binary deployments.
    virtual bool deploy(const GearId& gear, const DeployRequest& request,
                        const TextSink& output) = 0;
    /// Makes a kept deployment the current one. False when it does not start: the one from before
    /// runs again. Throws Error(not_found) for an id that is not kept.
    virtual bool activate(const GearId& gear, const std::string& deployment,
                          const TextSink& output) = 0;

private:
    [[noreturn]] static void fail_imports() {
        fail(ErrorKind::unavailable, "this node takes no cartridges beyond those of its packages");
    }
};

}  // namespace gearbox
