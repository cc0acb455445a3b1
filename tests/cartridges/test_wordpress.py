"""The WordPress quickstart, from an empty gear to a published post and beyond."""

import os
import pathlib
import re
import shutil
import tempfile
import unittest

from gear import BASE, Gear, ScriptFailed, SOURCE

TREE = SOURCE / "quickstarts/wordpress/tree"
VERSIONS = [v for v in ("8.4", "8.2") if (BASE / f"usr/lib/apache2/modules/libphp{v}.so").exists()]
HOST = "blog-test.gearbox.localhost"
PASSWORD = "correct horse battery staple"


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless(VERSIONS and (BASE / "usr/sbin/mariadbd").exists(), "needs mod_php and MariaDB")
@unittest.skipUnless((BASE / "usr/share/wordpress").exists(), "needs Debian's wordpress package")
class WordPress(unittest.TestCase):
    """One site; the tests run in the order of their names, as its life goes."""

    @classmethod
    def setUpClass(cls):
        cls.gear = Gear(app="blog", carts=(("php", VERSIONS[0]), ("mysql", "5.5")))
        cls.addClassCleanup(cls.gear.close)
        cls.tree = pathlib.Path(tempfile.mkdtemp()) / "tree"
        cls.addClassCleanup(shutil.rmtree, cls.tree.parent)
        cls.tree.parent.chmod(0o755)
        shutil.copytree(TREE, cls.tree)
        cls.gear.add_cartridge("php", VERSIONS[0])
        cls.gear.add_cartridge("mysql", "5.5")
        cls.data = cls.gear.home_on_host / "app-root/data"
        cls.jar = cls.tree.parent / "cookies"

    def get(self, path="/", *options):
        return self.gear.curl("--resolve", f"{HOST}:8080:{self.gear.address(1)}", "-b", str(self.jar),
                              "-c", str(self.jar), *options, f"http://{HOST}:8080{path}")

    def post(self, path, *options, **fields):
        form = [word for name, value in fields.items() for word in ("--data-urlencode", f"{name}={value}")]
        return self.get(path, *form, *options)

    def code(self, path, *options):
        return self.get(path, "-o", "/dev/null", "-w", "%{http_code}", *options)

    def deploy(self):
        return self.gear.deploy(self.tree)

    def assertPostIsThere(self):
        self.assertIn("The first post of this site", self.get("/"))

    def test_01_first_deployment(self):
        output = self.deploy()
        self.assertIn("Laying out WordPress", output)
        self.assertIn("Database schema not yet added", output)

    def test_02_installation_form(self):
        self.assertIn(f"Location: http://{HOST}:8080/wp-admin/install.php", self.get("/", "-i"))
        self.assertIn("user_name", self.get("/wp-admin/install.php"))
        page = self.post("/wp-admin/install.php?step=2", weblog_title="Our site", user_name="editor",
                         admin_password=PASSWORD, admin_password2=PASSWORD, pw_weak="on",
                         admin_email="editor@example.org", blog_public="0", Submit="Install", language="")
        self.assertIn("Success!", page)

    def test_03_pages_are_whole(self):
        page = self.get("/")
        self.assertIn("Our site", page)
        self.assertIn("Hello world!", page)
        self.assertIn("runs WordPress on Gearbox", page)
        self.assertNotIn("s.w.org/images", page)
        for link in re.findall(rf"(?:href|src)=['\"]http://{HOST}:8080(/[^'\"#]*\.(?:css|js)[^'\"]*)", page):
            self.assertEqual(self.code(link), "200", link)
        self.assertEqual(self.code("/wp-includes/js/underscore.min.js"), "200")
        self.assertEqual(self.code("/wp-content/themes/gearbox/style.css"), "200")

    def test_04_log_in_and_publish(self):
        self.get("/wp-login.php")
        answer = self.post("/wp-login.php", "-i", log="editor", pwd=PASSWORD, testcookie="1")
        self.assertIn(f"Location: http://{HOST}:8080/wp-admin/", answer)
        self.assertIn("Dashboard", self.get("/wp-admin/"))
        nonce = self.get("/wp-admin/admin-ajax.php?action=rest-nonce")
        answer = self.post("/?rest_route=/wp/v2/posts", "-i", "-H", f"X-WP-Nonce: {nonce}",
                           title="The first post of this site", content="Written ☃ by a test.", status="publish")
        self.assertIn("201 Created", answer)
        self.assertPostIsThere()

    def test_05_upload(self):
        nonce = self.get("/wp-admin/admin-ajax.php?action=rest-nonce")
        picture = self.tree.parent / "dot.png"
        self.gear.shell("true")
        picture.write_bytes(bytes.fromhex(
            "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8cfc000000301"
            "0100c9fe92ef0000000049454e44ae426082"))
        answer = self.get("/?rest_route=/wp/v2/media", "-i", "-H", f"X-WP-Nonce: {nonce}", "-H",
                          "Content-Disposition: attachment; filename=dot.png", "-H", "Content-Type: image/png",
                          "--data-binary", f"@{picture}")
        self.assertIn("201 Created", answer)
        type(self).upload = re.search(r'"source_url":"http:[^"]*?(\\/wp-content[^"]*)"', answer)[1].replace("\\/", "/")
        self.assertEqual(self.code(self.upload), "200")
        self.gear.shell("echo '<?php echo 1;' >app-root/data/uploads/bad.php")
        self.assertEqual(self.code("/wp-content/uploads/bad.php"), "403")

    def test_06_restart(self):
        for cart in ("php", "mysql"):
            self.gear.control(cart, "stop")
        for cart in ("mysql", "php"):
            self.gear.control(cart, "start")
        self.assertPostIsThere()

    def test_07_second_push_changes_the_theme(self):
        footer = self.tree / ".openshift/themes/gearbox/footer.php"
        footer.write_text(footer.read_text().replace("runs WordPress on Gearbox", "has a new footer"))
        (self.tree / ".openshift/themes/another").mkdir()
        (self.tree / ".openshift/themes/another/style.css").write_text("/*\nTheme Name: Another\n*/\n")
        output = self.deploy()
        self.assertIn("is in place", output)
        self.assertIn("Database already configured", output)
        self.assertIn("has a new footer", self.get("/"))
        self.assertPostIsThere()
        self.assertEqual(self.code(self.upload), "200")
        # Same keys: whoever was logged in still is.
        self.assertIn("Dashboard", self.get("/wp-admin/"))
        self.assertIn("Another", self.get("/wp-admin/themes.php"))

    def test_08_a_push_removes_a_theme_and_keeps_uploaded_ones(self):
        shutil.rmtree(self.tree / ".openshift/themes/another")
        self.gear.shell("mkdir app-root/data/themes/uploaded; echo x >app-root/data/themes/uploaded/style.css")
        (self.tree / ".openshift/themes/uploaded").mkdir()
        (self.tree / ".openshift/themes/uploaded/style.css").write_text("repository")
        self.assertIn("uploaded is now in data/replaced", self.deploy())
        self.assertFalse(os.path.lexists(self.data / "themes/another"))
        self.assertEqual((self.data / "replaced/themes/uploaded/style.css").read_text(), "x\n")
        self.assertEqual(self.gear.shell("cat app-root/data/themes/uploaded/style.css"), "repository")

    def test_09_names_ports_and_https(self):
        for headers, expected in (
            (["-H", "Host: other.example.org:8443", "-H", "X-Forwarded-Proto: https"], "https://other.example.org:8443/"),
            (["-H", "Host: UPPER.example.org"], "http://upper.example.org/"),
            (["-H", "Host: 127.0.0.1:18080"], "http://127.0.0.1:18080/"),
            (["-H", "Host: a\"><script>.org"], None),
            (["-H", "Host: name:99999"], None),
            (["-H", "Host: -bad-.org"], f"http://{HOST}/"),
            (["-H", "Host: under_score.org"], f"http://{HOST}/"),
        ):
            page = self.get("/", *headers)
            self.assertNotIn("<script>.org", page)
            if expected:
                self.assertIn(f'<a href="{expected}">Our site</a>', page, headers)
        # Cookies are secure exactly when the browser came through HTTPS.
        secure = self.get("/wp-login.php", "-i", "-H", "X-Forwarded-Proto: https")
        self.assertRegex(secure, r"(?i)set-cookie: wordpress_test_cookie.*secure")
        self.assertNotRegex(self.get("/wp-login.php", "-i"), r"(?i)set-cookie: wordpress_test_cookie.*secure")

    def test_10_https_for_the_administration_when_asked(self):
        variable = self.gear.home_on_host / ".env/user_vars/WORDPRESS_FORCE_SSL_ADMIN"
        variable.write_text("1")
        self.gear.control("php", "restart")
        self.assertIn(f"Location: https://{HOST}:8080/wp-login.php", self.get("/wp-login.php", "-i"))
        self.assertEqual(self.code("/wp-login.php", "-H", "X-Forwarded-Proto: https"), "200")
        variable.unlink()
        self.gear.control("php", "restart")

    def test_11_newer_package(self):
        version = next(self.data.glob("wordpress-*")).name
        self.gear.shell(f"cd app-root/data; mv {version} wordpress-4.0; ln -sfn wordpress-4.0 current; "
                        "sed -i \"s/^\\$wp_version = .*/\\$wp_version = '4.0';/\" current/wp-includes/version.php")
        self.assertIn("Laying out WordPress", self.deploy())
        self.assertEqual([path.name for path in self.data.glob("wordpress-*")], [version])
        self.assertPostIsThere()

    def test_12_missing_database_is_said(self):
        real = self.gear.environment
        self.gear.environment = lambda cart=None: {k: v for k, v in real(cart).items() if "MYSQL" not in k}
        try:
            with self.assertRaisesRegex(ScriptFailed, "ended with 5:\nWordPress needs a database"):
                self.gear.hook("deploy")
            self.gear.control("php", "restart")
            answer = self.get("/", "-i")
            self.assertIn("503", answer)
            self.assertIn("OPENSHIFT_MYSQL_DB_USERNAME is missing", answer)
        finally:
            del self.gear.environment
            self.gear.control("php", "restart")
        self.assertPostIsThere()

    def test_13_log_is_quiet(self):
        log = (self.gear.home_on_host / "app-root/logs/php.log").read_text()
        # Debian's install.php warns of two variables of its own.
        lines = [line for line in log.splitlines() if re.search(r"PHP (Warning|Fatal|Parse)|\[[a-z_]+:error\]", line)
                 and "upload_" not in line and "wordpress: " not in line]
        self.assertEqual(lines, [])
        if os.environ.get("GEARBOX_TEST_TIMES"):
            self.gear.print_times()


if __name__ == "__main__":
    unittest.main()
