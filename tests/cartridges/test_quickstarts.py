"""The small quickstarts, each deployed in a hand-made gear and used; WordPress has a test of its own."""

import ctypes
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import tomllib
import unittest
import xml.etree.ElementTree

from gear import BASE, Gear, ScriptFailed, SOURCE, installed
import test_java
import test_nodejs
import test_postgresql
import test_python
import test_ruby

sys.path.append(str(SOURCE.parent / "tests/e2e"))
from web_socket import WebSocket  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
DIRECTORY = SOURCE / "quickstarts"
HOST = "demo-test.gearbox.localhost"
VERSIONS = {
    "python": test_python.Python.version, "postgresql": test_postgresql.VERSION, "nodejs": test_nodejs.installed(),
    "java": test_java.Java.version, "ruby": test_ruby.installed(), "static": "2.4" if (BASE / "usr/sbin/apache2").exists() else None,
}


class Every(unittest.TestCase):
    def test_descriptions_and_repositories(self):
        names = [file.parent.name for file in sorted(DIRECTORY.glob("*/quickstart.toml"))]
        self.assertEqual(names, ["chat", "guestbook", "mediawiki", "poll", "site", "tasks", "wordpress"])
        for name in names:
            with self.subTest(name):
                described = tomllib.loads((DIRECTORY / name / "quickstart.toml").read_text())
                self.assertEqual(described["id"], name)
                self.assertEqual(set(described) - {"packages"}, {"id", "name", "summary", "cartridges", "tags", "website", "picture"})
                self.check_picture((installed() / "usr/share/gearbox/quickstarts" / name / described["picture"]).read_text())
                for cartridge in described["cartridges"]:
                    self.assertTrue((SOURCE / cartridge / "metadata/manifest.yml").exists(), cartridge)
                repository = f"{installed()}/usr/share/gearbox/quickstarts/{name}/{name}.git"
                listed = subprocess.run(["git", "-C", repository, "-c", "safe.directory=*", "ls-tree", "-r", "--name-only", "master"],
                                        check=True, capture_output=True, text=True).stdout.split()
                tree = DIRECTORY / name / "tree"
                self.assertEqual(sorted(listed), sorted(str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()))
                self.assertIn(f"--from-code {name}", (tree / "README.md").read_text())


    def check_picture(self, text):
        """Shapes and nothing else."""
        self.assertLess(len(text), 16 * 1024)
        top = xml.etree.ElementTree.fromstring(text)
        self.assertEqual((top.tag, top.get("viewBox")), (f"{SVG}svg", "0 0 96 96"))
        self.assertTrue(top.get("aria-label"))
        shapes = {SVG + name for name in ("svg", "g", "path", "rect", "circle")}
        for element in top.iter():
            self.assertIn(element.tag, shapes)
            self.assertFalse([name for name in element.attrib if name.startswith("on") or "href" in name])


class Quickstart:
    """name, cartridges, needs (files below BASE that packages bring)."""

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root to make a gear")
        lacking = [path for path in cls.needs if not list(BASE.glob(path))] + [c for c in cls.cartridges if VERSIONS[c] is None]
        if lacking:
            raise unittest.SkipTest(f"needs the packages of {lacking}")
        cls.gear = Gear(app="demo", carts=[(name, VERSIONS[name]) for name in cls.cartridges])
        cls.addClassCleanup(cls.gear.close)
        cls.addClassCleanup(lambda: os.environ.get("GEARBOX_TEST_TIMES") and cls.gear.print_times())
        for name in cls.cartridges:
            cls.gear.add_cartridge(name, VERSIONS[name])
        cls.tree = pathlib.Path(tempfile.mkdtemp()) / "tree"
        cls.addClassCleanup(shutil.rmtree, cls.tree.parent)
        cls.tree.parent.chmod(0o755)
        shutil.copytree(DIRECTORY / cls.name / "tree", cls.tree)
        cls.output = cls.gear.deploy(cls.tree)

    def get(self, path="/", *options):
        return self.gear.curl(*options, "-H", f"Host: {HOST}", f"http://{self.gear.address(1)}:8080{path}")

    def code(self, path, *options):
        return self.get(path, "-o", "/dev/null", "-w", "%{http_code}", *options)

    def post(self, path, *options, **fields):
        fields = fields or {"nothing": "more"}
        form = [word for name, value in fields.items() for word in ("--data-urlencode", f"{name}={value}")]
        return self.get(path, *form, "-i", *options)

    def assertPageIsWhole(self, path="/"):
        page = self.get(path)
        links = re.findall(r"(?:href|src)=\"([^\":#]+)\"", page)
        self.assertTrue(links, page)
        for link in links:
            self.assertEqual(self.code("/" + link.lstrip("/")), "200", link)
        self.assertNotRegex(page, r"https?://")  # nothing from elsewhere: deploys and works offline
        return page

    def assertQuiet(self):
        log = (self.gear.home_on_host / f"app-root/logs/{self.cartridges[0]}.log").read_text()
        self.assertNotRegex(log, r"(?i)warning|traceback|deprecat|error")


