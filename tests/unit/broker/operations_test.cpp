#include "broker/operations/plans.h"

#include "support/broker_fixture.h"

namespace gearbox::test {
namespace {

TEST(CreatePlan, IsThisListOfSteps) {
    TestBroker t;
    CreateFacts facts;
    facts.application.id = ApplicationId("0123456789abcdef01234567");
    facts.application.name = ApplicationName::parse("shop").value();
    facts.application.domain_name = Namespace::parse("acme").value();
    facts.cartridges = {t.agent.catalogue[0], t.agent.catalogue[3]};
    OperationOutput output;
    EXPECT_EQ(print(plan_create_application(facts, t.broker->core.effects, output)),
              "create-application (after a crash: undo)\n"
              "  reserve: Reserve the name and a user id [undo]\n"
              "  create-gear: Create the gear [undo]\n"
              "  add-cartridge-php: Install php 8.4\n"
              "  add-cartridge-mysql: Install mysql 8.0\n"
              "  create-repository: Create the git repository\n"
              "  deploy: Build, deploy and start\n"
              "  publish-routes: Publish the address\n"
              "  complete: Hand it over\n");
}

TEST(DeletePlan, IsThisListOfSteps) {
    TestBroker t;
    EXPECT_EQ(print(plan_delete_application(ApplicationId("0123456789abcdef01234567"), UserId(),
                                            t.broker->core.effects)),
              "delete-application (after a crash: finish)\n"
              "  mark: Mark for deletion\n"
              "  withdraw-routes: Withdraw the address\n"
              "  stop: Stop the application\n"
              "  destroy-gear: Remove the gear\n"
              "  forget: Free the name and the user id\n");
}

TEST(Runner, UndoesInReverseAndRethrows) {
    TestBroker t;
    std::string trace;
    OperationPlan plan;
    plan.kind = "test";
    plan.request = Json::object();
    const auto step = [&](const char* name, bool fails) {
        return Op{name, name,
                  [&trace, name, fails] {
                      trace += str("+", name);
                      if (fails) {
                          fail(ErrorKind::invalid, "no luck");
                      }
                  },
                  [&trace, name] { trace += str("-", name); }};
    };
    plan.steps = {step("a", false), step("b", false), step("c", true), step("d", false)};
    EXPECT_EQ(problems_of([&] { t.broker->runner.run(plan, "r1"); }), "invalid: no luck");
    // The failed step is undone too: it may have got half-way.
    EXPECT_EQ(trace, "+a+b+c-c-b-a");
    const auto record = t.store.find_operation(UserId(), "r1");
    ASSERT_TRUE(record);
    EXPECT_EQ(record->state, OperationState::failed);
    EXPECT_EQ(record->error, "no luck");
    EXPECT_EQ(record->steps[0].state, StepState::undone);
    EXPECT_EQ(record->steps[2].state, StepState::failed);
    EXPECT_EQ(record->steps[3].state, StepState::pending);
}

TEST(Runner, AnUndoThatFailsKeepsTheEarlierSteps) {
    TestBroker t;
    std::string trace;
    OperationPlan plan;
    plan.kind = "test";
    plan.request = Json::object();
    plan.steps = {
        {"uid", "", [] {}, [&] { trace += "uid given back;"; }},
        {"gear", "", [] {}, [] { fail(ErrorKind::internal, "busy"); }},
        {"boom", "", [] { fail(ErrorKind::invalid, "boom"); }, {}},
    };
    EXPECT_NE(problems_of([&] { t.broker->runner.run(plan, "r1"); }), "");
    EXPECT_EQ(trace, "");
    EXPECT_EQ(t.store.unfinished_operations().size(), 1u);
}

TEST(Runner, KeepsABoundedNumberOfFinishedOperations) {
    TestBroker t;
    OperationPlan plan;
    plan.kind = "test";
    plan.request = Json::object();
    plan.steps = {{"only", "", [] {}, {}}};
    for (int i = 0; i < 510; ++i) {
        t.broker->runner.run(plan, str("r", i));
    }
    EXPECT_FALSE(t.store.find_operation(UserId(), "r0"));
    EXPECT_TRUE(t.store.find_operation(UserId(), "r509"));
}

TEST(Runner, WhatStepsWroteIsOnTheDiskBeforeThePlanIsDone) {
    TestBroker t;
    std::string trace;
    t.agent.flushing = [&] { trace += str("flush with ", t.store.unfinished_operations().size(), " unfinished;"); };
    OperationPlan plan;
    plan.kind = "test";
    plan.request = Json::object();
    plan.steps = {{"only", "", [&] { trace += "write;"; }, {}}};
    t.broker->runner.run(plan, "r1");
    EXPECT_EQ(trace, "write;flush with 1 unfinished;");
    EXPECT_TRUE(t.store.unfinished_operations().empty());
}

TEST(Runner, AnApplicationIsOnTheDiskBeforeItIsReady) {
    TestBroker t;
    const Principal who = t.user("demo");
    t.broker->domains.create(who, {"acme", {}});
    std::vector<Stage> stages;
    t.agent.flushing = [&] { stages.push_back(t.store.all_applications().at(0).stage); };
    t.create(who, "acme", "shop");
    ASSERT_FALSE(stages.empty());
    EXPECT_EQ(stages.front(), Stage::creating);
    EXPECT_EQ(stages.back(), Stage::ready);
}

// Every place where the daemon can die: before and after what each step does to the node.
std::vector<std::string> places_of_death(const std::vector<std::string>& calls) {
    std::vector<std::string> out;
    for (const std::string& call : calls) {
        out.push_back("before " + call);
        out.push_back("after " + call);
    }
    return out;
}

void die_at(FakeAgent& agent, const std::string& place) {
    const auto hook = [place](const std::string& when) {
        return [place, when](const std::string& call) {
            if (place == when + " " + call) {
                throw SimulatedCrash();
            }
        };
    };
    agent.before = hook("before");
    agent.after = hook("after");
}

TEST(Recovery, ACrashDuringCreateLeavesAllOrNothing) {
    for (const std::string& place :
         places_of_death({"create_gear", "set_authorized_keys", "add_cartridge php",
                          "add_cartridge mysql", "create_repository", "deploy_initially",
                          "post_install php-8.4", "post_install mysql-8.0", "publish_routes"})) {
        SCOPED_TRACE(place);
        TestBroker t;
        const Principal who = t.user("demo");
        t.broker->domains.create(who, {"acme", {}});
        const std::string before = t.store.dump();
        die_at(t.agent, place);
        EXPECT_THROW(t.create(who, "acme", "shop", {"php", "mysql"}), SimulatedCrash);
        t.agent.before = t.agent.after = {};
        t.restart();
        t.broker->reconciler.repair();
        EXPECT_EQ(t.store.dump(), before);
        EXPECT_TRUE(t.agent.all().empty());
        EXPECT_TRUE(t.store.unfinished_operations().empty());
        EXPECT_EQ(t.create(who, "acme", "shop").application.uid, 1000u);
    }
}

TEST(Recovery, ACrashWhileAnOwnCartridgeComesLeavesAllOrNothing) {
    const std::string manifest = "Name: extra\nCartridge-Short-Name: EXTRA\nVersion: '1'\nCartridge-Vendor: acme\n"
                                 "Categories: [service]\n";
    const CartridgeWish extra{"", "http://x/extra", "", std::nullopt};
    for (const std::string& place : places_of_death({"fetch_cartridge http://x/extra", "add_cartridge extra", "drop_fetched"})) {
        SCOPED_TRACE(place);
        TestBroker t;
        const Principal who = t.user("demo");
        t.agent.manifests["http://x/extra"] = manifest;
        const Application shop = t.create(who, "acme", "shop").application;
        const std::string before = t.store.dump();
        const auto dies = [&](const auto& act) {
            die_at(t.agent, place);
            EXPECT_THROW(act(), SimulatedCrash);
            t.agent.before = t.agent.after = {};
            t.restart();
            t.broker->reconciler.repair();
            EXPECT_EQ(t.store.dump(), before);
            EXPECT_TRUE(t.store.unfinished_operations().empty());
        };
        dies([&] { t.broker->applications.add_cartridge(who, shop, extra, {}); });
        EXPECT_EQ(t.agent.gear(shop.id.text()).cartridges, std::vector<std::string>{"php-8.4"});
        EXPECT_TRUE(t.agent.gear(shop.id.text()).fetched.empty());
        CreateApplication request;
        request.name = "other";
        request.cartridges = {{"php", "", "", std::nullopt}, extra};
        dies([&] { t.broker->applications.create(who, "acme", request, t.broker->domains); });
        EXPECT_EQ(t.agent.all().size(), 1u);
        // And then it works.
        EXPECT_EQ(t.broker->applications.add_cartridge(who, shop, extra, {}).application.cartridges.size(), 2u);
    }
}

TEST(Recovery, ACrashDuringDeleteIsFinished) {
    for (const std::string& place :
         places_of_death({"publish_routes", "kill", "destroy_gear"})) {
        SCOPED_TRACE(place);
        TestBroker t;
        const Principal who = t.user("demo");
        t.broker->domains.create(who, {"acme", {}});
        const std::string before = t.store.dump();
        const Application shop = t.create(who, "acme", "shop").application;
        die_at(t.agent, place);
        EXPECT_THROW(t.broker->applications.remove(who, shop), SimulatedCrash);
        t.agent.before = t.agent.after = {};
        t.restart();
        t.broker->reconciler.repair();
        EXPECT_EQ(t.store.dump(), before);
        EXPECT_TRUE(t.agent.all().empty());
        EXPECT_TRUE(t.store.unfinished_operations().empty());
    }
}

TEST(Recovery, ACrashAfterTheCommitPointKeepsTheApplication) {
    TestBroker t;
    const Principal who = t.user("demo");
    t.broker->domains.create(who, {"acme", {}});
    const Application shop = t.create(who, "acme", "shop").application;
    const auto record = t.store.find_operation(who.user.id, "");
    t.store.set_operation(record.value().id, OperationState::running, "");
    t.restart();
    t.broker->reconciler.repair();
    EXPECT_EQ(t.broker->applications.application(who, shop.id.text()).name.text(), "shop");
    EXPECT_TRUE(t.agent.has_gear(shop.gear()));
}

TEST(Recovery, ADeletionThatFailedIsRepeatedAtTheNextStart) {
    TestBroker t;
    const Principal who = t.user("demo");
    const Application shop = t.create(who, "acme", "shop").application;
    t.agent.before = [](const std::string& call) {
        if (call == "destroy_gear") {
            fail(ErrorKind::internal, "device busy");
        }
    };
    EXPECT_EQ(problems_of([&] { t.broker->applications.remove(who, shop); }),
              "internal: device busy");
    // Not gone: the uid must not be given to another gear yet.
    EXPECT_EQ(t.store.gears_of(who.user.id), 1);
    t.agent.before = {};
    t.restart();
    t.broker->reconciler.repair();
    EXPECT_EQ(t.store.gears_of(who.user.id), 0);
    EXPECT_TRUE(t.agent.all().empty());
}

TEST(Recovery, AnInterruptedRestartIsRepeatedOnce) {
    TestBroker t;
    const Principal who = t.user("demo");
    const Application shop = t.create(who, "acme", "shop").application;
    die_at(t.agent, "before restart");
    EXPECT_THROW(t.broker->applications.run_event(who, shop, GearEvent::restart), SimulatedCrash);
    t.agent.before = t.agent.after = {};
    t.restart();
    t.broker->reconciler.repair();
    const auto count = [&] {
        const auto calls = t.agent.calls();
        return std::count(calls.begin(), calls.end(), "restart");
    };
    EXPECT_EQ(count(), 0);
    t.broker->reconciler.repeat_events();
    EXPECT_EQ(count(), 1);
    EXPECT_TRUE(t.store.unfinished_operations().empty());
}

TEST(Recovery, AGearOfNoApplicationIsDestroyed) {
    TestBroker t;
    GearSpec spec;
    spec.id = GearId("aaaaaaaaaaaaaaaaaaaaaaaa");
    t.agent.plant(spec);
    t.broker->reconciler.repair();
    EXPECT_TRUE(t.agent.all().empty());
}

TEST(Recovery, InterruptedVariablesGoBack) {
    for (const char* place : {"before set_user_variables", "after set_user_variables"}) {
        SCOPED_TRACE(place);
        TestBroker t;
        const Principal who = t.user("demo");
        Application shop = t.create(who, "acme", "shop").application;
        shop = t.broker->applications.change_variables(who, shop, {{"A", "1"}});
        die_at(t.agent, place);
        EXPECT_THROW(t.broker->applications.change_variables(who, shop, {{"A", "2"}}),
                     SimulatedCrash);
        t.agent.before = t.agent.after = {};
        t.restart();
        t.broker->reconciler.repair();
        const std::vector<EnvironmentVariable> expected = {{"A", "1"}};
        EXPECT_EQ(t.broker->applications.application(who, shop.id.text()).variables, expected);
        EXPECT_EQ(t.agent.gear(shop.id.text()).variables, expected);
    }
}

TEST(Recovery, InterruptedKeysReachEveryGear) {
    TestBroker t;
    const Principal who = t.user("demo");
    const Application one = t.create(who, "acme", "one").application;
    const Application two = t.create(who, "acme", "two").application;
    int calls = 0;
    t.agent.before = [&](const std::string& call) {
        if (call == "set_authorized_keys" && ++calls == 2) {
            throw SimulatedCrash();
        }
    };
    EXPECT_THROW(t.broker->keys.add(who, "laptop", "ssh-ed25519", "AAAA"), SimulatedCrash);
    t.agent.before = {};
    t.restart();
    t.broker->reconciler.repair();
    EXPECT_EQ(t.agent.gear(one.id.text()).keys.size(), 1u);
    EXPECT_EQ(t.agent.gear(two.id.text()).keys.size(), 1u);
}

TEST(Create, AFailingStepLeavesNothing) {
    for (const char* call : {"create_gear", "set_authorized_keys", "add_cartridge php",
                             "create_repository", "deploy_initially", "post_install php-8.4", "publish_routes"}) {
        SCOPED_TRACE(call);
        TestBroker t;
        const Principal who = t.user("demo");
        t.broker->domains.create(who, {"acme", {}});
        const std::string before = t.store.dump();
        t.agent.before = [&](const std::string& name) {
            if (name == call) {
                throw ScriptError(7, ErrorKind::invalid, "the script said no");
            }
        };
        EXPECT_THROW(t.create(who, "acme", "shop"), Error);
        EXPECT_EQ(t.store.dump(), before);
        EXPECT_TRUE(t.agent.all().empty());
    }
}

}  // namespace
}  // namespace gearbox::test
