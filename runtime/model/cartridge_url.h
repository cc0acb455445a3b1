// Where a user's own cartridge may come from (cartridge contract, 1.6).
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// What is wrong with an address that a cartridge is to be fetched from, as the end of "the address …"; "" if nothing
/// is. prefixes: the operator's list, empty for every address. What a name resolves to and where a server redirects
/// to is not seen here: the network of the gear that fetches decides about those.
std::string wrong_with_cartridge_url(std::string_view url, const std::vector<std::string>& prefixes);

/// The same for an archive that is to be deployed; any http or https address but one of this machine.
std::string wrong_with_archive_url(std::string_view url);

}  // namespace gearbox
