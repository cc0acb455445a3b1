// A gear's logs as lines, for people who follow them. The gear writes these files and may put anything into them or in
// their place: what is read has bounds, and nothing in a line can look like the end of it or move a terminal's cursor.
#pragma once
#include "node/agent.h"
#include "node/gear_files.h"

#include <string>
#include <string_view>
#include <vector>

namespace gearbox {

/// after "": the last lines of each file in these directories. Else what came since; a file that was rotated or emptied
/// in between goes on where it should. Files with names beyond [A-Za-z0-9._@+-], and rotated ones (NAME.1), are left out.
LogPage read_logs(const GearFiles& files, const std::vector<std::string>& directories, const std::string& after, int lines);

/// One line for a terminal: control characters, those that change the direction of writing, and what is not UTF-8
/// become \xNN; at most 4096 bytes of it.
std::string visible_line(std::string_view text);

}  // namespace gearbox
