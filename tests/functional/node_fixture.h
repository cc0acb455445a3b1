// A LocalAgent on a private host, and an application to play with.
#pragma once
#include "base/clock.h"
#include "node/local_agent.h"
#include "support/private_host.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace gearbox::test {

class NodeTest : public ::testing::Test {
protected:
    void SetUp() override { restart_agent(); }
    void TearDown() override {
        if (agent == nullptr) {
            return;  // SetUp has failed, and said why
        }
        for (const GearId& gear : agent->gears()) {
            agent->destroy_gear(gear);
        }
    }

    /// As when the daemon is killed and comes back.
    void restart_agent() {
        agent = std::make_unique<LocalAgent>(settings, clock);
        agent->recover();
    }

    static GearSpec make_spec(int number, const std::string& name = "shop") {
        GearSpec spec;
        spec.id = GearId(str("5f0000000000000000000", 100 + number));
        spec.application = ApplicationId(spec.id.text());
        spec.uid = static_cast<uid_t>(1000 + number);
        spec.application_name = *ApplicationName::parse(name);
        spec.domain = *Namespace::parse("acme");
        spec.dns = name + "-acme.gearbox.localhost";
        spec.login = "demo";
        spec.secret_token = "secret";
        return spec;
    }

    Cartridge cartridge(const std::string& name) const {
        for (const Cartridge& candidate : agent->cartridges()) {
            if (candidate.answers_to(name)) {
                return candidate;
            }
        }
        fail(ErrorKind::not_found, "no cartridge ", name);
    }

    /// The whole of an application, started.
    GearId create_application(int number, const std::vector<std::string>& cartridges) {
        const GearSpec spec = make_spec(number);
        agent->create_gear(spec);
        for (const std::string& name : cartridges) {
            agent->add_cartridge(spec.id, cartridge(name));
        }
        agent->create_repository(spec.id, {});
        agent->deploy_initially(spec.id, {});
        for (const std::string& name : cartridges) {
            agent->post_install(spec.id, cartridge(name).full_name());
        }
        return spec.id;
    }

    /// Output of a bash program inside the gear.
    std::string inside(const GearId& gear, const std::string& program) const {
        const GearRecord record = agent->context().store.gear(gear);
        const GearResult result =
            agent->runner().run(record, Purpose::session, {"/bin/bash", "-c", program});
        return result.out + result.err;
    }

    Settings settings = private_host_settings();
    SystemClock clock;
    std::unique_ptr<LocalAgent> agent;
};

/// What an HTTP server at ADDRESS:PORT answers, body only; "" if nothing.
std::string http_get(const std::string& address, int port, const std::string& host,
                     const std::string& path = "/");

}  // namespace gearbox::test
