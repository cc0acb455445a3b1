// Snapshots over the API, by curl: saved, restored here and elsewhere, refused, broken off.
#include "daemon_fixture.h"

namespace gearbox::test {

namespace {

class SnapshotTest : public DaemonTest {
protected:
    static std::string create(const std::string& name, const std::string& more = "") {
        const HttpReply made = ask("POST", "domain/acme/applications",
                                   str(R"({"name":")", name, R"(","cartridges":["mock")", more, "]}"));
        EXPECT_EQ(made.status, 201) << made.body;
        return made.json()["data"]["id"].get<std::string>();
    }
    static ToolResult shell(const std::string& program) { return run_tool({"bash", "-c", program}); }
    static std::string url(const std::string& id) {
        return str("http://127.0.0.1:", port, "/broker/rest/application/", id, "/snapshot");
    }
    ToolResult save(const std::string& id) const {
        return shell(str("curl -sS -f -u demo:secret -o ", file(), " ", url(id)));
    }
    /// "STATUS BODY" of the reply.
    std::string restore(const std::string& id, const std::string& options = "") const {
        return shell(str("curl -s -u demo:secret -w '%{stderr}%{http_code} ' -T ", file(), " ", options, " ", url(id),
                         " 2>&1 | sed 's/\\(.*\\)\\([0-9]\\{3\\} \\)$/\\2\\1/'")).out;
    }
    std::string file() const { return work_.path() / "shop.tar.gz"; }
    static std::string home(const std::string& id) { return "/var/lib/openshift/" + id; }
    static std::string state(const std::string& id) {
        return ask("GET", str("application/", id, "/gear_groups")).json()["data"][0]["gears"][0]["state"].get<std::string>();
    }
    /// Files in its data, which belong to the gear.
    static void write_data(const std::string& id, const std::string& program) {
        run_tool_checked({"bash", "-ec", str("cd ", home(id), "/app-root/data\n", program, "\nchown -R --reference . .")});
    }
    /// What SQL says in a gear.
    static std::string sql(const std::string& id, const std::string& statements) {
        const ToolResult said = shell(
            str("nsenter -t ", first_process(id), " -m -n -p -i -u bash -c 'cd ", home(id), "/mysql/env; exec mariadb --no-defaults -N ",
                "--socket=$(<OPENSHIFT_MYSQL_DB_SOCKET) -u $(<OPENSHIFT_MYSQL_DB_USERNAME) -p$(<OPENSHIFT_MYSQL_DB_PASSWORD) ",
                "$(<../../.env/OPENSHIFT_APP_NAME) -e \"", statements, "\"'"));
        return said.out + said.err;
    }

private:
    const TempDir work_;
};

TEST_F(SnapshotTest, HasTheDatabaseForThisAndForAnotherApplication) {
    const Daemon daemon;
    if (std::string catalogue = ask("GET", "cartridges").body; catalogue.find("\"mysql-") == std::string::npos) {
        GTEST_SKIP() << "needs MariaDB";
    }
    const std::string shop = create("shop", ",\"mysql\"");
    write_data(shop, "printf 'precious\\n' >file");
    EXPECT_EQ(sql(shop, "CREATE TABLE t (x INT); INSERT INTO t VALUES (42)"), "");
    const ToolResult saved = save(shop);
    ASSERT_EQ(saved.status, 0) << saved.err;
    EXPECT_EQ(sql(shop, "UPDATE t SET x = 7; SELECT x FROM t"), "7\n");
    const std::string same = restore(shop);
    EXPECT_THAT(same, ::testing::StartsWith("200 ")) << same;
    EXPECT_EQ(sql(shop, "SELECT x FROM t"), "42\n");
    const std::string other = create("other", ",\"mysql\"");
    EXPECT_THAT(restore(other, "-H 'Transfer-Encoding: chunked'"), ::testing::StartsWith("200 "));
    EXPECT_EQ(sql(other, "SELECT x FROM t"), "42\n");
    EXPECT_EQ(read_file(home(other) + "/app-root/data/file"), "precious\n");
    EXPECT_EQ(state(other), "started");
}

TEST_F(SnapshotTest, LeavesTheApplicationAsItWasWhenSomethingIsWrong) {
    const Daemon daemon;
    const std::string id = create("shop");
    write_data(id, "printf 'precious\\n' >file");
    const auto look = [&] {
        return shell(str("cd ", home(id), "; cat app-root/data/file; ls -A app-root/data; cat app-root/repo/index.txt")).out + state(id);
    };
    const std::string before = look();
    // Names that lead out of the application are refused by the same program as over ssh.
    shell(str("cd $(mktemp -d) && mkdir -p a/app-root/data && echo x >a/app-root/data/x && tar -czPf ", file(),
              " --transform 's,data/x,data/../../../../../x,' ./a"));
    EXPECT_THAT(restore(id), ::testing::AllOf(::testing::StartsWith("422 "), HasSubstr("the archive cannot be unpacked; nothing was changed")));
    write_file_atomically(file(), "no archive at all");
    EXPECT_THAT(restore(id), ::testing::AllOf(::testing::StartsWith("422 "), HasSubstr("no gzipped tar")));
    EXPECT_EQ(look(), before);
    // A client that goes away in the middle of it, and one that does not read to the end.
    write_data(id, str("head -c 20000000 /dev/urandom | tee big >", file()));
    EXPECT_EQ(shell(str("timeout 1 curl -s -u demo:secret --limit-rate 100k -T ", file(), " ", url(id))).status, 124);
    EXPECT_EQ(shell(str("curl -s -u demo:secret ", url(id), " | head -c 1000 | wc -c")).out, "1000\n");
    EXPECT_EQ(run_tool({"timeout", "20", "bash", "-c",
                        str("until [ -z \"$(ls -d ", home(id), "/app-root/data/.archive.* 2>/dev/null)\" ] && grep -q started ",
                            home(id), "/app-root/runtime/.state; do sleep .05; done")}).status, 0);
    fs::remove(home(id) + "/app-root/data/big");
    EXPECT_EQ(look(), before);
    // Saved while it is stopped: it stays stopped.
    EXPECT_EQ(ask("POST", str("application/", id, "/events"), R"({"event":"stop"})").status, 200);
    EXPECT_EQ(save(id).status, 0);
    EXPECT_THAT(run_tool_checked({"tar", "-tzf", file()}), HasSubstr(str("./", id, "/app-root/data/file\n")));
    EXPECT_EQ(state(id), "stopped");
}

// Whichever of the two sees it: the broker, which waits first, or the command in the gear.
TEST_F(SnapshotTest, IsForLaterWhileTheApplicationIsBusy) {
    const Daemon daemon("", 1);
    const std::string id = create("shop");
    ASSERT_EQ(save(id).status, 0);
    write_data(id, "head -c 20000000 /dev/urandom >big");  // more than fits into pipes and sockets
    // An archive is there but for its end, then another snapshot begins; who reads that slowly keeps the lock.
    const ToolResult said = shell(str(
        "set -e; cd ", home(id), "/app-root; go=$(mktemp -u); mkfifo $go; ask='curl -s -u demo:secret -w %{http_code}'\n"
        "until_true() { timeout 20 bash -c \"until $1; do sleep .05; done\"; }\n"
        "{ cat ", file(), "; read -r <$go || true; } | $ask -T - ", url(id), " >$go.reply &\nrestore=$!\n"
        "until_true 'compgen -G data/.archive.*/archive >/dev/null'\n"
        "$ask --limit-rate 100k ", url(id), " -o /dev/null &\nsaving=$!\n"
        "until_true 'grep -q building runtime/.state'\n"
        "echo >$go; wait $restore; cat $go.reply; echo; $ask ", url(id), " | head -c 2000\n"
        "kill $saving; wait $saving || true; until_true 'grep -q started runtime/.state'"));
    EXPECT_EQ(said.status, 0) << said.err;
    const std::string busy = "Application 'shop' is busy: a push, a snapshot or another operation has been running for more than 1 s. "
                             "Try again when it has ended.";
    EXPECT_THAT(said.out, ::testing::MatchesRegex(str("\\{.*The snapshot is not restored:.nERROR: ", busy, ".*\\}503\n\\{.*", busy, ".*\\}503")));
    EXPECT_EQ(restore(id).substr(0, 4), "200 ") << "when nobody else is at it";
}

}  // namespace

}  // namespace gearbox::test
