// Choosing from what the broker offers.
#pragma once
#include "base/json.h"

#include <string>
#include <vector>

namespace gearbox::cli {

/// The catalogue's full name for a word such as "php" or "php-8.4": an exact name, else the newest
/// version of that base name. Throws ExitError 154 with a suggestion.
std::string resolve_cartridge(const Json& catalogue, const std::string& word);
/// What a request says of it: its name, or for an address {"url": …}.
Json cartridge_wish(const Json& catalogue, const std::string& word);


struct Quickstart {
    std::string id;
    std::string summary;
    std::string url;
    std::vector<std::string> cartridges;
    std::string unavailable;  ///< why the node cannot deploy it; empty when it can
};

/// data of GET /quickstarts.
std::vector<Quickstart> parse_quickstarts(const Json& data);

}  // namespace gearbox::cli
