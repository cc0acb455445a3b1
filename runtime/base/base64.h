// Base64 as in RFC 4648, 4: Basic authentication, logins on the way through sshd, keys.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace gearbox {

std::string encode_base64(std::string_view bytes);

/// Empty if the text is not base64. The padding may be missing.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace gearbox
