// Variables that a cartridge of one application gives every application of its domain.
#include "support/broker_fixture.h"

namespace gearbox::test {
namespace {

struct DomainVariablesTest : testing::Test {
    DomainVariablesTest() {
        Cartridge jenkins = t.agent.catalogue.back();
        jenkins.name = "jenkins";
        jenkins.short_name = "jenkins";
        jenkins.version = "2.0";
        jenkins.provides = {"jenkins"};
        jenkins.requires_features = {};
        t.agent.catalogue.push_back(jenkins);
        t.restart();
        first = t.create(who, "d1", "first").application;
    }
    std::string seen_by(const Application& application) {
        std::string out;
        for (const auto& variable : t.agent.gear(application.id.text()).domain_variables) {
            out += str(variable.name, "=", variable.value, " ");
        }
        return out;
    }
    void add_jenkins(const Application& application) {
        t.broker->applications.add_cartridge(who, application, {"jenkins", "", "", {}}, {});
    }

    TestBroker t;
    Principal who = t.user("ann");
    Application first;
};

TEST_F(DomainVariablesTest, ReachEveryApplicationOfTheDomainAndNoOther) {
    const Application second = t.create(who, "d1", "second").application;
    const Application away = t.create(who, "d2", "away").application;
    add_jenkins(first);
    EXPECT_EQ(seen_by(first), "CI_MODE=on JENKINS_URL=http://ci/ ");
    EXPECT_EQ(seen_by(second), "CI_MODE=on JENKINS_URL=http://ci/ ");
    EXPECT_EQ(seen_by(away), "");
    const Application later = t.create(who, "d1", "later").application;
    EXPECT_EQ(seen_by(later), "CI_MODE=on JENKINS_URL=http://ci/ ");
    add_jenkins(away);
    EXPECT_EQ(seen_by(away), "CI_MODE=on JENKINS_URL=http://ci/ ") << "unique in a domain only";
}

TEST_F(DomainVariablesTest, ClashWhereTheyMustBeUniqueAndLeaveNothing) {
    const Application second = t.create(who, "d1", "second").application;
    add_jenkins(first);
    const std::string before = t.store.dump();
    EXPECT_EQ(problems_of([&] { add_jenkins(second); }), "forbidden 134/cartridges");
    EXPECT_EQ(t.store.dump(), before);
    EXPECT_EQ(t.agent.gear(second.id.text()).cartridges.size(), 1u);
    CreateApplication request;
    request.name = "third";
    for (const char* cartridge : {"php-8.4", "jenkins-2.0"}) {
        request.cartridges.push_back({cartridge, "", "", std::nullopt});
    }
    EXPECT_EQ(problems_of([&] {
                  t.broker->applications.create(who, "d1", request, t.broker->domains);
              }),
              "forbidden 134/cartridges");
    EXPECT_EQ(t.store.dump(), before);
}

TEST_F(DomainVariablesTest, GoWithTheCartridgeOrTheApplicationThatGaveThem) {
    const Application second = t.create(who, "d1", "second").application;
    add_jenkins(first);
    t.broker->applications.remove_cartridge(who, first, "jenkins-2.0");
    EXPECT_EQ(seen_by(second), "");
    add_jenkins(first);
    EXPECT_NE(seen_by(second), "");
    t.broker->applications.remove(who, first);
    EXPECT_EQ(seen_by(second), "");
    add_jenkins(second);
    EXPECT_EQ(seen_by(second), "CI_MODE=on JENKINS_URL=http://ci/ ");
}

}  // namespace
}  // namespace gearbox::test
