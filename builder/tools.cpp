#include "tools.h"

#include "build_log.h"
#include "interrupt.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/subprocess.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cstddef>
#include <cstdlib>
#include <iterator>

namespace gearbox::builder {

namespace {

constexpr std::chrono::hours longest_run{4};

// Hands complete lines on; programs that draw progress end theirs with '\r'.
class Lines {
public:
    explicit Lines(std::function<void(std::string_view)> take) : take_(std::move(take)) {}
    void add(std::string_view chunk) {
        for (const char c : chunk) {
            if (c == '\n' || c == '\r') {
                flush();
            } else {
                line_ += c;
            }
        }
    }
    void flush() {
        if (!line_.empty()) {
            take_(line_);
            line_.clear();
        }
    }

private:
    std::function<void(std::string_view)> take_;
    std::string line_;
};

// dpkg syncs every file that it unpacks and its state some times for each package. All of that
// succeeds at once, for the calling process and what it starts (seccomp(2); no library's filter,
// because memory must not be allocated here). Without the right to a filter it syncs.
void succeed_without_sync() {
    constexpr std::uint32_t done = SECCOMP_RET_ERRNO | 0;
    sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 7),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fsync, 4, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fdatasync, 3, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync_file_range, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_syncfs, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sync, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, done),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{std::size(rules), rules};
    ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

}  // namespace

HostTools::HostTools(BuildLog& log, std::int64_t source_date_epoch) : log_(log) {
    environment_ = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    "HOME=/root",
                    "LC_ALL=C.UTF-8",
                    "TZ=UTC",
                    "DEBIAN_FRONTEND=noninteractive",
                    str("SOURCE_DATE_EPOCH=", source_date_epoch)};
    for (const char* name : {"http_proxy", "https_proxy", "no_proxy", "TMPDIR"}) {
        if (const char* value = std::getenv(name)) {
            environment_.push_back(str(name, "=", value));
        }
    }
}

std::vector<std::string> make_command(const ToolCall& call,
                                      const std::vector<std::string>& environment) {
    // pdeathsig reaches even the case that we are killed with SIGKILL; the pid namespace then takes
    // everything below with it. The mount namespace: what a tool mounts into the tree must never be
    // there when we remove the tree.
    std::vector<std::string> argv{"setpriv", "--pdeathsig", "KILL",         "unshare",
                                  "--pid",   "--fork",      "--kill-child", "--mount"};
    if (!call.root.empty()) {
        argv.insert(argv.end(), {"--mount-proc", "--root=" + call.root.string()});
        if (!call.network) {
            argv.emplace_back("--net");
        }
    }
    argv.insert(argv.end(), {"env", "-i"});
    argv.insert(argv.end(), environment.begin(), environment.end());
    argv.insert(argv.end(), call.environment.begin(), call.environment.end());
    argv.insert(argv.end(), call.argv.begin(), call.argv.end());
    return argv;
}

void HostTools::run(const ToolCall& call) {
    throw_if_interrupted();
    std::string shown = call.root.empty() ? "+" : "+ (tree)";
    for (const std::string& word : call.argv) {
        shown += " " + (word.size() > 300 ? word.substr(0, 300) + "…" : word);
    }
    log_.add(shown);
    Lines lines([&](std::string_view line) {
        if (!call.on_line || call.on_line(line)) {
            log_.add(line);
        }
    });
    ToolOptions options;
    options.input = call.input;
    options.deadline = longest_run;
    options.on_output = [&lines](std::string_view chunk) {
        throw_if_interrupted();
        lines.add(chunk);
    };
    if (call.unsynced) {
        options.in_child = succeed_without_sync;
    }
    ToolResult result;
    try {
        std::vector<std::string> argv = make_command(call, environment_);
        // Whoever was killed before setpriv asked for its signal gets none: look who the parent is.
        argv.insert(argv.begin() + 3, {"sh", "-c", "[ $PPID = \"$0\" ] && exec \"$@\"",
                                       std::to_string(::getpid())});
        result = run_tool(argv, options);
    } catch (const SysError&) {
        throw_if_interrupted();
        throw;
    }
    lines.flush();
    throw_if_interrupted();
    if (result.status != 0) {
        fail(ErrorKind::internal, "'", call.argv.front(), "' ended with status ", result.status);
    }
}

void HostTools::shell(const std::filesystem::path& root) const {
    ToolCall call;
    call.argv = {"bash"};
    call.root = root;
    if (const char* terminal = std::getenv("TERM")) {
        call.environment = {str("TERM=", terminal)};
    }
    UniqueFd own[3];
    for (int i = 0; i < 3; ++i) {
        own[i].reset(check(::fcntl(i, F_DUPFD_CLOEXEC, 3), "keeping a standard descriptor"));
    }
    ToolOptions options;
    options.in_child = [&own] {
        for (int i = 0; i < 3; ++i) {
            ::dup2(own[i].get(), i);
        }
    };
    run_tool(make_command(call, environment_), options);
}

}  // namespace gearbox::builder
