// What an ssh client asked for, parsed strictly (cartridge contract, 13).
#pragma once
#include "model/gear.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// The client's terminal.
struct Terminal {
    int rows = 0;
    int columns = 0;
    std::string type;  ///< TERM
};

struct SessionCommand {
    enum class Kind { receive_pack, upload_pack, program, shell };
    Kind kind = Kind::shell;
    std::vector<std::string> argv;
    std::vector<EnvironmentVariable> variables = {};  ///< beside those of every session
};

/// command: SSH_ORIGINAL_COMMAND, empty for an interactive shell. Throws Error(invalid) for a git
/// or tail command that is not exactly right, Error(forbidden) for another repository than the
/// gear's.
SessionCommand parse_session_command(const std::optional<std::string>& command,
                                     const GearSpec& spec, const std::string& home);

/// A shell on a terminal inside the gear. Bytes come through pipes: no terminal of the host is ever
/// in a gear. Numbers and names that cannot be are replaced. note: a line above its welcome.
SessionCommand make_terminal_session(const Terminal& terminal, const GearSpec& spec, const std::string& note = {});

}  // namespace gearbox
