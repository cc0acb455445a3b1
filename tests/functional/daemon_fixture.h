// The daemon as a program, with real gears, and what tests of it share.
#pragma once
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/subprocess.h"
#include "support/http_client.h"
#include "support/paths.h"
#include "support/private_host.h"

#include <gmock/gmock-matchers.h>
#include <gtest/gtest.h>

#include <poll.h>
#include <spawn.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

inline constexpr int port = 4080;
inline constexpr int file_port = 8099;  ///< of a web server on this host
inline constexpr const char* cgroup_parent = "gearbox-daemon-test";
inline constexpr const char* config_file = "/var/lib/gearbox/test.toml";

/// gearboxd as systemd would run it.
class Daemon {
public:
    explicit Daemon(const std::string& crash_at = "", std::int64_t lock_wait_seconds = 120) {
        Settings settings = private_host_settings();
        settings.broker.lock_wait_seconds = lock_wait_seconds;
        settings.testing.crash_at = crash_at;
        settings.network.host_ports = {std::to_string(file_port)};
        write_file_atomically(config_file, dump_settings(settings));
        const UniqueFd ready = bind_notify_socket();
        std::string program = built_program("runtime/gearboxd");
        std::string option = "--config";
        std::string value = config_file;
        char* const argv[] = {program.data(), option.data(), value.data(), nullptr};
        std::string path = "PATH=/usr/sbin:/usr/bin:/sbin:/bin";
        std::string notify = str("NOTIFY_SOCKET=", notify_socket);
        char* const environment[] = {path.data(), notify.data(), nullptr};
        if (::posix_spawn(&pid_, program.c_str(), nullptr, nullptr, argv, environment) != 0) {
            fail(ErrorKind::internal, "starting gearboxd");
        }
        pollfd wait{ready.get(), POLLIN, 0};
        if (::poll(&wait, 1, 30000) != 1) {
            fail(ErrorKind::internal, "gearboxd did not become ready");
        }
    }
    ~Daemon() { end(SIGTERM); }
    Daemon(const Daemon&) = delete;
    Daemon& operator=(const Daemon&) = delete;

    /// The signal that ended it, 0 if it ended by itself.
    int end(int signal) {
        if (pid_ == 0) {
            return 0;
        }
        ::kill(pid_, signal);
        return wait();
    }
    int wait() {
        int status = 0;
        ::waitpid(pid_, &status, 0);
        pid_ = 0;
        return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    }

private:
    static constexpr const char* notify_socket = "/run/gearbox/notify.sock";

    static UniqueFd bind_notify_socket() {
        fs::remove(notify_socket);
        UniqueFd fd(check(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket"));
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::snprintf(address.sun_path, sizeof address.sun_path, "%s", notify_socket);
        check(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              "bind");
        return fd;
    }

    pid_t pid_ = 0;
};

inline HttpClient demo() {
    HttpClient client(port);
    client.authorization = "Basic ZGVtbzpzZWNyZXQ=";  // demo:secret
    return client;
}

inline HttpReply ask(const std::string& method, const std::string& path, const std::string& body = "") {
    return demo().request(method, "/broker/rest/" + path, body);
}

inline HttpReply create_shop() {
    return ask("POST", "domain/acme/applications", R"({"name":"shop","cartridges":["mock"]})");
}

inline std::size_t count_applications() {
    return ask("GET", "applications").json()["data"].size();
}

/// What is there of gears, in words; "" if nothing.
inline std::string remains() {
    std::string out;
    for (const auto& entry : fs::directory_iterator("/var/lib/openshift")) {
        out += str("home ", entry.path().native(), "\n");
    }
    const std::string links = run_tool_checked({"ip", "-o", "link"});
    if (links.find("gb1") != std::string::npos) {
        out += links;
    }
    if (read_file("/etc/passwd").find("/var/lib/openshift/") != std::string::npos) {
        out += "an account\n";
    }
    const std::string cgroups = run_tool({"find", "/sys/fs/cgroup", "-type", "d", "-path",
                                          str("*/", cgroup_parent, "/gear-*")})
                                    .out;
    return out + cgroups;
}

/// The gear's PID 1, as we see it.
inline std::string first_process(const std::string& gear) {
    const std::string path = str("*/", cgroup_parent, "/gear-", gear, "/cgroup.procs");
    const std::string files = run_tool_checked({"find", "/sys/fs/cgroup", "-path", path});
    const std::string pids = read_file(files.substr(0, files.find('\n')));
    return pids.substr(0, pids.find('\n'));
}

class DaemonTest : public ::testing::Test {
protected:
    void SetUp() override {
        fs::create_directories("/var/lib/gearbox");
        write_file_atomically("/var/lib/gearbox/initial-users.json",
                              R"({"users":[{"login":"demo","password":"secret"}]})", 0600);
    }
    void TearDown() override {
        const Daemon daemon;
        ask("DELETE", "domain/acme", R"({"force":true})");
        EXPECT_EQ(remains(), "");
    }
};

}  // namespace gearbox::test
