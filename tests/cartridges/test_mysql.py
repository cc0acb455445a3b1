"""The mysql cartridge in a hand-made gear: real MariaDB."""

import os
import unittest

from gear import BASE, Gear


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless((BASE / "usr/sbin/mariadbd").exists(), "needs mariadb-server-core")
class Mysql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gear = Gear(app="Shop1", carts=(("mysql", "5.5"),))
        cls.addClassCleanup(cls.gear.close)
        cls.output = cls.gear.add_cartridge("mysql", "5.5")

    def setUp(self):
        self.gear.control("mysql", "start")

    def sql(self, statement, where='-h "$OPENSHIFT_MYSQL_DB_HOST" -P "$OPENSHIFT_MYSQL_DB_PORT"'):
        return self.gear.shell(f'mysql --no-defaults {where} -u "$OPENSHIFT_MYSQL_DB_USERNAME" '
                               '-p"$OPENSHIFT_MYSQL_DB_PASSWORD" -N "$OPENSHIFT_APP_NAME" -e "$1"'
                               .replace("$1", statement)).strip()

    def test_what_the_user_is_told(self):
        env = self.gear.environment()
        for line in (
            f"CLIENT_RESULT:        Root User: {env['OPENSHIFT_MYSQL_DB_USERNAME']}",
            f"CLIENT_RESULT:    Root Password: {env['OPENSHIFT_MYSQL_DB_PASSWORD']}",
            "CLIENT_RESULT:    Database Name: Shop1",
            "CART_DATA: connection_url=mysql://$OPENSHIFT_MYSQL_DB_HOST:$OPENSHIFT_MYSQL_DB_PORT/",
            f"CART_DATA: username={env['OPENSHIFT_MYSQL_DB_USERNAME']}",
            f"CART_DATA: password={env['OPENSHIFT_MYSQL_DB_PASSWORD']}",
            "CART_DATA: database_name=Shop1",
        ):
            self.assertIn(line + "\n", self.output)

    def test_environment(self):
        env = self.gear.environment()
        user, password = env["OPENSHIFT_MYSQL_DB_USERNAME"], env["OPENSHIFT_MYSQL_DB_PASSWORD"]
        self.assertRegex(user, r"\Aadmin\w{7}\Z")
        self.assertEqual(env["OPENSHIFT_MYSQL_DB_URL"], f"mysql://{user}:{password}@{self.gear.address(1)}:3306/")
        self.assertEqual(env["OPENSHIFT_MYSQL_DB_LOG_DIR"], env["OPENSHIFT_LOG_DIR"])
        self.assertEqual(env["OPENSHIFT_MYSQL_DB_SOCKET"], f"{self.gear.home}/mysql/socket/mysql.sock")

    def test_connections(self):
        self.assertEqual(self.sql("SELECT DATABASE()"), "Shop1")
        self.assertEqual(self.sql("SELECT 1", '-S "$OPENSHIFT_MYSQL_DB_SOCKET"'), "1")
        self.assertEqual(self.sql("SELECT @@character_set_database, @@bind_address"), f"utf8mb4\t{self.gear.address(1)}")
        with self.assertRaisesRegex(AssertionError, "onnect"):
            self.sql("SELECT 1", "-h 127.0.0.1 -P 3306")

    def test_only_the_applications_account_can_log_in(self):
        accounts = self.sql("SELECT User, Host FROM mysql.global_priv WHERE User <> 'PUBLIC' ORDER BY User")
        user = self.gear.environment()["OPENSHIFT_MYSQL_DB_USERNAME"]
        self.assertEqual(accounts.splitlines(), [f"{user}\t%", "mariadb.sys\tlocalhost"])
        with self.assertRaisesRegex(AssertionError, "Access denied"):
            self.gear.shell('mysql --no-defaults -S "$OPENSHIFT_MYSQL_DB_SOCKET" -u root -e "SELECT 1"')

    def test_rights(self):
        self.sql("CREATE DATABASE second; DROP DATABASE second")
        self.sql("CREATE USER other@'%' IDENTIFIED BY 'x'; GRANT SELECT ON Shop1.* TO other@'%'; DROP USER other@'%'")

    def test_data_survives(self):
        self.sql("CREATE TABLE IF NOT EXISTS kept (id INT PRIMARY KEY, text VARCHAR(50)) ENGINE=InnoDB; "
                 "REPLACE INTO kept VALUES (1, 'snow ☃ 🎿')")
        self.gear.control("mysql", "restart")
        self.assertEqual(self.sql("SELECT text FROM kept"), "snow ☃ 🎿")
        self.gear.shell("kill -KILL $(pgrep mariadbd); while pgrep -x mariadbd; do sleep .05; done")
        self.assertEqual(self.gear.control("mysql", "status"), "CLIENT_RESULT: MySQL is stopped\n")
        self.gear.control("mysql", "start")
        self.assertEqual(self.sql("SELECT text FROM kept"), "snow ☃ 🎿")

    def test_installed_again_keeps_data_and_password(self):
        before = self.gear.environment()
        self.gear.control("mysql", "stop")
        self.gear.shell("true")
        for path in (self.gear.home_on_host / "mysql/env").glob("OPENSHIFT_MYSQL_*"):
            path.chmod(0o666)
        self.gear.script("mysql", "setup", "--version", "5.5")
        self.gear.script("mysql", "install", "--version", "5.5")
        self.assertEqual(self.gear.environment(), before)
        self.gear.control("mysql", "start")
        self.assertEqual(self.sql("SELECT 1"), "1")

    def test_verbs_repeat(self):
        self.assertIn("already running", self.gear.control("mysql", "start"))
        self.assertEqual(self.gear.control("mysql", "status"), "CLIENT_RESULT: MySQL is running\n")
        self.gear.control("mysql", "stop")
        self.assertIn("already stopped", self.gear.control("mysql", "stop"))
        self.assertNotIn("mariadbd", self.gear.processes())
        for verb in ("tidy", "reload", "pre-build", "no-such-verb"):
            self.gear.control("mysql", verb)
        self.assertNotIn("mariadbd", self.gear.processes())

    def test_failed_start_says_why(self):
        self.gear.control("mysql", "stop")
        data = self.gear.home_on_host / "mysql/data/ibdata1"
        data.rename(data.with_name("aside"))
        self.gear.shell(": >mysql/data/ibdata1")
        done = self.gear.script("mysql", "control", "start", check=False)
        data.with_name("aside").rename(data)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("CLIENT_ERROR: MySQL did not start", done.stdout)
        self.assertIn("InnoDB", done.stdout)

    def test_published_connection(self):
        text = self.gear.run(f"{self.gear.home}/mysql/hooks/publish-db-connection-info", "a", "b", "c", cart="mysql").stdout
        values = dict(line.split("=", 1) for line in text.splitlines())
        env = self.gear.environment()
        self.assertEqual(values, {name: env[name] for name in values})
        self.assertEqual(len(values), 5)


if __name__ == "__main__":
    unittest.main()
