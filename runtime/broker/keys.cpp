#include "broker/keys.h"

#include "broker/access_change.h"
#include "broker/problems.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

constexpr std::size_t longest_content = 16 * 1024;

constexpr std::array<std::string_view, 11> key_types = {
    "ssh-rsa",
    "ssh-dss",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa-cert-v01@openssh.com",
    "ssh-dss-cert-v01@openssh.com",
    "ssh-ed25519-cert-v01@openssh.com"};

void check_type(const std::string& type, Problems& problems) {
    if (std::find(key_types.begin(), key_types.end(), type) == key_types.end()) {
        std::string known;
        for (const std::string_view word : key_types) {
            known += str(known.empty() ? "" : ", ", word);
        }
        problems.add(type.empty() ? "Type is required and cannot be blank"
                                  : str("Invalid key type '", shown(type), "'. Known types: ", known),
                     exit_code::key_type, "type");
    }
}

void check_content(const std::string& content, Problems& problems) {
    const auto is_base64 = [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '+' || c == '/' || c == '=';
    };
    if (content.empty()) {
        problems.add("Key content is required and cannot be blank", exit_code::key_content, "content");
    } else if (content.size() > longest_content ||
               !std::all_of(content.begin(), content.end(), is_base64)) {
        problems.add("Invalid key content: only the base64 part of a public key, at most 16384"
                     " characters",
                     exit_code::key_content, "content");
    }
}

}  // namespace

KeyRecord KeyService::key(const Principal& who, const std::string& name) const {
    for (const KeyRecord& key : core_.store.keys(who.user.id)) {
        if (key.name.text() == name) {
            return key;
        }
    }
    refuse(ErrorKind::not_found, str("SSH key '", shown(name), "' not found"),
           exit_code::key_not_found);
}

void KeyService::change(const Principal& who, Op record) {
    change_access(core_, who,
                  {"update-keys", who.user.id.text(), std::move(record), [this, user = who.user.id] {
                       return core_.store.applications_of(user);
                   }});
}

KeyRecord KeyService::add(const Principal& who, const std::string& name, const std::string& type,
                          const std::string& content) {
    Problems problems;
    const auto parsed = KeyName::parse(name);
    if (!parsed) {
        problems.add(name.empty() ? "Key name is required and cannot be blank"
                                  : str("Invalid key name '", shown(name),
                                        "'. Allowed are letters, digits and _.-@+, at most 256"),
                     exit_code::key_name, "name");
    }
    check_type(type, problems);
    check_content(content, problems);
    problems.check();
    const auto lock = core_.domain_locks.lock("user:" + who.user.id.text());
    for (const KeyRecord& key : core_.store.keys(who.user.id)) {
        if (key.name == *parsed) {
            refuse(ErrorKind::conflict,
                   str("SSH key with name ", name, " already exists. Use a different name or delete"
                       " the existing key and try again."),
                   exit_code::key_name_exists, "name");
        }
        if (key.content == content) {
            refuse(ErrorKind::conflict,
                   str("Given public key is already in use as '", key.name.text(),
                       "'. Use a different key or delete the conflicting one and try again."),
                   exit_code::key_content_exists, "content");
        }
    }
    const KeyRecord key{*parsed, type, content, core_.clock.now()};
    change(who, {"record", "Keep the key",
                 [this, user = who.user.id, key] { core_.store.insert_key(user, key); },
                 [this, user = who.user.id, name] { core_.store.remove_key(user, name); }});
    return key;
}

KeyRecord KeyService::update(const Principal& who, const std::string& name, const std::string& type,
                             const std::string& content) {
    const auto lock = core_.domain_locks.lock("user:" + who.user.id.text());
    const KeyRecord before = key(who, name);
    Problems problems;
    check_type(type, problems);
    check_content(content, problems);
    problems.check();
    for (const KeyRecord& other : core_.store.keys(who.user.id)) {
        if (other.content == content && other.name != before.name) {
            refuse(ErrorKind::conflict,
                   str("Given public key is already in use as '", other.name.text(), "'."),
                   exit_code::key_content_exists, "content");
        }
    }
    KeyRecord after = before;
    after.type = type;
    after.content = content;
    change(who, {"record", "Keep the key",
                 [this, user = who.user.id, after] { core_.store.update_key(user, after); },
                 [this, user = who.user.id, before] { core_.store.update_key(user, before); }});
    return after;
}

void KeyService::remove(const Principal& who, const std::string& name) {
    const auto lock = core_.domain_locks.lock("user:" + who.user.id.text());
    const KeyRecord before = key(who, name);
    change(who, {"record", "Forget the key",
                 [this, user = who.user.id, name] { core_.store.remove_key(user, name); },
                 [this, user = who.user.id, before] {
                     if (!core_.store.find_user(user)) {
                         return;
                     }
                     core_.store.remove_key(user, before.name.text());
                     core_.store.insert_key(user, before);
                 }});
}

}  // namespace gearbox
