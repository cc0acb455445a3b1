// The protocol lines in the output of cartridge scripts (cartridge contract, 7).
#pragma once
#include "model/events.h"

#include <map>
#include <string>
#include <string_view>

namespace gearbox {

/// A variable of the dynamic linker, the shell, git or an interpreter: with it a value is a program (ld.so(8), bash(1), git(1)).
bool changes_programs(std::string_view name);

/// Adds what the lines of the output say; other lines are dropped. A variable that would change other applications' programs
/// becomes a message instead.
void parse_script_output(std::string_view output, ScriptMessages& messages);

/// The text for a user after a script failed: its CLIENT_ERROR lines, or else the last lines that
/// it wrote.
std::string failure_text(const ScriptMessages& messages, std::string_view out,
                         std::string_view err);

/// The output without the protocol's prefixes, as somebody who watches a push should see it.
std::string plain_output(std::string_view output);

/// What a connector's script has for others (contract 8): its output without the lines for its user.
std::string payload_of(std::string_view output);

/// Lines NAME=VALUE of such a payload, at most 100; the last of a name counts. Others are dropped.
std::map<std::string, std::string> published_variables(std::string_view payload);

}  // namespace gearbox
