// THE route table: everything that the broker answers, in one place.
#pragma once
#include "rest/message.h"

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::rest {

constexpr std::string_view base_path = "/broker/rest";

/// What a token must be good for; a password is good for everything.
enum class Privilege {
    open,      ///< nobody needs to log in
    userinfo,  ///< scopes userinfo, read, session
    read,      ///< scopes read, session
    session,   ///< scope session
};
// Routes about a domain or an application also need a role there, and take tokens for just that
// domain or application; in teams there are view and owner. The dispatcher checks it before the handler runs.

/// What is too large for an envelope, or for memory.
enum class Archive { none, in_reply, in_request };

struct Route {
    const char* method;
    /// Below /broker/rest. "a|b" is either word, ":name" any one segment; "@application" stands for
    /// "application|applications/:application" and "domain|domains/:domain/application|
    /// applications/:name".
    const char* pattern;
    Privilege privilege;
    std::optional<Role> role;  ///< in the domain or team that the path leads to; empty: to none
    Reply (*handler)(const Call&);
    const char* summary;
    Archive archive = Archive::none;
};

std::span<const Route> routes();

struct Match {
    const Route* route = nullptr;        ///< null: the path is there, but not with this method
    std::map<std::string, std::string> parts;
    std::vector<std::string> methods;    ///< that the path knows
};

/// Empty: no such path. HEAD matches GET, where that is no archive.
std::optional<Match> find_route(const std::string& method, const std::vector<std::string>& path);

std::vector<std::string> split_path(const std::string& path);

/// The segments below /broker/rest, without ".json" or ".xml" at the end.
std::vector<std::string> route_path(const std::string& path);

}  // namespace gearbox::rest
