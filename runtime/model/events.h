// What long operations tell while they run: progress for the journal, text for a pusher.
#pragma once
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "model/application.h"

namespace gearbox {

/// Receives text as it comes, chunks not lines; called from the thread that runs the operation.
using TextSink = std::function<void(std::string_view)>;

/// To an empty one, too.
inline void say(const TextSink& sink, std::string_view text) {
    if (sink) {
        sink(text);
    }
}

/// What a script's output asked for (cartridge contract, 7).
struct ScriptMessages {
    std::vector<std::string> results;   ///< CLIENT_RESULT, shown to the user
    std::vector<std::string> messages;  ///< CLIENT_MESSAGE
    std::vector<std::string> errors;    ///< CLIENT_ERROR, CLIENT_INTERNAL_ERROR
    std::vector<std::string> debug;     ///< CLIENT_DEBUG
    std::vector<CartridgeProperty> cart_data;
    std::vector<std::string> attributes;  ///< ATTR
    std::vector<DomainVariable> domain_variables;  ///< ENV_VAR_ADD, ENV_VAR_ADD_UNIQUE
    bool blames_user = false;  ///< there was a CLIENT_ERROR, not an internal one only
};

/// What another script of the same cartridge said afterwards; of properties and variables the last of a name counts.
void append(ScriptMessages& to, ScriptMessages more);

}  // namespace gearbox
