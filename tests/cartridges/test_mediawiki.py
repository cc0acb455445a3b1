"""The MediaWiki quickstart, from an empty gear to a page that somebody has written."""

import re
import unittest

from gear import BASE
from test_quickstarts import HOST, Quickstart, VERSIONS
import test_php

VERSIONS.update(php=test_php.VERSIONS[0] if test_php.VERSIONS else None,
                mysql="5.5" if (BASE / "usr/sbin/mariadbd").exists() else None)


class MediaWiki(Quickstart, unittest.TestCase):
    """One wiki; the tests run in the order of their names, as its life goes."""

    name, cartridges = "mediawiki", ("php", "mysql")
    needs = ("usr/share/mediawiki/index.php", "usr/bin/php")

    def get(self, path="/", *options):
        jar = str(self.tree.parent / "cookies")
        return self.gear.curl("--resolve", f"{HOST}:8080:{self.gear.address(1)}", "-b", jar, "-c", jar, *options,
                              f"http://{HOST}:8080{path}")

    def token(self, kind):
        return re.search(r'"\w+token":"([^"]+)"', self.get(f"/api.php?action=query&meta=tokens&type={kind}&format=json"))[1].replace("\\\\", "\\")

    def test_1_first_deployment(self):
        self.assertRegex(self.output, r"Making the tables of MediaWiki 1\.\d+\.\d+")
        self.assertNotIn("Warning", self.output)
        page = self.get("/wiki/Main_Page")
        self.assertIn("<title>Demo</title>", page)
        for link in re.findall(r'(?:href|src)="(/load\.php[^"]*)"', page):
            self.assertEqual(self.code(link.replace("&amp;", "&")), "200", link)
        self.assertIn(f"Location: http://{HOST}:8080/wiki/Main_Page", self.get("/", "-i"))

    def test_2_strangers_may_not_write(self):
        answer = self.post("/api.php", action="edit", title="Snow", text="no", token="+\\", format="json")
        self.assertIn("permissiondenied", answer)
        self.assertEqual(self.code("/wiki/Snow"), "404")

    def test_3_log_in_write_and_read(self):
        password = self.gear.shell("cat app-root/data/admin-password").strip()
        answer = self.post("/api.php", action="clientlogin", username="Admin", password=password, loginreturnurl=f"http://{HOST}/",
                           logintoken=self.token("login"), format="json")
        self.assertIn('"status":"PASS"', answer)
        answer = self.post("/api.php", action="edit", title="Snow", text="Cold, ☃ & '''white'''<ref>seen</ref><references/>", token=self.token("csrf"), format="json")
        self.assertIn('"result":"Success"', answer)
        self.assertRegex(self.get("/wiki/Snow"), "Cold, ☃ &amp; <b>white</b><sup")

    def test_4_uploads_are_no_programs(self):
        self.gear.shell("echo '<?php echo 1;' >app-root/data/images/bad.php; echo picture >app-root/data/images/a.txt")
        self.assertEqual((self.code("/images/bad.php"), self.get("/images/a.txt")), ("403", "picture\n"))
        self.assertIn(self.code("/.openshift/config/LocalSettings.php"), ("403", "404"))

    def test_5_a_push_keeps_the_pages(self):
        settings = self.tree / ".openshift/config/LocalSettings.php"
        settings.write_text(settings.read_text() + "\n$wgSitename = 'Our wiki';\n")
        output = self.gear.deploy(self.tree)
        self.assertNotIn("tables", output)
        self.assertIn("Our wiki", self.get("/wiki/Snow"))
        self.assertIn("Cold, ☃", self.get("/wiki/Snow"))

    def test_6_another_version_of_the_package(self):
        self.gear.shell("echo 1.0.0 >app-root/data/mediawiki-version")
        self.assertIn("Bringing the tables to MediaWiki", self.gear.deploy(self.tree))
        self.assertIn("Cold, ☃", self.get("/wiki/Snow"))


if __name__ == "__main__":
    unittest.main()
