// Errors become replies here, and nowhere else.
#pragma once
#include "rest/message.h"

#include <exception>

namespace gearbox::rest {

/// The reply for whatever a handler threw. Logs what is our fault, once.
Reply make_problem_reply(const std::exception& error, const std::string& request_id);

/// A reply with one error message.
Reply make_error_reply(int status, std::string text, std::optional<int> exit_code = 1);

}  // namespace gearbox::rest
