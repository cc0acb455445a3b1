// NodeAgent in this process, for the gears of this machine.
#pragma once
#include "base/clock.h"
#include "base/keyed_mutex.h"
#include "base/settings.h"
#include "node/agent.h"
#include "node/cartridge_runner.h"
#include "node/context.h"
#include "node/deployer.h"
#include "node/imported_cartridges.h"
#include "node/profiles.h"
#include "node/repositories.h"
#include "node/router.h"
#include "node/watcher.h"
#include "sys/cgroup.h"
#include "sys/process.h"

#include <memory>
#include <mutex>

namespace gearbox {

class LocalAgent final : public NodeAgent {
public:
    /// Throws Error(unavailable) if the machine lacks what gears need (SELinux, cgroups), Error(invalid) for a
    /// bad security profile.
    LocalAgent(const Settings& settings, const Clock& clock);

    /// After a start of the daemon: finds the sandboxes that live, tells the router. Quick.
    void recover();
    /// For each script of a gear, if the settings give more; before anything runs at the same time.
    void limit_scripts(std::chrono::seconds most) { node_.script_limit = most; }
    /// Brings limits in line with the settings, and starts the gears that should run but do not (after
    /// a reboot, or a push that the end of the daemon interrupted), each under its lock.
    void start_missing(KeyedMutex& locks);
    /// Of all gears: by the numbers in their files .start_priority, and then the oldest first.
    std::vector<GearId> starting_order() const;
    /// Reaps ended sandboxes; on SIGCHLD.
    void reap() { reaper_.collect(); }

    NodeStorage storage() const override;
    void flush() const override;
    std::vector<std::string> missing_packages(const std::vector<std::string>& packages) const override;
    std::vector<Cartridge> cartridges() const override;
    std::vector<Cartridge> withdrawn_cartridges() const override;
    std::vector<ImportedCartridge> imported_cartridges() const override;
    std::string make_cartridge_staging() override;
    CartridgeImport import_cartridge(const std::string& staging) override;
    void activate_cartridge(const std::string& name, bool active) override;
    void forget_cartridge(const std::string& name) override;
    std::vector<uid_t> foreign_ids(uid_t first, uid_t last) const override;
    void create_gear(const GearSpec& spec) override;
    void destroy_gear(const GearId& gear) override;
    bool has_gear(const GearId& gear) const override;
    std::vector<GearId> gears() const override;
    Cartridge fetch_cartridge(const GearId& gear, const std::string& url) override;
    void drop_fetched(const GearId& gear) override;
    ScriptMessages add_cartridge(const GearId& gear, const Cartridge& cartridge) override;
    ScriptMessages post_install(const GearId& gear, const std::string& cartridge) override;
    void remove_cartridge(const GearId& gear, const Cartridge& cartridge) override;
    CartridgeUpgrade upgrade_cartridge(const GearId& gear, const Cartridge& cartridge) override;
    void create_repository(const GearId& gear, const RepositorySource& source) override;
    ScriptMessages deploy_initially(const GearId& gear, const TextSink& output) override;
    void start(const GearId& gear) override;
    void stop(const GearId& gear, bool force) override;
    void restart(const GearId& gear) override;
    void reload(const GearId& gear) override;
    void tidy(const GearId& gear) override;
    ScriptMessages control(const GearId& gear, const std::string& cartridge,
                           const std::string& verb) override {
        return control(gear, cartridge, verb, {});
    }
    /// The same, with its output as it comes.
    ScriptMessages control(const GearId& gear, const std::string& cartridge, const std::string& verb,
                           const TextSink& output);
    GearState state(const GearId& gear) const override;
    GearUse use(const GearId& gear) const override;
    Json plan(const GearId& gear) const override;
    std::vector<Profile> profiles() const override { return profiles_.all(); }
    std::string profile(const GearId& gear) const override;
    void freeze(const GearId& gear, bool frozen) override;
    GearHealth health(const GearId& gear) const override { return watcher_.health(gear); }
    void publish_routes(const GearId& gear, const std::vector<std::string>& hosts) override;
    std::vector<std::string> check_routes(
        const std::map<GearId, std::vector<std::string>>& hosts) const override;
    void set_certificate(const std::string& host, const std::string& pem) override {
        router_.set_certificate(host, pem);
    }
    void remove_certificate(const std::string& host) override { router_.remove_certificate(host); }
    std::vector<GearEndpoint> endpoints(const GearId& gear) const override;
    void set_authorized_keys(const GearId& gear, const std::vector<PublicKey>& keys) override;
    void set_user_variables(const GearId& gear,
                            const std::vector<EnvironmentVariable>& variables) override;
    void set_domain_variables(const GearId& gear,
                              const std::vector<EnvironmentVariable>& variables) override;
    void set_resources(const GearId& gear, const GearResources& resources) override;
    void set_deployment_settings(const GearId& gear, const DeploymentSettings& settings) override;
    std::vector<Deployment> deployments(const GearId& gear) const override;
    LogPage logs(const GearId& gear, const std::string& after, int lines) const override;

    bool deploy(const GearId& gear, const DeployRequest& request,
                const TextSink& output) override;
    bool activate(const GearId& gear, const std::string& deployment,
                  const TextSink& output) override;

    /// Like stop, but the sandbox lives on with the sessions that are in it.
    void stop_services(const GearId& gear);
    /// After a snapshot was put back: activates what came with it, or deploys the branch.
    bool activate_current(const GearId& gear, const TextSink& output);

    /// The host may have changed: its name servers, the router's certificate, and what is free on its disk.
    void follow_host();
    Watcher& watcher() { return watcher_; }
    const NodeContext& context() const { return node_; }
    const CartridgeRunner& runner() const { return runner_; }
    const Deployer& deployer() const { return deployer_; }

private:
    void apply_resources(const GearRecord& record);
    void bring_up(const GearId& gear, KeyedMutex& locks);
    void tell_shortage() const;
    void warn_of_unknown_cartridges() const;
    void load_cartridges();
    Cartridge find_packaging(const Cartridge& cartridge, const std::string& version) const;
    void start_if_missing(GearRecord& record);
    void begin_change(const GearId& gear);
    void bring_back(const GearId& gear, const std::string& cartridge);
    void halt(GearRecord& record, bool force);
    void end_deployment(const GearRecord& record);

    const Settings& settings_;
    Paths paths_;
    std::unique_ptr<SecurityPolicy> policy_;
    Profiles profiles_;
    sys::Cgroups cgroups_;
    sys::Reaper reaper_;
    GearStore store_;
    Isolators isolators_;
    Launcher launcher_;
    NodeContext node_;
    CartridgeRunner runner_;
    Repositories repositories_;
    Deployer deployer_;
    Router router_;
    Watcher watcher_;
    mutable std::mutex catalogue_mutex_;  ///< of those below
    ImportedCartridges imported_;
    std::vector<Cartridge> catalogue_;
    std::vector<Cartridge> withdrawn_;
};

/// The line of authorized_keys. Pure.
std::string authorized_key_line(const GearId& gear, uid_t uid, const PublicKey& key);

}  // namespace gearbox
