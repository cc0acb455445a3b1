// Values as the contract shows them.
#pragma once
#include "model/descriptor.h"
#include "rest/message.h"

#include <map>
#include <string>
#include <vector>

namespace gearbox::rest {

Json present_user(const User& user, std::int64_t consumed_gears, const View& view);
Json present_key(const KeyRecord& key, const View& view);
Json present_authorization(const Authorization& authorization, const User& user, std::int64_t now,
                           const View& view);
/// As a member of the domain itself.
Json present_member(const Member& member, const Domain& domain, const View& view);
Json present_member(const Member& member, const Team& team, const View& view);
/// Without members they are null, which clients follow LIST_MEMBERS for.
Json present_team(const Team& team, const std::optional<std::vector<Member>>& members,
                  const View& view);
/// As a member of one of its applications.
Json present_inherited_member(const Member& member, const Application& application);

struct DomainDetails {
    const std::vector<Member>& members;  ///< the owner first
    std::int64_t available_gears = 0;
    /// Present with ?include=application_info.
    std::optional<std::int64_t> application_count = std::nullopt;
    std::map<std::string, std::int64_t> gear_counts = {};  ///< by size, with the above
};
Json present_domain(const Domain& domain, const DomainDetails& details, const View& view);

/// With every cartridge when with_cartridges, null otherwise.
Json present_application(const Application& application, const std::vector<Member>& members,
                         const CartridgeCatalogue& catalogue, bool with_cartridges,
                         const View& view);
/// An entry of the catalogue.
Json present_cartridge(const Cartridge& cartridge, const View& view);
/// One that is part of an application; known is empty if it is no longer on offer.
Json present_installed(const InstalledCartridge& installed, const std::optional<Cartridge>& known,
                       const Application& application, const View& view);
Json present_gear_group(const Application& application, GearState state, const GearHealth& health,
                        const CartridgeCatalogue& catalogue, const View& view);
Json present_endpoints(const Application& application, const std::vector<GearEndpoint>& endpoints,
                       const CartridgeCatalogue& catalogue);
Json present_alias(const Alias& alias, const Application& application, const View& view);
Json present_aliases(const Application& application, const View& view);
Json present_variable(const EnvironmentVariable& variable, const Application& application,
                      const View& view);
Json present_deployment(const Deployment& deployment);
Json present_quickstart(const Quickstart& quickstart, const View& view);
Json present_operation(const OperationRecord& operation, std::int64_t monotonic_ms);

std::string application_url(const Application& application, const View& view);
std::string ssh_url(const Application& application, const View& view);
/// "Name: shop\nRequires:\n- php-8.4\n"
Descriptor descriptor(const Application& application);

/// The contract's order: info, then debug, warning, error and result output of the hooks.
std::vector<Message> messages_of(std::string info, const OperationOutput& output);

}  // namespace gearbox::rest