class Guestbook(Quickstart, unittest.TestCase):
    name, cartridges = "guestbook", ("python", "postgresql")
    needs = ("usr/lib/python3/dist-packages/flask", "usr/lib/python3/dist-packages/psycopg2")

    def test_1_empty(self):
        self.assertIn("Nobody has written", self.assertPageIsWhole())
        self.assertQuiet()

    def test_2_sign_and_read(self):
        answer = self.post("/", name="Ada <b>", message="Snow ☃ & \"ice\"\nand more")
        self.assertRegex(answer, "(?s)^HTTP/1.1 303 .*Location: /\n")
        page = self.get()
        self.assertIn("Ada &lt;b&gt;,", page)
        self.assertIn("Snow ☃ &amp; &#34;ice&#34;\nand more</p>", page)
        self.assertIn("1 entry so far", page)
        self.assertEqual(self.gear.shell("psql -XAtc 'SELECT name FROM entries'").strip(), "Ada <b>")

    def test_3_what_is_refused(self):
        for fields in ({"name": "", "message": "x"}, {"name": "x"}, {"name": "x" * 61, "message": "x"},
                       {"name": "x", "message": "x" * 1001}):
            answer = self.post("/", **fields)
            self.assertIn("400 BAD REQUEST", answer)
            self.assertIn("Please fill in both fields", answer)
        self.assertIn('value="it&#39;s me"', self.post("/", name="it's me"))  # nobody types it twice
        self.assertIn("400 BAD REQUEST", self.get("/", "-i", "-d", "name=a%00b&message=x"))
        self.assertIn("1 entry so far", self.get())

    def test_4_a_push_keeps_the_entries(self):
        page = self.tree / "templates/guestbook.html"
        page.write_text(page.read_text().replace("<h1>Guestbook", "<h1>Our guestbook"))
        self.gear.deploy(self.tree)
        self.assertIn("Our guestbook", self.get())
        self.assertIn("Ada &lt;b&gt;", self.get())

    def test_5_no_database(self):
        self.gear.control("postgresql", "stop")
        answer = self.get("/", "-i")
        self.assertIn("503 SERVICE UNAVAILABLE", answer)
        self.assertIn("The database does not answer", answer)
        self.gear.control("postgresql", "start")
        self.assertIn("Ada &lt;b&gt;", self.get())

    def test_6_a_missing_database_is_said(self):
        real = self.gear.environment
        self.gear.environment = lambda cart=None: {k: v for k, v in real(cart).items() if not k.startswith("PG")}
        self.addCleanup(delattr, self.gear, "environment")
        with self.assertRaisesRegex(ScriptFailed, "ended with 5:\nThe guestbook needs a database"):
            self.gear.hook("deploy")


class Chat(Quickstart, unittest.TestCase):
    name, cartridges, needs = "chat", ("nodejs",), ("usr/share/nodejs/ws",)

    def connect(self, path="/room"):
        """A browser's socket: it belongs to the network of the thread that makes it."""
        made = []

        def make():
            with open(f"/proc/{self.gear.pid}/ns/net") as network:
                if ctypes.CDLL(None).setns(network.fileno(), 0) == 0:
                    made.append(socket.create_connection((self.gear.address(1), 8080), 10))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        client = WebSocket(made[0], HOST, path)
        self.addCleanup(client.close)
        return client

    @staticmethod
    def say(client, **message):
        client.send(json.dumps(message))

    @staticmethod
    def hear(client, kind="message"):
        while (message := json.loads(client.receive()))["kind"] != kind:
            pass
        return message

    def test_1_page(self):
        self.assertPageIsWhole()
        self.assertEqual(self.code("/server.js"), "404")
        self.assertEqual(self.code("/../package.json", "--path-as-is"), "404")
        self.assertNotIn("npm", self.output)
        self.assertQuiet()

    def test_2_two_clients(self):
        ada = self.connect()
        self.assertEqual(self.hear(ada, "people")["count"], 1)
        bob = self.connect()
        self.assertEqual(self.hear(ada, "people")["count"], 2)
        self.say(ada, name=" Ada ", text="Snow ☃ <b>")
        for client in (ada, bob):
            heard = self.hear(client)
            self.assertEqual((heard["name"], heard["text"]), ("Ada", "Snow ☃ <b>"))
        self.say(bob, text="x" * 999)
        heard = self.hear(ada)
        self.assertEqual((heard["name"], heard["text"]), ("Somebody", "x" * 500))
        bob.close()
        self.assertEqual(self.hear(ada, "people")["count"], 1)

    def test_3_newcomers_hear_what_was_said(self):
        self.assertEqual(self.hear(self.connect())["text"], "Snow ☃ <b>")

    def test_4_what_is_no_message(self):
        ada = self.connect()
        for text in ("", "{", "null", "[]", '{"text": " "}', '{"text": {}, "name": []}'):
            ada.send(text)
        self.say(ada, text="still here")
        texts = [self.hear(ada)["text"] for _ in range(4)]
        self.assertEqual(texts[2:], ["[object Object]", "still here"])
        with self.assertRaises(ConnectionError):
            self.connect("/elsewhere")

    def test_5_a_push_says_good_bye(self):
        ada = self.connect()
        page = self.tree / "public/index.html"
        page.write_text(page.read_text().replace("<h1>Chat", "<h1>Our chat"))
        self.gear.deploy(self.tree)
        while ada.receive() is not None:
            pass
        self.assertIn("Our chat", self.get())
        self.assertEqual(self.hear(self.connect(), "people")["count"], 1)


