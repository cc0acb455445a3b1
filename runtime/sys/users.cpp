#include "sys/users.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <pwd.h>

#include <charconv>
#include <optional>
#include <vector>

namespace gearbox::sys {

namespace {

// The files themselves: name services could be slow, and accounts of gears are local by design.
std::vector<AccountId> entries(const char* file) {
    std::vector<AccountId> out;
    const std::string text = read_file(file);
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = std::min(text.find('\n', at), text.size());
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const auto first = line.find(':');
        const auto second = line.find(':', first == std::string::npos ? first : first + 1);
        AccountId entry{line.substr(0, first), 0};
        if (second != std::string::npos &&
            std::from_chars(line.data() + second + 1, line.data() + line.size(), entry.id).ec ==
                std::errc{}) {
            out.push_back(entry);
        }
    }
    return out;
}

std::optional<AccountId> find_entry(const char* file, const std::string& name) {
    for (const AccountId& entry : entries(file)) {
        if (entry.name == name) {
            return entry;
        }
    }
    return std::nullopt;
}

void ensure_group(const std::string& name, std::optional<uid_t> gid) {
    const auto found = find_entry("/etc/group", name);
    if (found) {
        if (gid && found->id != *gid) {
            fail(ErrorKind::conflict, "group '", name, "' has gid ", found->id, ", not ", *gid);
        }
        return;
    }
    std::vector<std::string> argv = {"groupadd"};
    if (gid) {
        argv.insert(argv.end(), {"--gid", std::to_string(*gid)});
    } else {
        argv.push_back("--system");
    }
    argv.push_back(name);
    run_tool_checked(argv);
}

}  // namespace

uid_t find_uid(const std::string& name) {
    passwd entry{};
    passwd* found = nullptr;
    char buffer[4096];
    ::getpwnam_r(name.c_str(), &entry, buffer, sizeof buffer, &found);
    return found == nullptr ? 0 : found->pw_uid;
}

std::vector<AccountId> account_ids() {
    std::vector<AccountId> out = entries("/etc/passwd");
    const std::vector<AccountId> groups = entries("/etc/group");
    out.insert(out.end(), groups.begin(), groups.end());
    return out;
}

void ensure_account(const Account& account) {
    const std::string uid = std::to_string(account.uid);
    if (const auto found = find_entry("/etc/passwd", account.name)) {
        if (found->id != account.uid) {
            fail(ErrorKind::conflict, "account '", account.name, "' has uid ", found->id, ", not ",
                 uid);
        }
        return;
    }
    ensure_group(account.group, std::nullopt);
    // '*' is no password at all, but unlike '!' does not count as locked for sshd without PAM.
    std::vector<std::string> argv = {
        "useradd",         "--uid",           uid,       "--groups",       account.group,
        "--home-dir",      account.home,      "--shell", account.shell,    "--comment",
        "OpenShift guest", "--password",      "*",       "--no-log-init",  "--no-create-home",
        "--key",           "SUB_UID_COUNT=0", "--key",   "SUB_GID_COUNT=0"};
    if (find_entry("/etc/group", account.name)) {
        argv.insert(argv.end(), {"--gid", uid});
    } else {
        // Its group gets the same number, if nobody has it: one tool less than making it before.
        argv.push_back("--user-group");
    }
    argv.push_back(account.name);
    run_tool_checked(argv);
    ensure_group(account.name, account.uid);
}

void destroy_account(const std::string& name) {
    if (find_entry("/etc/passwd", name)) {
        // --force: a process of the login shell may still be about to end.
        run_tool_checked({"userdel", "--force", name});
    }
    if (find_entry("/etc/group", name)) {
        run_tool_checked({"groupdel", name});
    }
}

}  // namespace gearbox::sys
