// Tokens for clients that shall not keep the password (broker contract, 11).
#pragma once
#include "broker/core.h"
#include "broker/passwords.h"

namespace gearbox {

struct AuthorizationRequest {
    std::string scopes;  ///< "" = userinfo
    std::string note;
    std::optional<std::int64_t> expires_in;
    bool reuse = false;
};

struct Authorization {
    AuthorizationRecord record;
    std::string token;
    bool is_reused = false;
};

class AuthorizationService {
public:
    AuthorizationService(Core& core, Tokens& tokens) : core_(core), tokens_(tokens) {}

    /// Who the token stands for; empty if unknown or expired.
    std::optional<Principal> authenticate(const std::string& token) const;

    Authorization add(const Principal& who, const AuthorizationRequest& request);
    std::vector<Authorization> list(const Principal& who) const;
    /// By id or token; throws 404/129.
    Authorization authorization(const Principal& who, const std::string& id_or_token) const;
    Authorization set_note(const Principal& who, const std::string& id_or_token,
                           const std::string& note);
    /// Unknown is fine.
    void remove(const Principal& who, const std::string& id_or_token);
    /// Those with this scope; all of them when it is empty.
    void remove_all(const Principal& who, const std::string& scope);

private:
    Core& core_;
    Tokens& tokens_;
};

}  // namespace gearbox
