#include "conformance/probe/outcome.h"

#include "base/argv.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <utility>

namespace gearbox::probe {

Outcome denied(int code, std::string detail) {
    return {Result::denied, code, std::move(detail)};
}
Outcome succeeded(std::string detail) {
    return {Result::succeeded, 0, std::move(detail)};
}
Outcome absent(std::string detail) {
    return {Result::absent, 0, std::move(detail)};
}

Outcome from_call(long rc, std::string detail) {
    const int code = errno;
    if (rc >= 0) {
        return succeeded(std::move(detail));
    }
    if (code == ENOSYS && !is_filtered()) {
        return absent("this kernel does not have the call");
    }
    return denied(code, std::move(detail));
}

std::string error_name(int code) {
    const char* const name = code == 0 ? "" : ::strerrorname_np(code);
    return name == nullptr ? std::to_string(code) : name;
}

std::string status_field(const std::string& name) {
    const std::string text = "\n" + read_text("/proc/self/status");
    const auto at = text.find("\n" + name + ":\t");
    if (at == std::string::npos) {
        return "";
    }
    const auto begin = at + name.size() + 3;
    return text.substr(begin, text.find('\n', begin) - begin);
}

bool is_filtered() {
    static const bool filtered = status_field("Seccomp") == "2";
    return filtered;
}

std::string own_label() {
    std::string label = read_text("/proc/self/attr/current");
    while (!label.empty() && (label.back() == '\0' || label.back() == '\n')) {
        label.pop_back();
    }
    // Another security module's word has no role and type.
    return label.find(':') == std::string::npos ? "" : label;
}

Outcome try_open(const std::string& path, int flags) {
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return denied(errno, path);
    }
    struct stat info {};
    ::fstat(fd, &info);
    ::close(fd);
    if (S_ISCHR(info.st_mode) && info.st_rdev == makedev(1, 3)) {
        return denied(0, path + " is masked by /dev/null");
    }
    return succeeded("opened " + path);
}

Outcome try_read(const std::string& path) {
    Outcome opened = try_open(path, O_RDONLY);
    if (opened.result != Result::succeeded) {
        return opened;
    }
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char buffer[256];
    const ssize_t got = ::read(fd, buffer, sizeof buffer);
    const int code = errno;
    ::close(fd);
    if (got < 0) {
        return denied(code, "reading " + path);
    }
    return succeeded("read " + std::to_string(got) + " bytes of " + path);
}

Outcome try_create(const std::string& path) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) {
        return denied(errno, path);
    }
    ::close(fd);
    ::unlink(path.c_str());
    return succeeded("made " + path);
}

Outcome try_rename(const std::string& path) {
    const std::string other = path + ".gear-probe";
    if (::rename(path.c_str(), other.c_str()) < 0) {
        return denied(errno, path);
    }
    ::rename(other.c_str(), path.c_str());
    return succeeded("renamed " + path);
}

Outcome try_list(const std::string& directory) {
    DIR* const dir = ::opendir(directory.c_str());
    if (dir == nullptr) {
        return denied(errno, directory);
    }
    ::closedir(dir);
    return succeeded("listed " + directory);
}

Outcome try_write(const std::string& path, const std::string& text) {
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return denied(errno, "opening " + path);
    }
    const ssize_t written = ::write(fd, text.data(), text.size());
    const int code = errno;
    ::close(fd);
    return written < 0 ? denied(code, "writing " + path) : succeeded("wrote " + path);
}

Outcome try_connect(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    socklen_t size = sizeof address;
    if (path.front() == '@') {
        address.sun_path[0] = '\0';
        size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size());
    }
    int code = 0;
    // The type of a socket that somebody else made is not known before.
    for (const int type : {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET}) {
        const int fd = ::socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            return denied(errno, "making a socket");
        }
        const int rc = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), size);
        code = errno;
        ::close(fd);
        if (rc == 0) {
            return succeeded("connected to " + path);
        }
        if (code != EPROTOTYPE) {
            break;
        }
    }
    return denied(code, path);
}

Outcome first_found(const std::vector<std::string>& paths, Outcome (*attempt)(const std::string&)) {
    Outcome outcome;
    for (const std::string& path : paths) {
        outcome = attempt(path);
        if (outcome.result != Result::denied || outcome.code != ENOENT) {
            break;
        }
    }
    return outcome;
}

std::vector<std::string> list_directory(const std::string& path) {
    std::vector<std::string> out;
    if (DIR* const dir = ::opendir(path.c_str())) {
        while (const dirent* const entry = ::readdir(dir)) {
            const std::string name = entry->d_name;
            if (name != "." && name != "..") {
                out.push_back(name);
            }
        }
        ::closedir(dir);
    }
    return out;
}

std::string read_text(const std::string& path) {
    std::string out;
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char buffer[4096];
    for (ssize_t got = 1; fd >= 0 && got > 0 && out.size() < 1024 * 1024;) {
        got = ::read(fd, buffer, sizeof buffer);
        out.append(buffer, got > 0 ? static_cast<std::size_t>(got) : 0);
    }
    if (fd >= 0) {
        ::close(fd);
    }
    return out;
}

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value == nullptr ? "" : value;
}

std::string home() {
    std::string path = variable("OPENSHIFT_HOMEDIR");
    path = path.empty() ? variable("HOME") : path;
    while (path.size() > 1 && path.back() == '/') {
        path.pop_back();
    }
    return path;
}

std::string data_directory() {
    const std::string path = home() + "/app-root/data";
    return ::access(path.c_str(), W_OK) == 0 ? path : "/tmp";
}

std::string repository() {
    for (const std::string& name : list_directory(home() + "/git")) {
        if (name.ends_with(".git")) {
            return home() + "/git/" + name;
        }
    }
    return "";
}

Scratch::Scratch(const std::string& name, const std::string& directory)
    : path_(directory + "/.gear-probe-" + std::to_string(::getpid()) + "-" + name) {}

Scratch::~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

bool Scratch::make_file(mode_t mode) const {
    const int fd = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    if (fd >= 0) {
        ::close(fd);
    }
    return fd >= 0;
}

Ran run(const std::vector<std::string>& argv, const std::vector<std::string>& environment) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0) {
        return {};
    }
    const auto arguments = argv_of(argv);
    const auto variables = argv_of(environment);
    const pid_t child = ::fork();
    if (child == 0) {
        const int null = ::open("/dev/null", O_RDONLY);
        ::dup2(null, 0);
        ::dup2(ends[1], 1);
        ::dup2(ends[1], 2);
        ::execve(arguments[0], arguments.data(), variables.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    Ran out;
    char buffer[4096];
    for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
        out.output.append(buffer, static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    int status = 0;
    if (child > 0 && ::waitpid(child, &status, 0) == child) {
        out.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }
    return out;
}

}  // namespace gearbox::probe
