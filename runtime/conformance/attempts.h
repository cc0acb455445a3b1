// THE table of conformance attempts (attempts.def), as values for the judge and the probe alike.
#pragma once
#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::conformance {

/// What can stop an attempt.
enum class Layer {
    none,          ///< end of a list of signs
    dac,           ///< owner and mode
    selinux_type,  ///< type enforcement
    mcs,           ///< categories
    namespaces,    ///< it is not in the gear's pid, network or IPC namespace
    cgroup,
    limit,  ///< resource limits of the process (setrlimit) and of the user
    seccomp,
    quota,
    nftables,
    capabilities,
    mount,     ///< read-only, masked, nosuid, bounded or not in the gear's root at all
    platform,  ///< the daemon hands nothing over: descriptors, variables, agents
};

const char* name_of(Layer layer);

/// How a layer shows: the errno's name ("" for none), and words of the fact's detail if the errno
/// does not tell it alone.
struct Sign {
    Layer layer = Layer::none;
    const char* error = "";
    const char* words = "";
};

struct Attempt {
    const char* group;       ///< identifier, "git_ssh"
    const char* identifier;  ///< of its function, "shadow_read"
    const char* what;
    std::array<Sign, 4> signs;  ///< the first that fits names the layer
};

/// "git_ssh" → "git-ssh".
std::string kebab(std::string_view identifier);

/// In the order of attempts.def, groups together. A row without a sign does not compile.
const std::vector<Attempt>& attempts();

/// Names of the groups, in order.
std::vector<std::string> groups();

/// The line for a shell in a gear's session that runs the probe; no groups: all.
std::string probe_command(const std::vector<std::string>& chosen, bool heavy = false);

/// Whether nothing but SELinux stops it.
bool needs_selinux(const Attempt& attempt);

/// Whether its row names SELinux and something else.
bool selinux_is_one_of_several(const Attempt& attempt);

}  // namespace gearbox::conformance
