#include "broker/store/state_store.h"

#include "broker/passwords.h"
#include "support/broker_fixture.h"

#include <sys/stat.h>

#include <thread>

namespace gearbox::test {
namespace {

TEST(Store, KeepsEverythingOverAReopening) {
    const TempDir directory;
    const std::string file = directory.path() / "state.db";
    std::string before;
    {
        TestBroker t(file);
        const Principal who = t.user("demo");
        t.broker->keys.add(who, "laptop", "ssh-ed25519", "AAAA");
        const Application shop = t.create(who, "acme", "shop", {"php", "mysql"}).application;
        t.broker->applications.change_variables(who, shop, {{"GREETING", "Grüße, \"Welt\"\n"}});
        before = t.store.dump();
    }
    const StateStore again(file);
    EXPECT_EQ(again.dump(), before);
    EXPECT_EQ(again.schema_version(), 5);
    const auto shop = again.all_applications().front().value;
    EXPECT_EQ(shop.variables.front().value, "Grüße, \"Welt\"\n");
    EXPECT_EQ(shop.cartridges.back().properties.front().name, "username");
}

TEST(Store, RefusesADatabaseOfANewerVersion) {
    const TempDir directory;
    const std::string file = directory.path() / "state.db";
    { StateStore store(file); }
    {
        sqlite::Database db(file);
        db.execute("PRAGMA user_version=99");
    }
    EXPECT_THROW(StateStore{file}, Error);
}

TEST(Store, GivesTheLowestFreeUidAndOnlyWhenTheRowIsGone) {
    TestBroker t;
    const Principal who = t.user("demo");
    const Application a = t.create(who, "acme", "a").application;
    const Application b = t.create(who, "acme", "b").application;
    EXPECT_EQ(a.uid, 1000u);
    EXPECT_EQ(b.uid, 1001u);
    t.broker->applications.remove(who, a);
    EXPECT_EQ(t.create(who, "acme", "c").application.uid, 1000u);
    EXPECT_EQ(t.create(who, "acme", "d").application.uid, 1002u);
}

TEST(Store, OneOfTwoRacingCreationsWins) {
    TestBroker t;
    const Principal who = t.user("demo");
    t.broker->domains.create(who, {"acme", {}});
    std::atomic<int> won = 0;
    std::atomic<int> lost = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i) {
        threads.emplace_back([&] {
            const std::string problem = problems_of([&] { t.create(who, "acme", "shop"); });
            ++(problem.empty() ? won : lost);
            EXPECT_TRUE(problem.empty() || problem == "invalid 100/name") << problem;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(won, 1);
    EXPECT_EQ(lost, 7);
    EXPECT_EQ(t.agent.all().size(), 1u);
}

TEST(Store, TheLastGearOfAQuotaGoesToOne) {
    TestBroker t;
    const Principal who = t.user("demo");
    t.broker->domains.create(who, {"acme", {}});
    std::atomic<int> won = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 12; ++i) {
        threads.emplace_back([&, i] {
            const std::string problem = problems_of([&] { t.create(who, "acme", str("app", i)); });
            won += problem.empty() ? 1 : 0;
            EXPECT_TRUE(problem.empty() || problem.find(" 104/") != std::string::npos) << problem;
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(won, who.user.max_gears);
}

TEST(Passwords, AreArgon2idAndRemembered) {
    FakeClock clock;
    Passwords passwords(clock);
    const UserId user("aaaaaaaaaaaaaaaaaaaaaaaa");
    const std::string stored = passwords.hash("correct horse");
    EXPECT_EQ(stored.rfind("$argon2id$v=19$m=8192,t=4,p=1$", 0), 0u) << stored;
    EXPECT_NE(stored, passwords.hash("correct horse"));
    EXPECT_TRUE(passwords.verify(user, stored, "correct horse"));
    EXPECT_TRUE(passwords.verify(user, stored, "correct horse"));
    EXPECT_FALSE(passwords.verify(user, stored, "correct horse "));
    // Another hash (the password was changed) does not profit from what is remembered.
    EXPECT_FALSE(passwords.verify(user, passwords.hash("other"), "correct horse"));
}

TEST(Tokens, CanBeShownAgainButAreNotKept) {
    const TempDir directory;
    const std::string file = directory.path() / "token.key";
    const std::string token = Tokens(file).token("aaaaaaaaaaaaaaaaaaaaaaaa");
    EXPECT_EQ(token.size(), 64u);
    EXPECT_EQ(Tokens(file).token("aaaaaaaaaaaaaaaaaaaaaaaa"), token);
    EXPECT_NE(Tokens(directory.path() / "other.key").token("aaaaaaaaaaaaaaaaaaaaaaaa"), token);
    EXPECT_NE(Tokens::hash(token), token);
    struct stat info {};
    ASSERT_EQ(::stat(file.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0600u);
}

}  // namespace
}  // namespace gearbox::test
