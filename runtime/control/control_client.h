// The other end of control_server.h.
#pragma once
#include "base/fd.h"
#include "base/json.h"

#include <string>
#include <vector>

namespace gearbox {

/// Throws Error(unavailable) if nobody listens.
UniqueFd connect_control(const std::string& socket);

/// Sends one request.
void send_control(int connection, const std::string& verb, const Json& args);

struct ControlReply {
    Json message;
    std::vector<UniqueFd> descriptors;
};

/// The next packet. Throws Error(unavailable) at its end; an error reply is thrown as the Error
/// that it carries.
ControlReply receive_control(int connection);

/// One request, one result; no time limit: operations may take minutes.
Json call(const std::string& socket, const std::string& verb, const Json& args = Json::object());

}  // namespace gearbox
