#include "sys/users.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"
#include "base/owned.h"
#include "base/subprocess.h"

#include <pwd.h>
#include <shadow.h>
#include <unistd.h>

#include <charconv>
#include <cstdio>
#include <optional>
#include <string_view>
#include <vector>

namespace gearbox::sys {

namespace {

// The name and the number of a line of passwd or group.
AccountId parse_entry(std::string_view line) {
    const auto first = line.find(':');
    const auto second = first == line.npos ? first : line.find(':', first + 1);
    AccountId entry{std::string(line.substr(0, first)), 0};
    if (second != line.npos) {
        std::from_chars(line.data() + second + 1, line.data() + line.size(), entry.id);
    }
    return entry;
}

std::string_view line_at(std::string_view text, std::size_t at) {
    return text.substr(at, text.find('\n', at) - at);
}

// Where the line of the name begins; npos if there is none.
std::size_t find_line(std::string_view text, const std::string& name) {
    const std::string wanted = name + ":";
    if (text.starts_with(wanted)) {
        return 0;
    }
    const auto found = text.find("\n" + wanted);
    return found == text.npos ? found : found + 1;
}

// The files themselves: name services could be slow, and accounts of gears are local by design.
std::vector<AccountId> entries(const char* file) {
    std::vector<AccountId> out;
    const std::string text = read_file(file);
    for (std::size_t at = 0; at < text.size();) {
        const std::string_view line = line_at(text, at);
        out.push_back(parse_entry(line));
        at += line.size() + 1;
    }
    return out;
}

std::optional<AccountId> find_entry(std::string_view text, const std::string& name) {
    const auto at = find_line(text, name);
    return at == text.npos ? std::nullopt : std::optional(parse_entry(line_at(text, at)));
}

bool has_entry(const char* file, const std::string& name) {
    return find_line(read_file(file), name) != std::string::npos;
}

bool lists(std::string_view members, std::string_view name) {
    for (std::size_t at = 0; at < members.size();) {
        const std::string_view member = members.substr(at, members.find(',', at) - at);
        if (member == name) {
            return true;
        }
        at += member.size() + 1;
    }
    return false;
}

// Adds the account's own group, and the account as a member of the common one. False: both are there.
bool add_account(std::string& groups, const Account& account) {
    const std::size_t before = groups.size();
    if (!groups.empty() && groups.back() != '\n') {
        groups += '\n';
    }
    if (find_line(groups, account.name) == groups.npos) {
        groups += str(account.name, ":x:", account.uid, ":\n");
    }
    const auto line = find_line(groups, account.group);
    if (line == groups.npos) {
        fail(ErrorKind::unavailable, "the group '", account.group, "' is gone; gearboxd makes it when it starts");
    }
    const auto end = groups.find('\n', line);
    const auto members = groups.rfind(':', end) + 1;
    if (!lists(std::string_view(groups).substr(members, end - members), account.name)) {
        groups.insert(end, (members == end ? "" : ",") + account.name);
    }
    return groups.size() != before;
}

using Stream = Owned<std::FILE, std::fclose>;

/// Appends what `put` writes. The caller has the lock.
template <typename Put>
void append(const char* file, Put put) {
    const Stream stream(std::fopen(file, "a+e"));
    if (!stream) {
        fail_errno("opening '", file, "'");
    }
    // A line that an editor left without its end must not swallow ours.
    if (std::fseek(stream.get(), -1, SEEK_END) == 0 && std::fgetc(stream.get()) != '\n') {
        std::fputc('\n', stream.get());
    }
    check(put(stream.get()), "writing '", file, "'");
    if (std::fflush(stream.get()) != 0 || ::fsync(::fileno(stream.get())) != 0) {
        fail_errno("writing '", file, "'");
    }
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

void ensure_group(const std::string& name) {
    if (!has_entry("/etc/group", name)) {
        run_tool_checked({"groupadd", "--system", name});
    }
}

void ensure_account(const Account& account) {
    check(::lckpwdf(), "locking the password files (another program holds them)");
    const Defer unlock([] { ::ulckpwdf(); });
    // Once each: they are as long as there are gears.
    const std::string users = read_file("/etc/passwd");
    std::string groups = read_file("/etc/group");
    const auto found = find_entry(users, account.name);
    if (found && found->id != account.uid) {
        fail(ErrorKind::conflict, "account '", account.name, "' has uid ", found->id, ", not ", account.uid);
    }
    const auto own = find_entry(groups, account.name);
    if (own && own->id != account.uid) {
        fail(ErrorKind::conflict, "group '", account.name, "' has gid ", own->id, ", not ", account.uid);
    }
    std::string name = account.name;
    std::string home = account.home;
    std::string shell = account.shell;
    char shadowed[] = "x";
    char comment[] = "OpenShift guest";
    // No password at all, but unlike '!' it does not count as locked for sshd without PAM.
    char no_password[] = "*";
    const passwd entry{name.data(), shadowed, account.uid, account.uid, comment, home.data(), shell.data()};
    const spwd secret{name.data(), no_password, -1, -1, -1, -1, -1, -1, ~0ul};
    if (add_account(groups, account)) {
        write_file_atomically("/etc/group", groups, 0644);
    }
    if (!found) {
        append("/etc/passwd", [&](std::FILE* file) { return ::putpwent(&entry, file); });
    }
    if (!has_entry("/etc/shadow", account.name)) {
        append("/etc/shadow", [&](std::FILE* file) { return ::putspent(&secret, file); });
    }
}

void destroy_account(const std::string& name) {
    if (has_entry("/etc/passwd", name)) {
        // --force: a process of the login shell may still be about to end.
        run_tool_checked({"userdel", "--force", name});
    }
    if (has_entry("/etc/group", name)) {
        run_tool_checked({"groupdel", name});
    }
}

}  // namespace gearbox::sys
