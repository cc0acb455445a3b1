"""The postgresql cartridge in a hand-made gear: real PostgreSQL."""

import os
import shutil
import unittest

from gear import BASE, UID, Gear

VERSION = next((number for number in ("17", "15") if (BASE / f"usr/lib/postgresql/{number}/bin/postgres").exists()), None)


def make_gear(test, app):
    gear = Gear(app=app, carts=(("postgresql", VERSION),))
    test.addClassCleanup(gear.close)
    return gear, gear.add_cartridge("postgresql", VERSION)


def sql(gear, statement, options="", **variables):
    settings = "".join(f"export {name}={value}; " for name, value in variables.items())
    return gear.run("bash", "-ec", settings + f'psql -XAtq -v ON_ERROR_STOP=1 {options} -c "$1"', "sql", statement).stdout.strip()


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless(VERSION, "needs postgresql-17 or postgresql-15")
class Postgresql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gear, cls.output = make_gear(cls, "Shop1")
        if os.environ.get("GEARBOX_TEST_TIMES"):
            cls.addClassCleanup(cls.gear.print_times)

    def setUp(self):
        self.gear.control("postgresql", "start")

    def sql(self, statement, options="", **variables):
        return sql(self.gear, statement, options, **variables)

    def test_what_the_user_is_told(self):
        env = self.gear.environment()
        for line in (
            "CLIENT_RESULT:        Root User: admin",
            f"CLIENT_RESULT:    Root Password: {env['OPENSHIFT_POSTGRESQL_DB_PASSWORD']}",
            "CLIENT_RESULT:    Database Name: Shop1",
            "CART_DATA: connection_url=postgresql://$OPENSHIFT_POSTGRESQL_DB_HOST:$OPENSHIFT_POSTGRESQL_DB_PORT",
            "CART_DATA: username=admin",
            f"CART_DATA: password={env['OPENSHIFT_POSTGRESQL_DB_PASSWORD']}",
            "CART_DATA: database_name=Shop1",
        ):
            self.assertIn(line + "\n", self.output)

    def test_environment(self):
        env = self.gear.environment()
        address, password = self.gear.address(1), env["OPENSHIFT_POSTGRESQL_DB_PASSWORD"]
        self.assertEqual(env["OPENSHIFT_POSTGRESQL_DB_URL"], f"postgresql://admin:{password}@{address}:5432")
        self.assertEqual(env["OPENSHIFT_POSTGRESQL_DB_LOG_DIR"], env["OPENSHIFT_LOG_DIR"])
        self.assertEqual([env[name] for name in ("PGHOST", "PGPORT", "PGUSER", "PGPASSWORD", "PGDATABASE")],
                         [address, "5432", "admin", password, "Shop1"])

    def test_connections(self):
        self.assertEqual(self.sql("SELECT current_database(), current_user"), "Shop1|admin")
        self.assertEqual(self.sql("SELECT host(inet_server_addr())"), self.gear.address(1))
        self.assertEqual(self.sql("SELECT 1", '-h "$OPENSHIFT_POSTGRESQL_DB_SOCKET"'), "1")
        self.assertEqual(self.sql("SELECT 1", '-d "$OPENSHIFT_POSTGRESQL_DB_URL/Shop1"'), "1")
        with self.assertRaisesRegex(AssertionError, "Connection refused"):
            self.sql("SELECT 1", "-h 127.0.0.1")

    def test_a_password_is_needed(self):
        for options in ("", '-h "$OPENSHIFT_POSTGRESQL_DB_SOCKET"'):
            with self.assertRaisesRegex(AssertionError, "password authentication failed"):
                self.sql("SELECT 1", options, PGPASSWORD="wrong")
            with self.assertRaisesRegex(AssertionError, "no password supplied"):
                self.sql("SELECT 1", options, PGPASSWORD="")
        self.assertEqual(self.sql("SELECT rolname FROM pg_roles WHERE rolcanlogin"), "admin")
        self.assertRegex(self.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'admin'"), r"\ASCRAM-SHA-256\$")

    def test_text(self):
        self.assertEqual(self.sql("SELECT pg_encoding_to_char(encoding), datcollate, datctype FROM pg_database "
                                  "WHERE datname = 'Shop1'"), "UTF8|C.UTF-8|C.UTF-8")
        self.assertEqual(self.sql("SELECT upper('éß☃'), length('☃🎿')"), "Éß☃|2")
        self.assertEqual(self.sql("SHOW timezone"), "UTC")

    def test_lean(self):
        self.assertEqual(self.sql("SELECT current_setting('shared_buffers'), current_setting('jit')"), "64MB|off")

    def test_data_survives(self):
        self.sql("CREATE TABLE IF NOT EXISTS kept (id INT PRIMARY KEY, text VARCHAR(50)); "
                 "INSERT INTO kept VALUES (1, 'snow ☃ 🎿') ON CONFLICT DO NOTHING")
        self.gear.control("postgresql", "restart")
        self.assertEqual(self.sql("SELECT text FROM kept"), "snow ☃ 🎿")

    def kill_main_process(self):
        self.gear.shell('pid=$(head -n 1 postgresql/data/postmaster.pid); kill -KILL $pid; '
                        'while kill -0 $pid 2>/dev/null; do sleep .05; done')

    def test_killed(self):
        self.sql("CREATE TABLE killed AS SELECT generate_series(1, 1000) AS n")
        self.kill_main_process()
        self.assertEqual(self.gear.control("postgresql", "status"), "CLIENT_RESULT: PostgreSQL is stopped\n")
        self.gear.control("postgresql", "start")
        self.assertEqual(self.sql("SELECT count(*) FROM killed"), "1000")

    def test_killed_with_a_busy_child(self):
        busy = "SELECT count(*) FROM generate_series(1, 1000000000) -- busy"
        self.gear.shell(f'setsid psql -Xq -c "{busy}" >/dev/null 2>&1 & '
                        'until [[ $(psql -XAt -c "SELECT count(*) FROM pg_stat_activity WHERE query LIKE \'%-- busy\'") == 1 ]]; '
                        'do sleep .1; done')
        self.kill_main_process()
        self.assertIn("postgres", self.gear.processes())
        self.gear.control("postgresql", "start")
        self.assertEqual(self.sql("SELECT 1"), "1")
        self.gear.control("postgresql", "stop")
        self.assertNotIn("postgres", self.gear.processes())

    def test_pid_file_of_another_process(self):
        """After the gear was made anew, the number in it may be anybody's."""
        self.kill_main_process()
        self.gear.shell("sed -i '1s/.*/1/' postgresql/data/postmaster.pid")
        self.assertIn("already stopped", self.gear.control("postgresql", "stop"))
        self.gear.control("postgresql", "start")
        self.assertEqual(self.sql("SELECT 1"), "1")

    def test_installed_again_keeps_data_and_password(self):
        self.sql("CREATE TABLE IF NOT EXISTS again ()")
        before = self.gear.environment()
        self.gear.control("postgresql", "stop")
        for path in (self.gear.home_on_host / "postgresql/env").iterdir():
            path.chmod(0o666)
        self.gear.script("postgresql", "setup", "--version", VERSION)
        self.gear.script("postgresql", "install", "--version", VERSION)
        self.assertEqual(self.gear.environment(), before)
        self.gear.control("postgresql", "start")
        self.assertEqual(self.sql("SELECT count(*) FROM again"), "0")

    def test_verbs_repeat(self):
        self.assertIn("already running", self.gear.control("postgresql", "start"))
        self.assertEqual(self.gear.control("postgresql", "status"), "CLIENT_RESULT: PostgreSQL is running\n")
        self.gear.control("postgresql", "reload")
        self.assertEqual(self.sql("SELECT 1"), "1")
        self.gear.control("postgresql", "stop")
        self.assertIn("already stopped", self.gear.control("postgresql", "stop"))
        for verb in ("tidy", "reload", "pre-build", "no-such-verb"):
            self.gear.control("postgresql", verb)
        processes = self.gear.processes()
        self.assertNotIn("postgres", processes)
        self.assertNotIn("logshifter", processes)

    def test_failed_start_says_why(self):
        self.gear.control("postgresql", "stop")
        control = self.gear.home_on_host / "postgresql/data/global/pg_control"
        control.rename(control.with_name("aside"))
        done = self.gear.script("postgresql", "control", "start", check=False)
        control.with_name("aside").rename(control)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("CLIENT_ERROR: PostgreSQL did not start", done.stdout)
        self.assertIn("pg_control", done.stdout)

    def test_published_connection(self):
        text = self.gear.run(f"{self.gear.home}/postgresql/hooks/publish-db-connection-info", "a", "b", "c",
                             cart="postgresql").stdout
        values = dict(line.split("=", 1) for line in text.splitlines())
        env = self.gear.environment()
        self.assertEqual(values, {name: env[name] for name in values})
        self.assertEqual(len(values), 10)

    def test_snapshot_into_another_application(self):
        line = "CREATE ROLE admin; ALTER ROLE admin WITH SUPERUSER;"
        self.sql("CREATE TABLE moved (n serial, text text); CREATE ROLE reader LOGIN PASSWORD 'reads'; "
                 "GRANT SELECT ON moved TO reader")
        self.sql("CREATE DATABASE second")
        self.sql(f"INSERT INTO moved (text) VALUES ('{line}'), ('snow ☃')")
        self.sql("CREATE TABLE there AS SELECT 7 AS n", "-d second")
        self.gear.control("postgresql", "stop")
        self.gear.control("postgresql", "pre-snapshot")
        self.assertNotIn("postgres", self.gear.processes())

        other, _ = make_gear(type(self), "Other")
        names = ("postgresql_dump_snapshot.gz", "postgresql_db_dbname")
        for name in names:
            copied = shutil.copy(self.gear.home_on_host / "app-root/data" / name, other.home_on_host / "app-root/data")
            os.chown(copied, UID, UID)
        self.gear.control("postgresql", "post-snapshot")
        self.assertEqual(os.listdir(self.gear.home_on_host / "app-root/data"), [])

        other.control("postgresql", "start")
        sql(other, "CREATE TABLE gone ()")
        dump = other.home_on_host / "app-root/data" / names[0]
        whole = dump.read_bytes()
        dump.write_bytes(whole[:len(whole) // 2])
        done = other.script("postgresql", "control", "post-restore", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("CLIENT_ERROR: the databases could not be restored and are as before", done.stdout)
        self.assertEqual(sql(other, "SELECT count(*) FROM gone"), "0")

        dump.write_bytes(whole)
        other.control("postgresql", "post-restore")
        self.assertEqual(sql(other, "SELECT text FROM moved ORDER BY n"), f"{line}\nsnow ☃")
        self.assertEqual(sql(other, "SELECT n FROM there", "-d second"), "7")
        self.assertEqual(sql(other, "SELECT count(*) FROM moved", PGUSER="reader", PGPASSWORD="reads"), "2")
        self.assertEqual(sql(other, "SELECT datname FROM pg_database WHERE datname IN ('Shop1', 'Other')"), "Other")
        self.assertEqual(sql(other, "SELECT tableowner FROM pg_tables WHERE tablename = 'moved'"), "admin")
        with self.assertRaisesRegex(AssertionError, "does not exist"):
            sql(other, "SELECT * FROM gone")
        self.assertEqual(os.listdir(other.home_on_host / "app-root/data"), [])
        other.control("postgresql", "stop")
        self.assertEqual([name for name in other.processes() if name in ("postgres", "logshifter")], [])


if __name__ == "__main__":
    unittest.main()
