// The deployments of a gear that are kept below app-deployments, as their metadata.json tells them.
#pragma once
#include "node/agent.h"
#include "node/cartridge_runner.h"

#include <string>
#include <vector>

namespace gearbox {

struct KeptDeployment {
    std::string directory;  ///< below app-deployments
    Deployment value;
};

/// The text of a metadata.json.
std::string metadata_text(const Deployment& deployment);

class KeptDeployments {
public:
    KeptDeployments(const NodeContext& node, const CartridgeRunner& runner) : node_(node), runner_(runner) {}

    /// The gear's own files: what it broke is not among them.
    std::vector<KeptDeployment> all(const GearRecord& record) const;
    /// Null if none was.
    static const KeptDeployment* last_activated(const std::vector<KeptDeployment>& all);

    void write(const GearRecord& record, const std::string& directory, const Deployment& deployment) const;
    /// Of more than the application keeps, the least recently activated are none any more; never the current one.
    void forget_excess(const GearRecord& record, const std::string& current) const;
    /// Removes the files of what is none, in the gear. What stays is the next one's to remove.
    void prune(const GearRecord& record) const;

private:
    void remove_others(const GearRecord& record) const;

    const NodeContext& node_;
    const CartridgeRunner& runner_;
};

}  // namespace gearbox
