#include "sys/network.h"
#include "node/endpoints.h"
#include "node/isolators/isolators.h"

namespace gearbox {

namespace {

class NetworkIsolator final : public Isolator {
public:
    const char* name() const override { return "network"; }
    void contribute(const GearRecord& record, LaunchPlan& plan) const override {
        plan.address = link_addresses(record.spec.uid).gear;
        // No address of IPv6, not even a link-local one: 1 is "none" (kernel: ip-sysctl).
        plan.sysctls.emplace_back("net/ipv6/conf/eth0/addr_gen_mode", "1");
        // Forwarded packets go to loopback addresses, which the kernel refuses from outside
        // otherwise.
        plan.sysctls.emplace_back("net/ipv4/conf/eth0/route_localnet", "1");
    }
    void connect(const GearRecord& record, pid_t pid) override {
        const uid_t uid = record.spec.uid;
        const LinkAddresses addresses = link_addresses(uid);
        sys::connect_link({link_name(uid), addresses.host}, pid);
    }
    void equip(const GearRecord& record, pid_t pid) override {
        sys::set_forwardings(pid, forwardings_of(record));
    }
    void disconnect(const GearRecord& record) override {
        sys::destroy_link(link_name(record.spec.uid));
    }
    void release(const GearId&, uid_t uid) override { sys::destroy_link(link_name(uid)); }
};

}  // namespace

std::unique_ptr<Isolator> make_network_isolator() {
    return std::make_unique<NetworkIsolator>();
}

}  // namespace gearbox
