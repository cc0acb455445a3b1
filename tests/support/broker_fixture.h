// A whole broker over a FakeAgent and a database in memory, with a user and counted ids.
#pragma once
#include "base/file.h"
#include "broker/broker.h"
#include "support/fake_agent.h"
#include "support/fake_sessions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

namespace gearbox::test {

class FakeClock final : public Clock {
public:
    std::int64_t now() const override { return seconds; }
    std::int64_t monotonic_ms() const override { return ++milliseconds; }
    std::atomic<std::int64_t> seconds = 1700000000;
    mutable std::atomic<std::int64_t> milliseconds = 0;
};

/// 000000000000000000000001, …2, …
inline IdSource counting_ids() {
    return [next = std::make_shared<std::atomic<int>>(0)] {
        const std::string number = std::to_string(++*next);
        return std::string(24 - number.size(), '0') + number;
    };
}

struct TestBroker {
    TestBroker() : TestBroker(":memory:") {}
    explicit TestBroker(const std::string& database) : store(database) {
        settings.paths.state_dir = directory.path().native();
        settings.node.quickstart_dir = directory.path() / "quickstarts";
        restart();
    }

    /// As a new daemon over the same store and node.
    void restart() {
        broker.reset();
        broker = std::make_unique<Broker>(BrokerParts{settings, store, agent, sessions, clock, ids,
                                                      application_locks,
                                                      directory.path() / "token.key"});
    }

    /// A user without argon2's cost: the hash does not matter to services.
    Principal user(const std::string& login) {
        User user;
        user.id = UserId(ids());
        user.login = Login::parse(login).value();
        user.max_domains = 3;
        user.max_gears = 5;
        user.created = clock.now();
        store.insert_user(user, "no password");
        return {user, "session", ""};
    }

    Created create(const Principal& who, const std::string& domain, const std::string& name,
                   const std::vector<std::string>& cartridges = {"php-8.4"}) {
        CreateApplication request;
        request.name = name;
        for (const std::string& cartridge : cartridges) {
            request.cartridges.push_back({cartridge, "", "", std::nullopt});
        }
        return broker->applications.create(who, domain, request, broker->domains);
    }

    TempDir directory;
    Settings settings = make_default_settings();
    FakeClock clock;
    FakeAgent agent;
    FakeSessions sessions;
    IdSource ids = counting_ids();
    KeyedMutex application_locks;
    StateStore store;
    std::unique_ptr<Broker> broker;
};

/// "422 100/name, 109/cartridge" of what body throws, "" if nothing.
template <typename Body>
std::string problems_of(Body body) {
    try {
        body();
    } catch (const RequestError& error) {
        std::string out = name_of(error.kind());
        for (const Problem& problem : error.problems()) {
            out += str(" ", problem.exit_code.value_or(0), "/", problem.field);
        }
        return out;
    } catch (const Error& error) {
        return str(name_of(error.kind()), ": ", error.text());
    }
    return "";
}

}  // namespace gearbox::test
