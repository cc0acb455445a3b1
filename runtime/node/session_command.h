// What an ssh client asked for, parsed strictly (cartridge contract, 13).
#pragma once
#include "model/gear.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

struct SessionCommand {
    enum class Kind { receive_pack, upload_pack, program, shell };
    Kind kind = Kind::shell;
    std::vector<std::string> argv;
};

/// command: SSH_ORIGINAL_COMMAND, empty for an interactive shell. Throws Error(invalid) for a git
/// or tail command that is not exactly right, Error(forbidden) for another repository than the
/// gear's.
SessionCommand parse_session_command(const std::optional<std::string>& command,
                                     const GearSpec& spec, const std::string& home);

/// Empty if the text is not base64.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace gearbox
