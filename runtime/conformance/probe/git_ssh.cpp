// git and ssh: what sessions and pushes could leave behind, and what the platform owns in the home.
#include "conformance/probe/groups.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <fstream>

extern char** environ;

namespace gearbox::probe::git_ssh {

namespace {

// The names of variables that begin so.
Outcome find_variables(const std::vector<std::string>& beginnings) {
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string text = *entry;
        for (const std::string& beginning : beginnings) {
            if (text.starts_with(beginning)) {
                return succeeded(text.substr(0, text.find('=')));
            }
        }
    }
    return denied(0, "none");
}

Outcome with_repository(const std::string& below, Outcome (*attempt)(const std::string&)) {
    const std::string path = repository();
    return path.empty() ? absent("the gear has no repository") : attempt(path + below);
}

Outcome open_for_writing(const std::string& path) {
    return try_open(path, O_WRONLY);
}

}  // namespace

Outcome agent_socket(const Targets&) {
    return find_variables({"SSH_AUTH_SOCK=", "SSH_AGENT_PID="});
}

Outcome agent_directories(const Targets&) {
    for (const std::string& name : list_directory("/tmp")) {
        if (name.starts_with("ssh-") || name.starts_with("auth-agent")) {
            return succeeded("/tmp/" + name);
        }
    }
    return denied(0, "none");
}

// GIT_SSH is the contract's own, for cartridges that fetch.
Outcome git_variables(const Targets&) {
    return find_variables({"GIT_CONFIG", "GIT_EXEC_PATH=", "GIT_DIR=", "GIT_PUSH_", "GIT_ALTERNATE",
                           "GIT_TRACE", "GIT_PROXY", "GIT_TEMPLATE"});
}
Outcome preload_variables(const Targets&) {
    return find_variables({"LD_PRELOAD=", "LD_AUDIT=", "BASH_ENV=", "PERL5LIB=", "PYTHONPATH="});
}

// A library is taken in only by a program without privilege: one that is set-uid and shows its
// auxiliary vector all the same (files.cpp) has none.
Outcome preload_setuid(const Targets&) {
    constexpr const char* program = "/usr/bin/su";
    struct stat info {};
    if (::stat(program, &info) < 0 || (info.st_mode & S_ISUID) == 0) {
        return absent("no set-uid program is installed");
    }
    const Scratch library("preload.so");
    std::ofstream(library.path()) << "not a library";
    const Ran ran =
        run({program, "--help"}, {"LD_SHOW_AUXV=1", "LC_ALL=C", "LD_PRELOAD=" + library.path()});
    const bool was_tried = ran.output.find(library.path()) != std::string::npos;
    const auto at = ran.output.find("AT_EUID:");
    const int euid = at == std::string::npos ? -1 : std::atoi(ran.output.c_str() + at + 8);
    struct statvfs mount {};
    ::statvfs(program, &mount);
    const std::string detail =
        std::string(was_tried ? "the library was tried" : "the library was ignored") +
        ", effective user " + std::to_string(euid);
    if (euid == 0 || (euid < 0 && was_tried)) {
        return succeeded(detail);
    }
    return denied(
        0, detail + ((mount.f_flag & ST_NOSUID) != 0 ? ", mounted nosuid" : ", set-uid bits"));
}

Outcome hook_overwrite(const Targets&) {
    return with_repository("/hooks/pre-receive", open_for_writing);
}
Outcome hook_add(const Targets&) {
    return with_repository("/hooks/update", try_create);
}
Outcome repository_rename(const Targets&) {
    return with_repository("", try_rename);
}

namespace {

// How many objects a repository has that borrows all of them from the place.
long borrowed_from(const std::string& objects) {
    const Scratch borrower("alternates.git");
    const std::vector<std::string> environment = {"HOME=/tmp", "PATH=/usr/bin", "LC_ALL=C"};
    if (run({"/usr/bin/git", "init", "-q", "--bare", borrower.path()}, environment).status != 0) {
        return -1;
    }
    std::ofstream(borrower.path() + "/objects/info/alternates") << objects << "\n";
    const Ran listed = run({"/usr/bin/git", "-C", borrower.path(), "cat-file",
                            "--batch-all-objects", "--batch-check=%(objectname)"},
                           environment);
    long count = 0;
    for (std::size_t at = 0; at < listed.output.size();) {
        const auto end = std::min(listed.output.find('\n', at), listed.output.size());
        const std::string line = listed.output.substr(at, end - at);
        count +=
            line.size() >= 40 && line.find_first_not_of("0123456789abcdef") == std::string::npos
                ? 1
                : 0;
        at = end + 1;
    }
    return count;
}

}  // namespace

// The own repository first: that shows that borrowing works as such.
Outcome alternates_outside(const Targets& targets) {
    const std::string own = repository();
    const std::string name = own.substr(own.rfind('/') + 1);
    const long control = own.empty() ? -1 : borrowed_from(own + "/objects");
    if (control <= 0) {
        return absent("git borrows nothing of the gear's own repository either");
    }
    const long found = borrowed_from(targets.other_home + "/git/" + name + "/objects");
    return found > 0 ? succeeded(std::to_string(found) + " objects")
                     : denied(0, "no object of theirs, " + std::to_string(control) + " of its own");
}

Outcome authorized_keys_write(const Targets&) {
    return open_for_writing(home() + "/.ssh/authorized_keys");
}
Outcome authorized_keys_create(const Targets&) {
    return try_create(home() + "/.ssh/rc");
}
Outcome ssh_directory_rename(const Targets&) {
    return try_rename(home() + "/.ssh");
}
Outcome variable_write(const Targets&) {
    return open_for_writing(home() + "/.env/OPENSHIFT_GEAR_UUID");
}
Outcome variable_create(const Targets&) {
    return try_create(home() + "/.env/LD_PRELOAD");
}
Outcome variables_rename(const Targets&) {
    return try_rename(home() + "/.env");
}
Outcome state_write(const Targets&) {
    return open_for_writing(home() + "/app-root/runtime/.state");
}

}  // namespace gearbox::probe::git_ssh
