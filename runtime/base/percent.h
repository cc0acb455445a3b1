// Percent-encoding of URLs (RFC 3986, section 2.1).
#pragma once
#include <string>

namespace gearbox {

/// All but letters, digits and "-_.~" as %XX: fit for one segment of a path.
std::string percent_encode(const std::string& text);
/// %XX as the byte; what is no such thing stays.
std::string percent_decode(const std::string& text);

}  // namespace gearbox
