#include "broker/authorizations.h"

#include "broker/access.h"
#include "broker/problems.h"

#include <algorithm>

namespace gearbox {

namespace {

constexpr std::int64_t minute = 60;
constexpr std::size_t longest_note = 4096;

struct ParsedScopes {
    std::string text;
    std::int64_t lifetime = 0;
    std::int64_t longest = 0;
};

// Separated by blanks or commas; several scopes live as long as the shortest-lived of them.
ParsedScopes check_scopes(const std::string& text) {
    ParsedScopes out{"", INT64_MAX, INT64_MAX};
    std::string word;
    const auto take_word = [&] {
        if (word.empty()) {
            return;
        }
        const auto known = parse_scope(word);
        if (!known) {
            refuse(ErrorKind::invalid,
                   str("The scope '", shown(word),
                       "' is not known. Known: session, read, userinfo, domain/ID/(view|edit|admin),"
                       " application/ID/(view|edit|admin|scale)"),
                   exit_code::unspecified, "scopes");
        }
        out.text += str(out.text.empty() ? "" : " ", word);
        out.lifetime = std::min(out.lifetime, known->lifetime);
        out.longest = std::min(out.longest, known->longest);
        word.clear();
    };
    for (const char c : text.empty() ? std::string("userinfo") : text) {
        c == ' ' || c == ',' ? take_word() : word.push_back(c);
    }
    take_word();
    if (out.text.empty()) {
        refuse(ErrorKind::invalid, "No scope given", exit_code::unspecified, "scopes");
    }
    return out;
}

}  // namespace

std::optional<Principal> AuthorizationService::authenticate(const std::string& token) const {
    const auto found = core_.store.find_authorization_by_hash(Tokens::hash(token));
    if (!found || found->expires <= core_.clock.now()) {
        return std::nullopt;
    }
    auto user = core_.store.find_user(found->user);
    if (!user) {
        return std::nullopt;
    }
    return Principal{std::move(*user), found->scopes, ""};
}

Authorization AuthorizationService::add(const Principal& who, const AuthorizationRequest& request) {
    const ParsedScopes parsed = check_scopes(request.scopes);
    if (request.note.size() > longest_note) {
        refuse(ErrorKind::invalid, "The note is longer than 4096 bytes", exit_code::unspecified,
               "note");
    }
    const std::int64_t now = core_.clock.now();
    core_.store.remove_expired_authorizations(now);
    if (request.reuse) {
        for (const AuthorizationRecord& record : core_.store.authorizations(who.user.id)) {
            const std::int64_t enough =
                std::max(10 * minute, (record.expires - record.created) / 4);
            if (record.note == request.note && record.scopes == parsed.text &&
                record.expires - now > enough) {
                return {record, tokens_.token(record.id), true};
            }
        }
    }
    const std::int64_t asked = request.expires_in.value_or(0);
    AuthorizationRecord record;
    record.id = core_.ids();
    record.user = who.user.id;
    record.note = request.note;
    record.scopes = parsed.text;
    record.created = now;
    record.expires = now + (asked > 0 && asked <= parsed.longest ? asked : parsed.lifetime);
    const std::string token = tokens_.token(record.id);
    record.hash = Tokens::hash(token);
    core_.store.insert_authorization(record);
    return {record, token, false};
}

std::vector<Authorization> AuthorizationService::list(const Principal& who) const {
    std::vector<Authorization> out;
    const std::int64_t now = core_.clock.now();
    for (const AuthorizationRecord& record : core_.store.authorizations(who.user.id)) {
        if (record.expires > now) {
            out.push_back({record, tokens_.token(record.id), false});
        }
    }
    return out;
}

Authorization AuthorizationService::authorization(const Principal& who,
                                                  const std::string& id_or_token) const {
    const std::string hash = Tokens::hash(id_or_token);
    for (const Authorization& found : list(who)) {
        if (found.record.id == id_or_token || found.record.hash == hash) {
            return found;
        }
    }
    refuse(ErrorKind::not_found, "Authorization not found", exit_code::cartridge_not_found);
}

Authorization AuthorizationService::set_note(const Principal& who, const std::string& id_or_token,
                                             const std::string& note) {
    Authorization found = authorization(who, id_or_token);
    if (note.size() > longest_note) {
        refuse(ErrorKind::invalid, "The note is longer than 4096 bytes", exit_code::unspecified,
               "note");
    }
    core_.store.set_authorization_note(found.record.id, note);
    found.record.note = note;
    return found;
}

void AuthorizationService::remove(const Principal& who, const std::string& id_or_token) {
    const std::string hash = Tokens::hash(id_or_token);
    for (const AuthorizationRecord& record : core_.store.authorizations(who.user.id)) {
        if (record.id == id_or_token || record.hash == hash) {
            core_.store.remove_authorization(record.id);
        }
    }
}

void AuthorizationService::remove_all(const Principal& who, const std::string& scope) {
    for (const AuthorizationRecord& record : core_.store.authorizations(who.user.id)) {
        const bool has_scope = (" " + record.scopes + " ").find(str(" ", scope, " ")) != std::string::npos;
        if (scope.empty() || has_scope) {
            core_.store.remove_authorization(record.id);
        }
    }
}

}  // namespace gearbox
