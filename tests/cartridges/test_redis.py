"""The redis cartridge in a hand-made gear: real Valkey or Redis."""

import os
import shutil
import time
import unittest

from gear import BASE, UID, Gear

VALKEY = (BASE / "usr/bin/valkey-server").exists()
SERVER = "valkey-server" if VALKEY else "redis-server"
PRODUCT = "Valkey" if VALKEY else "Redis"
VERSION = "7.2" if VALKEY else "7.0"


def make_gear(test, app):
    gear = Gear(app=app, carts=(("redis", VERSION),))
    test.addClassCleanup(gear.close)
    return gear, gear.add_cartridge("redis", VERSION)


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless((BASE / "usr/bin" / SERVER).exists(), "needs valkey-server or redis-server")
class Redis(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gear, cls.output = make_gear(cls, "Shop1")
        if os.environ.get("GEARBOX_TEST_TIMES"):
            cls.addClassCleanup(cls.gear.print_times)

    def setUp(self):
        self.gear.control("redis", "start")

    def redis(self, command, gear=None):
        return (gear or self.gear).shell(f"redis-cli $REDIS_CLI {command}").strip()

    def test_what_the_user_is_told(self):
        password = self.gear.environment()["OPENSHIFT_REDIS_PASSWORD"]
        for line in (
            f"CLIENT_RESULT: {PRODUCT} added.  Please make note of the password:",
            f"CLIENT_RESULT:         Password: {password}",
            "CART_DATA: connection_url=redis://$OPENSHIFT_REDIS_HOST:$OPENSHIFT_REDIS_PORT",
            f"CART_DATA: password={password}",
        ):
            self.assertIn(line + "\n", self.output)

    def test_environment(self):
        env = self.gear.environment()
        password = env["OPENSHIFT_REDIS_PASSWORD"]
        self.assertRegex(password, r"\A[\w-]{32}\Z")
        self.assertEqual(env["OPENSHIFT_REDIS_URL"], f"redis://default:{password}@{self.gear.address(1)}:6379")
        for name in ("HOST", "PORT", "PASSWORD"):
            self.assertEqual(env[f"OPENSHIFT_REDIS_DB_{name}"], env[f"OPENSHIFT_REDIS_{name}"])

    def test_connections(self):
        self.assertEqual(self.redis("PING"), "PONG")
        self.assertEqual(self.gear.shell('redis-cli --no-auth-warning -u "$OPENSHIFT_REDIS_URL" PING').strip(), "PONG")
        with self.assertRaisesRegex(AssertionError, "Connection refused"):
            self.gear.shell("redis-cli -h 127.0.0.1 PING")

    def test_a_password_is_needed(self):
        self.assertIn("NOAUTH", self.gear.shell("unset REDISCLI_AUTH; redis-cli $REDIS_CLI GET a"))
        self.assertIn("WRONGPASS", self.gear.shell("redis-cli $REDIS_CLI AUTH wrong"))

    def test_memory(self):
        self.assertEqual(self.redis("CONFIG GET maxmemory"), f"maxmemory\n{128 << 20}")
        local = self.gear.home_on_host / "redis/conf/local.conf"
        local.write_text("maxmemory-policy allkeys-lru\n")
        local.chmod(0o644)
        self.gear.control("redis", "restart")
        self.assertEqual(self.redis("CONFIG GET maxmemory-policy"), "maxmemory-policy\nallkeys-lru")
        local.unlink()

    def test_data_survives(self):
        self.redis("SET kept 'snow ☃'")
        self.gear.control("redis", "restart")
        self.assertEqual(self.redis("--raw GET kept"), "snow ☃")
        self.redis("SET later 2")
        self.gear.shell(f"kill -KILL $(pgrep -x {SERVER}); while pgrep -x {SERVER}; do sleep .05; done")
        self.assertEqual(self.gear.control("redis", "status"), f"CLIENT_RESULT: {PRODUCT} is stopped\n")
        self.gear.control("redis", "start")
        self.assertEqual(self.redis("--raw MGET kept later"), "snow ☃\n2")

    def test_installed_again_keeps_data_and_password(self):
        self.redis("SET again 1")
        before = self.gear.environment()
        for path in (self.gear.home_on_host / "redis/env").iterdir():
            path.chmod(0o666)
        self.gear.script("redis", "setup", "--version", VERSION)
        self.gear.script("redis", "install", "--version", VERSION)
        self.assertEqual(self.gear.environment(), before)
        self.assertEqual(self.redis("GET again"), "1")

    def test_verbs_repeat(self):
        self.assertIn("already running", self.gear.control("redis", "start"))
        self.assertEqual(self.gear.control("redis", "status"), f"CLIENT_RESULT: {PRODUCT} is running\n")
        self.gear.control("redis", "stop")
        self.assertIn("already stopped", self.gear.control("redis", "stop"))
        for verb in ("tidy", "reload", "pre-build", "no-such-verb"):
            self.gear.control("redis", verb)
        processes = self.gear.processes()
        self.assertNotIn(SERVER, processes)
        self.assertNotIn("logshifter", processes)

    def test_failed_start_says_why(self):
        self.gear.control("redis", "stop")
        manifest = self.gear.home_on_host / "redis/data/appendonlydir/appendonly.aof.manifest"
        manifest.rename(manifest.with_name("aside"))
        self.gear.shell("echo nonsense >redis/data/appendonlydir/appendonly.aof.manifest")
        done = self.gear.script("redis", "control", "start", check=False)
        manifest.with_name("aside").rename(manifest)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn(f"CLIENT_ERROR: {PRODUCT} did not start", done.stdout)
        self.assertIn("manifest", done.stdout)

    def test_published_connection(self):
        text = self.gear.run(f"{self.gear.home}/redis/hooks/publish-db-connection-info", "a", "b", "c", cart="redis").stdout
        values = dict(line.split("=", 1) for line in text.splitlines())
        env = self.gear.environment()
        self.assertEqual(values, {name: env[name] for name in values})
        self.assertEqual(len(values), 7)

    def test_snapshot_into_another_application(self):
        self.redis("SET moved yes")
        self.redis("RPUSH list a b c")
        self.gear.control("redis", "stop")
        self.gear.control("redis", "pre-snapshot")
        # A child that rewrites the journal may outlive the server for a moment.
        end = time.monotonic() + 5
        while SERVER in self.gear.processes():
            self.assertLess(time.monotonic(), end, "the server still runs")
            time.sleep(.05)

        other, _ = make_gear(type(self), "Other")
        name = "app-root/data/redis_dump_snapshot.rdb"
        dump = other.home_on_host / name
        shutil.copy(self.gear.home_on_host / name, dump)
        os.chown(dump, UID, UID)
        self.gear.control("redis", "post-snapshot")
        self.assertEqual(os.listdir(self.gear.home_on_host / "app-root/data"), [])

        other.control("redis", "start")
        self.redis("SET gone 1", other)
        whole = dump.read_bytes()
        dump.write_bytes(whole[:-20])
        done = other.script("redis", "control", "post-restore", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertEqual(self.redis("GET gone", other), "1")

        dump.write_bytes(whole)
        other.control("redis", "post-restore")
        for _ in range(2):
            self.assertEqual(self.redis("GET moved", other), "yes")
            self.assertEqual(self.redis("LRANGE list 0 -1", other), "a\nb\nc")
            self.assertEqual(self.redis("EXISTS gone", other), "0")
            other.control("redis", "restart")
        self.assertEqual(os.listdir(other.home_on_host / "app-root/data"), [])
        other.control("redis", "stop")
        self.assertEqual([name for name in other.processes() if name in (SERVER, "logshifter")], [])


if __name__ == "__main__":
    unittest.main()
