// An application's bare repository with its hooks (cartridge contract, 3.1.10 and 14).
#pragma once
#include "node/agent.h"
#include "node/cartridge_runner.h"
#include "node/context.h"

#include <string>

namespace gearbox {

inline constexpr const char* git_program = "/usr/bin/git";

class Repositories {
public:
    Repositories(const NodeContext& node, const CartridgeRunner& runner)
        : node_(node), runner_(runner) {}

    /// cartridge_source: directory of the web framework's files, for Kind::cartridge_template;
    /// the template of a user's own is in the gear.
    /// Saves the record. A complete repository stays. Throws Error(invalid) if the URL cannot be
    /// cloned.
    void create(GearRecord& record, const RepositorySource& source,
                const std::string& cartridge_source) const;

    /// The commit that the name leads to, "" if there is none. Asked inside the gear: the
    /// repository is the gear's.
    std::string find_commit(const GearRecord& record, const std::string& name) const;

    std::string path(const GearRecord& record) const;

private:
    void from_template(const GearRecord& record, const std::string& directory) const;
    void from_own_template(const GearRecord& record) const;
    void from_url(const GearRecord& record, const GitSource& source) const;
    void install_hooks(const GearRecord& record) const;

    const NodeContext& node_;
    const CartridgeRunner& runner_;
};

}  // namespace gearbox