class Tasks(Quickstart, unittest.TestCase):
    name, cartridges, needs = "tasks", ("ruby",), ("usr/share/rubygems-integration/*/specifications/sinatra-[0-9]*",)

    def test_1_empty(self):
        self.assertIn("Nothing is left to do", self.assertPageIsWhole())
        self.assertQuiet()

    def test_2_add_and_tick_off(self):
        for title in ("Buy <milk>", "Sweep ☃"):
            answer = self.post("/tasks", "-H", f"Origin: http://{HOST}", title=title)
            self.assertRegex(answer, f"(?is)^HTTP/1.1 303 .*location: http://{HOST}/\n")
        page = self.get()
        self.assertIn('<span class="open">Buy &lt;milk&gt;</span>', page)
        self.assertIn("2 left to do", page)
        self.assertIn("303", self.post("/tasks/1", done="yes"))
        self.assertIn('<span class="done">Buy &lt;milk&gt;</span>', self.get())
        self.assertIn("303", self.post("/tasks/1", done="no"))
        self.assertIn("2 left to do", self.get())

    def test_3_what_is_refused(self):
        self.assertIn("Please say what is to be done", self.post("/tasks", title=" "))
        self.assertIn("Please say it in 200 characters", self.post("/tasks", title="x" * 201))
        for path in ("/tasks/99", "/tasks/x"):
            self.assertIn("404 Not Found", self.post(path, done="yes"))
        self.assertIn("403 Forbidden", self.post("/tasks", "-H", "Origin: http://elsewhere.example.org", title="x"))
        self.assertIn("2 left to do", self.get())

    def test_4_https(self):
        answer = self.post("/clear", "-H", "X-Forwarded-Proto: https", "-H", f"Origin: https://{HOST}")
        self.assertRegex(answer, f"(?is)^HTTP/1.1 303 .*location: https://{HOST}/\n")

    def test_5_a_push_keeps_the_tasks(self):
        page = self.tree / "views/index.erb"
        page.write_text(page.read_text().replace("<h1>Tasks", "<h1>Our tasks"))
        self.gear.deploy(self.tree)
        self.assertIn("<h1>Our tasks", self.get())
        self.assertIn("Sweep ☃", self.get())

    def test_6_clear(self):
        self.post("/tasks/2", done="yes")
        self.assertIn("303", self.post("/clear"))
        self.assertIn("1 left to do", self.get())
        self.assertNotIn("Sweep ☃", self.get())


class Poll(Quickstart, unittest.TestCase):
    name, cartridges, needs = "poll", ("java",), ()

    def test_1_empty(self):
        self.assertIn("Compiling src/main/java", self.output)
        self.assertIn("Nobody has voted yet", self.assertPageIsWhole())

    def test_2_vote_and_read(self):
        for answer in ("Tea", "Tea", "Milk & honey"):
            self.assertRegex(self.post("/", answer=answer), "(?s)^HTTP/1.1 303 .*Location: ./")
        page = self.get()
        self.assertIn("3 votes so far", page)
        self.assertRegex(page, r'value="Milk &amp; honey">Milk &amp; honey</button>\s+<meter max="3" value="1">')
        self.assertRegex(page, r'value="Tea">Tea</button>\s+<meter max="3" value="2">')

    def test_3_what_is_refused(self):
        for fields in ({"answer": "Beer"}, {"nothing": "more"}):
            answer = self.post("/", **fields)
            self.assertIn("HTTP/1.1 400 ", answer)
            self.assertIn("Please choose one of the answers", answer)
        self.assertEqual(self.code("/WEB-INF/classes/Votes.class"), "404")
        self.assertEqual(self.code("/none"), "404")

    def test_4_a_push_keeps_the_votes(self):
        servlet = self.tree / "src/main/java/PollServlet.java"
        servlet.write_text(servlet.read_text().replace("What do you drink?", "What would you like to drink?"))
        self.gear.deploy(self.tree)
        self.assertIn("What would you like to drink?", self.get())
        self.assertIn("3 votes so far", self.get())


class Site(Quickstart, unittest.TestCase):
    name, cartridges, needs = "site", ("static",), ()

    def test_pages(self):
        self.assertIn("live in a push", self.assertPageIsWhole())
        self.assertIn("<h1>About", self.assertPageIsWhole("/about.html"))
        self.assertEqual(self.code("/none"), "404")
        self.assertIn("There is no such page", self.get("/none"))
        for path in ("/README.md", "/public/index.html"):
            self.assertEqual(self.code(path), "404")

    def test_push(self):
        page = self.tree / "public/index.html"
        page.write_text(page.read_text().replace("Plain files", "Our files"))
        self.gear.deploy(self.tree)
        self.assertIn("Our files", self.get())


if __name__ == "__main__":
    unittest.main()
