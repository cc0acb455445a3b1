"""The phpmyadmin cartridge in a hand-made gear: real Apache, mod_php, phpMyAdmin and MariaDB."""

import os
import re
import unittest

from gear import BASE, Gear


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless((BASE / "usr/share/phpmyadmin/index.php").exists(), "needs phpmyadmin")
@unittest.skipUnless((BASE / "usr/sbin/mariadbd").exists(), "needs mariadb-server-core")
@unittest.skipUnless(list((BASE / "usr/lib/apache2/modules").glob("libphp*.so")), "needs libapache2-mod-php")
class PhpMyAdmin(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gear = Gear(app="Shop1", carts=(("mysql", "5.5"), ("phpmyadmin", "5.2")))
        cls.addClassCleanup(cls.gear.close)
        if os.environ.get("GEARBOX_TEST_TIMES"):
            cls.addClassCleanup(cls.gear.print_times)
        cls.gear.add_cartridge("mysql", "5.5")
        cls.output = cls.gear.add_cartridge("phpmyadmin", "5.2")
        cls.gear.control("mysql", "start")
        cls.url = f"http://{cls.gear.address(2)}:8080/phpmyadmin/"

    def setUp(self):
        self.gear.control("phpmyadmin", "start")
        self.cookies = self.gear.work / "cookies"
        self.cookies.unlink(missing_ok=True)

    def get(self, path="", *options):
        return self.gear.curl("-L", "-b", str(self.cookies), "-c", str(self.cookies), *options, self.url + path)

    def code(self, path):
        return self.gear.curl("-o", "/dev/null", "-w", "%{http_code}", self.url + path)

    def log_in(self, user, password):
        page = self.get()
        fields = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("set_session", "token")}
        fields |= {"pma_username": user, "pma_password": password, "server": "1", "route": "/"}
        return self.get("index.php?route=/", *(part for item in fields.items()
                                               for part in ("--data-urlencode", "=".join(item))))

    def log_text(self):
        log = self.gear.home_on_host / "app-root/logs/phpmyadmin.log"
        return log.read_text() if log.exists() else ""

    def test_log_in(self):
        env = self.gear.environment()
        page = self.log_in(env["OPENSHIFT_MYSQL_DB_USERNAME"], env["OPENSHIFT_MYSQL_DB_PASSWORD"])
        self.assertTrue("logged_in:true" in page and "MariaDB" in page, page[:2000])
        self.assertTrue("db=Shop1" in self.get("index.php?route=/server/databases"))
        self.assertNotRegex(self.log_text(), "PHP (Warning|Fatal|Parse)")

    def test_a_password_is_needed(self):
        self.assertIn("pma_password", self.get())
        user = self.gear.environment()["OPENSHIFT_MYSQL_DB_USERNAME"]
        for name, password in ((user, "wrong"), (user, ""), ("root", "")):
            page = self.log_in(name, password)
            self.assertIn("pma_password", page)
            self.assertNotIn("logged_in:true", page)

    def test_files(self):
        page = self.get()
        for path in ("js/vendor/jquery/jquery.min.js", "themes/pmahomme/css/theme.css", "js/messages.php?l=en",
                     "robots.txt"):
            self.assertEqual(self.code(path), "200", path)
        self.assertIn("text/css", self.gear.curl("-I", self.url + "themes/pmahomme/css/theme.css"))
        self.assertNotIn("<?php", page)
        self.assertEqual(self.code("url.php"), "302")
        for path in ("libraries/vendor_config.php", "templates/base.twig", "sql/create_tables.sql", "../"):
            self.assertIn(self.code(path), ("403", "404"), path)
        self.assertEqual(self.gear.curl("-o", "/dev/null", "-w", "%{http_code}", self.url.removesuffix("phpmyadmin/")), "403")

    def test_verbs_repeat(self):
        self.assertIn("already running", self.gear.control("phpmyadmin", "start"))
        self.assertEqual(self.gear.control("phpmyadmin", "status"), "CLIENT_RESULT: phpMyAdmin is running\n")
        self.gear.control("phpmyadmin", "restart")
        self.gear.control("phpmyadmin", "stop")
        self.assertIn("already stopped", self.gear.control("phpmyadmin", "stop"))
        for verb in ("tidy", "reload", "pre-build", "no-such-verb"):
            self.gear.control("phpmyadmin", verb)
        self.assertEqual(self.gear.control("phpmyadmin", "status"), "CLIENT_RESULT: phpMyAdmin is stopped\n")
        self.assertNotIn("apache2", self.gear.processes())

    def test_killed(self):
        self.gear.shell("kill -KILL $(<phpmyadmin/run/httpd.pid); pkill -KILL apache2 || true; "
                        "while pgrep -x apache2; do sleep .05; done")
        self.assertEqual(self.gear.control("phpmyadmin", "status"), "CLIENT_RESULT: phpMyAdmin is stopped\n")
        self.gear.control("phpmyadmin", "start")
        self.assertIn("pma_password", self.get())

    def test_installed_again_keeps_the_secret(self):
        secret = self.gear.home_on_host / "phpmyadmin/conf/secret"
        before = secret.read_text()
        self.assertRegex(before, r"\A\w{32}\n\Z")
        self.gear.script("phpmyadmin", "install", "--version", "5.2")
        self.assertEqual(secret.read_text(), before)

    def test_what_the_user_is_told(self):
        self.assertIn("CART_DATA: connection_url=http://Shop1-test.gearbox.localhost/phpmyadmin/\n", self.output)


if __name__ == "__main__":
    unittest.main()
