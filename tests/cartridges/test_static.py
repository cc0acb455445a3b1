"""The static cartridge in a hand-made gear: real Apache."""

import unittest

from gear import BASE
from web import Web


class Static(Web, unittest.TestCase):
    cart, version, title = "static", "2.4" if (BASE / "usr/sbin/apache2").exists() else None, "Apache"
    ok = {"index.html": "ok"}
    broken = {}

    def test_environment_reaches_the_application(self):
        pass  # files know none

    def test_document_root(self):
        self.push({"index.html": "top", "build/tool.js": "x"})
        self.assertEqual(self.get(), "top")
        for name in ("www", "dist", "public"):
            self.write({f"{name}/index.html": name})
            self.gear.hot_deploy(self.repo)
            self.gear.shell(f"for i in {{1..100}}; do curl -s {self.url}/ | grep -q {name} && exit; sleep .05; done; exit 1")

    def test_types_and_caching(self):
        self.push({"index.html": "<p>" * 999, "a.css": "p", "a.mjs": "p", "a.svg": "<svg/>", "a.woff2": "x", "a.wasm": "x",
                   "app.3f9ac01d.js": "1", "app-main.js": "1"})
        for name, kind in (("", "text/html; charset=utf-8"), ("a.css", "text/css; charset=utf-8"), ("a.mjs", "text/javascript; charset=utf-8"),
                           ("a.svg", "image/svg+xml"), ("a.woff2", "font/woff2"), ("a.wasm", "application/wasm")):
            self.assertIn(f"Content-Type: {kind}", self.get("/" + name, "-i"))
        self.assertIn("immutable", self.get("/app.3f9ac01d.js", "-i"))
        self.assertIn("Cache-Control: no-cache", self.get("/app-main.js", "-i"))
        for options in ((), ("-H", "Accept-Encoding: gzip")):
            answer = self.get("/", "-D-", "-o", "/dev/null", *options)
            self.assertEqual("gzip" in answer, bool(options))
            tag = answer.split("ETag: ")[1].splitlines()[0]
            self.assertEqual(self.code("/", "-H", f"If-None-Match: {tag}", *options), "304")

    def test_what_is_hidden(self):
        self.push({**self.ok, ".git/config": "x", ".openshift/secret": "x", ".env": "x", "d/.hidden": "x", "d/file": "x",
                   ".well-known/security.txt": "known"})
        for path in ("/.git/config", "/.openshift/secret", "/.env", "/d/.hidden", "/.git/", "/%2egit/config", "/d/../.env"):
            self.assertEqual(self.code(path, "--path-as-is"), "404", path)
        self.assertEqual(self.code("/d/"), "404")
        self.assertEqual(self.get("/.well-known/security.txt"), "known")

    def test_not_found_and_single_page(self):
        self.push({**self.ok, "404.html": "nothing", "d/file": "x"})
        self.assertEqual((self.get("/some/page"), self.code("/some/page")), ("nothing", "404"))
        self.push({".openshift/markers/single_page": ""})
        for path in ("/some/page", "/page?x=1", "/some/"):
            self.assertEqual((self.get(path), self.code(path)), ("ok", "200"), path)
        self.assertEqual(self.get("/d/file"), "x")
        for path in ("/missing.js", "/.git/config", "/d/.env"):
            self.assertEqual(self.code(path), "404", path)

    def test_client_address_in_the_log(self):
        self.push(self.ok)
        self.get("/?marked", "-H", "X-Forwarded-For: 192.0.2.7")
        self.wait_for_log('"GET /?marked')
        self.wait_for_log("192.0.2.7 ")


if __name__ == "__main__":
    unittest.main()
