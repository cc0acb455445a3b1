#include "node/endpoints.h"
#include "node/host_network.h"
#include "node/isolators/isolators.h"
#include "sys/link.h"
#include "sys/packet_filter.h"

#include <unistd.h>

namespace gearbox {

namespace {

class NetworkIsolator final : public Isolator {
public:
    NetworkIsolator(const Settings& settings, const Profiles& profiles, const Paths& paths)
        : profiles_(profiles), host_(settings, profiles, paths) {}
    const char* name() const override { return "network"; }
    void restore(const std::vector<GearRecord>& gears) override { host_.restore(gears); }
    void follow_host() override { host_.follow_host(); }
    void acquire(const GearRecord& record) override { host_.admit(record); }
    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        const LinkAddresses addresses = link_addresses(record.spec.uid);
        plan.address = addresses.gear;
        plan.gateway = addresses.host;
        // (kernel: ip-sysctl) Not even a link-local address; one that has IPv6 switched off altogether does
        // not have the knob.
        if (::access("/proc/sys/net/ipv6", F_OK) == 0) {
            plan.sysctls.emplace_back("net/ipv6/conf/eth0/disable_ipv6", "1");
        }
        // Forwarded packets go to loopback addresses, which the kernel refuses from outside otherwise.
        plan.sysctls.emplace_back("net/ipv4/conf/eth0/route_localnet", "1");
    }
    void connect(const GearRecord& record, pid_t pid) override {
        host_.admit(record);
        sys::connect_link(link_of(record), pid);
    }
    void equip(const GearRecord& record, pid_t pid) override {
        sys::set_forwardings(pid, link_addresses(record.spec.uid).gear, forwardings_of(record));
    }
    void disconnect(const GearRecord& record) override { sys::destroy_link(link_name(record.spec.uid)); }
    void adapt(const GearRecord& record, pid_t pid) override {
        host_.admit(record);
        if (pid != 0) {
            sys::limit_link(link_of(record), pid);
        }
    }
    void release(const GearId&, uid_t uid) override {
        sys::destroy_link(link_name(uid));
        host_.forget(uid);
    }

private:
    sys::Link link_of(const GearRecord& record) const {
        const uid_t uid = record.spec.uid;
        return {link_name(uid), link_addresses(uid).host, profiles_.limits(record).network_mbit};
    }

    const Profiles& profiles_;
    HostNetwork host_;
};

}  // namespace

std::unique_ptr<Isolator> make_network_isolator(const Settings& settings, const Profiles& profiles,
                                                const Paths& paths) {
    return std::make_unique<NetworkIsolator>(settings, profiles, paths);
}

}  // namespace gearbox
