#include "conformance/probe/targets.h"

#include "base/json.h"
#include "conformance/probe/outcome.h"
#include "model/gear.h"

#include <unistd.h>

#include <cstdlib>

namespace gearbox::probe {

Targets guess_targets() {
    Targets out;
    const uid_t uid = ::getuid();
    out.other_uid = uid + 1;
    // Nobody can guess 96 random bits; what matters is that no home but the own one is there.
    out.other_home = "/var/lib/openshift/000000000000000000000000";
    out.other_pid = 2 * ::getpid() + 1000;
    out.other_addresses = {link_addresses(uid + 1).gear, link_addresses(uid - 1).gear};
    out.other_port = first_public_port(out.other_uid);
    out.own_host_end = link_addresses(uid).host;
    // QEMU's user network, libvirt's, and first addresses of private networks.
    out.host_addresses = {"10.0.2.15", "192.168.122.1", "192.168.1.1", "10.0.0.1", "172.17.0.1"};
    if (const int limit = std::atoi(variable("OPENSHIFT_GEAR_MEMORY_MB").c_str()); limit > 0) {
        out.memory_mb = limit;
    }
    out.cpu_percent = std::atoi(variable("GEARBOX_CPU_PERCENT").c_str());
    return out;
}

Targets parse_targets(std::string_view text) {
    Targets out = guess_targets();
    const Json json = parse_json(text);
    out.other_uid = find<uid_t>(json, "other_uid").value_or(out.other_uid);
    out.other_home = find<std::string>(json, "other_home").value_or(out.other_home);
    out.other_pid = find<pid_t>(json, "other_pid").value_or(out.other_pid);
    if (const auto address = find<std::string>(json, "other_address")) {
        out.other_addresses = {*address};
    }
    out.other_port = find<int>(json, "other_port").value_or(out.other_port);
    out.host_addresses =
        find<std::vector<std::string>>(json, "host_addresses").value_or(out.host_addresses);
    out.memory_mb = find<int>(json, "memory_mb").value_or(out.memory_mb);
    out.cpu_percent = find<int>(json, "cpu_percent").value_or(out.cpu_percent);
    return out;
}

}  // namespace gearbox::probe
