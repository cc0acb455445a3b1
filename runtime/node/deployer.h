// From a commit to a running application (cartridge contract, 14). The caller holds the
// application's lock from prereceive() to the end of postreceive().
#pragma once
#include "node/agent.h"
#include "node/cartridge_runner.h"
#include "node/kept_deployments.h"
#include "node/repositories.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// One line of what git tells its hooks.
struct RefUpdate {
    std::string old_id;
    std::string new_id;
    std::string ref;
};
/// Lines that are not "OLD NEW REF" are left out.
std::vector<RefUpdate> parse_ref_updates(std::string_view text);

/// A push that will be deployed.
struct PendingDeployment {
    std::string ref = {};   ///< as it was asked for; "" = the deployment branch
    std::string commit = {};
    std::string directory = {};  ///< name below app-deployments
    bool hot_deploy = false;
    bool force_clean_build = false;
    std::string archive = {};  ///< path of what it was unpacked from; "" if there is none
    std::string builder = {};  ///< the cartridge that does all of it
};

class Deployer {
public:
    Deployer(const NodeContext& node, const CartridgeRunner& runner,
             const Repositories& repositories)
        : node_(node), runner_(runner), repositories_(repositories), kept_(node, runner) {}

    /// Objects of a push that are not in the repository yet: git's environment for its hook.
    using ObjectEnvironment = std::vector<std::string>;

    /// Empty: the push is taken but nothing is to be deployed. Throws to reject the push.
    std::optional<PendingDeployment> prereceive(GearRecord& record,
                                                const std::vector<RefUpdate>& updates,
                                                const ObjectEnvironment& objects,
                                                const TextSink& output) const;
    /// Builds and activates. False when it failed; the output says why. With a builder the caller holds no lock: what is built
    /// comes back by a session of its own.
    bool postreceive(GearRecord& record, const PendingDeployment& pending,
                     const TextSink& output) const;

    /// Deploys without a push (see NodeAgent::deploy).
    bool deploy(GearRecord& record, const DeployRequest& request, const TextSink& output) const;
    /// Makes a kept deployment the current one (see NodeAgent::activate).
    bool activate_kept(GearRecord& record, const std::string& id, const TextSink& output) const;
    /// Activates whatever is current, or deploys the branch when nothing is: after a restored
    /// snapshot. The services are stopped.
    bool activate_current(GearRecord& record, const TextSink& output) const;

    /// A new directory for files that come from elsewhere than the repository; its name. The
    /// services are stopped, unless hot_deploy. Nothing is built, so there is no clean build.
    PendingDeployment begin_binary(GearRecord& record, const DeployRequest& request,
                                   const TextSink& output) const;
    /// Activates what lies in that directory. False when that failed.
    bool finish_binary(GearRecord& record, const PendingDeployment& pending,
                       const TextSink& output) const;

    /// Puts the files of a deployment, if it is there, where they run.
    void restore(const GearRecord& record, const std::string& directory = "current") const;

    /// Removes what is kept no longer, in the gear. For callers of postreceive(), whose answer does not wait for it; all
    /// others do it by themselves.
    void prune(const GearRecord& record) const { kept_.prune(record); }

    /// The first deployment of a new application, and its start. What a build says is in /tmp/initial-build.log, too
    /// (contract 3.2).
    ScriptMessages deploy_initially(GearRecord& record, const TextSink& sink) const;

    std::vector<Deployment> deployments(const GearRecord& record) const;

private:
    bool finish_deployment(GearRecord& record, const std::string& directory, const TextSink& output,
                           const std::function<void()>& body) const;
    bool hand_over(const GearRecord& record, const PendingDeployment& pending, const TextSink& output) const;
    void switch_to(GearRecord& record, const KeptDeployment& wanted, const TextSink& output) const;
    /// Reads the markers. Throws Error(invalid) for what this gear cannot hold.
    void inspect(const GearRecord& record, PendingDeployment& pending,
                 const ObjectEnvironment& objects) const;
    void begin(GearRecord& record, PendingDeployment& pending, const TextSink& output) const;
    /// The same where nobody else (PushSession) starts again what a failure leaves stopped.
    void begin_alone(GearRecord& record, PendingDeployment& pending, const TextSink& output) const;
    void stop_for(GearRecord& record, const TextSink& output) const;
    /// The primary cartridge is asked to do its part.
    void step(const GearRecord& record, const PendingDeployment& pending, const std::string& verb,
              const TextSink& output) const;
    void checkout(const GearRecord& record, const PendingDeployment& pending,
                  const TextSink& output) const;
    void build(GearRecord& record, const PendingDeployment& pending, const TextSink& output) const;
    Deployment prepare(const GearRecord& record, const PendingDeployment& pending,
                       const TextSink& output) const;
    void activate(GearRecord& record, const PendingDeployment& pending, Deployment deployment,
                  const TextSink& output) const;
    void finish(const GearRecord& record, const PendingDeployment& pending,
                Deployment deployment) const;
    std::vector<std::string> gear_deploy(const std::string& verb, std::vector<std::string> words) const;
    /// Empty, or what to say about a web endpoint that nothing listens on after the start.
    std::string find_silence(const GearRecord& record) const;
    void after_failure(GearRecord& record, const TextSink& output) const;
    std::string make_stamp() const;

    const NodeContext& node_;
    const CartridgeRunner& runner_;
    const Repositories& repositories_;
    KeptDeployments kept_;
};

}  // namespace gearbox
