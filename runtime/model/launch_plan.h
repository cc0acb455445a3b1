// What gear-init is to do, as a value: printed, compared and tested without root. The daemon makes
// it, gear-init (a program of its own) carries it out.
#pragma once
#include "base/json.h"

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace gearbox {

// How the daemon and gear-init talk; descriptors of gear-init.
constexpr int plan_fd = 3;    ///< the plan, a sealed memory file
constexpr int status_fd = 4;  ///< a byte comes when the daemon is done, a failure goes back
constexpr int filter_fd = 5;  ///< the system call filters (sys/gear_filter.h)
constexpr int nursery_fd = 6;  ///< launch: the mount namespace to begin in
constexpr int pidfd_fd = 6;   ///< enter: of the gear's PID 1
/// Exit code of a failure, and of a daemon that has gone.
constexpr int gear_init_failed = 125;

/// A directory of the root's own file system that stays writable when the root no longer is.
struct WritableStep {
    std::string target;
    std::string mode;  ///< octal
    bool operator==(const WritableStep&) const = default;
};

/// A directory or file of the host, nosuid; nodev unless devices.
struct BindStep {
    std::string source;
    std::string target;
    bool read_only = true;
    bool optional = false;  ///< nothing happens if the source does not exist
    bool devices = false;
    bool operator==(const BindStep&) const = default;
};

/// The process file system of the gear's pid namespace.
struct ProcStep {
    std::string target;
    bool operator==(const ProcStep&) const = default;
};

/// Terminals of the gear's own.
struct TerminalsStep {
    std::string target;
    bool operator==(const TerminalsStep&) const = default;
};

/// Hides what is at the target, if there is anything: a file behind /dev/null, a directory behind
/// an empty one.
struct MaskStep {
    std::string target;
    bool operator==(const MaskStep&) const = default;
};

/// Makes what is mounted at the target read-only.
struct ReadOnlyStep {
    std::string target;
    bool operator==(const ReadOnlyStep&) const = default;
};

struct DirectoryStep {
    std::string target;
    std::string mode;  ///< octal
    bool operator==(const DirectoryStep&) const = default;
};

struct SymlinkStep {
    std::string target;  ///< the link
    std::string text;    ///< what it says
    bool operator==(const SymlinkStep&) const = default;
};

struct FileStep {
    std::string target;
    std::string content;
    bool operator==(const FileStep&) const = default;
};

/// All targets are absolute paths of the gear.
using MountStep = std::variant<WritableStep, BindStep, ProcStep, TerminalsStep, MaskStep, ReadOnlyStep,
                               DirectoryStep, SymlinkStep, FileStep>;

/// As Privileges::filter.
constexpr const char* no_filter = "none";

/// What a process of a gear is and may do.
struct Privileges {
    uid_t uid = 0;
    gid_t gid = 0;
    std::string label;  ///< SELinux label of the program; "": none
    std::vector<std::pair<std::string, std::uint64_t>> limits;  ///< "nofile" → value
    std::vector<std::string> capabilities;  ///< kept, "net_bind_service"
    std::string filter;  ///< name of the system call filter, which comes beside the plan; or no_filter
    bool operator==(const Privileges&) const = default;
};

/// For `gear-init launch`: makes the gear's root and becomes its PID 1.
struct LaunchPlan {
    std::string gear;
    std::string hostname;
    std::string root;          ///< directory of the host over which the new root is built, a tmpfs, nosuid and nodev
    std::int64_t root_kb = 0;  ///< size of it with all that is writable in it
    std::string file_label;    ///< SELinux label of its files; "": none
    std::vector<std::pair<std::string, std::string>> sysctls;  ///< path below /proc/sys → value
    std::string address;  ///< IPv4 of eth0, a /31; "": there is no eth0
    std::string gateway;  ///< the other one of the two
    std::vector<MountStep> mounts;
    Privileges privileges;
    bool operator==(const LaunchPlan&) const = default;
};

/// For `gear-init enter`: one program inside a running gear.
struct EnterPlan {
    std::vector<std::string> argv;
    std::vector<std::string> environment;  ///< NAME=value
    std::string directory;
    Privileges privileges;
    bool operator==(const EnterPlan&) const = default;
};

Json to_json(const LaunchPlan& plan);
Json to_json(const EnterPlan& plan);
/// Throw Error(invalid).
LaunchPlan parse_launch_plan(const Json& json);
EnterPlan parse_enter_plan(const Json& json);

}  // namespace gearbox
