"""The python cartridge in a hand-made gear: real gunicorn."""

import os
import unittest
import zipfile

from gear import BASE, ScriptFailed
from web import Web

VERSIONS = [v for v in ("3.13", "3.11") if (BASE / f"usr/bin/python{v}").exists()
            and (BASE / "usr/lib/python3/dist-packages/gunicorn").exists()]
WSGI = """
import os
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [(%s).encode()]
"""
OWN_SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"own ok")
http.server.HTTPServer((os.environ["OPENSHIFT_PYTHON_IP"], int(os.environ["PORT"])), Handler).serve_forever()
"""


def wheel(path, name, text):
    info = f"{name}-1.0.dist-info"
    path.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path / f"{name}-1.0-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", text)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/RECORD", "")


class Python(Web, unittest.TestCase):
    cart, version, title = "python", VERSIONS[0] if VERSIONS else None, "Python"
    ok = {"wsgi.py": WSGI % "'ok'"}
    environment = {"wsgi.py": WSGI % "'\\n'.join(n + '=' + os.environ[n] for n in ('LOWER', 'OPENSHIFT_APP_NAME'))"}
    broken = {
        "syntax": ({"wsgi.py": "def ("}, "(?s)did not start: the server ended at once.*SyntaxError"),
        "module": ({"wsgi.py": "import no_such_thing"}, "CLIENT_ERROR: .*No module named 'no_such_thing'"),
        "no name": ({"wsgi.py": "x = 1"}, "defines no callable `application`"),
        "exit": ({"app.py": "raise SystemExit(7)"}, r"ended by itself \(status 7\)"),
        "silence": ({"app.py": "import time; time.sleep(99)"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "script": ({"app.py": "def ("}, "app.py, line 1: SyntaxError"),
        "nothing": ({"README": "x"}, "nothing to run"),
    }

    def test_what_is_run(self):
        where = WSGI % "__name__ + ' ' + os.path.relpath(__file__, os.environ['OPENSHIFT_REPO_DIR'])"
        self.push({"app.py": OWN_SERVER})
        self.assertEqual(self.get(), "own ok")
        self.control("threaddump")
        self.wait_for_log("most recent call first")
        self.write({"app.py": OWN_SERVER.replace("own", "another")})
        self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "another ok")
        self.push({"app.py": where.replace("def application", "def app") + "\nif __name__ == '__main__': 1 / 0\n"})
        self.assertEqual(self.get(), "app app.py")
        self.push({"wsgi/application": where})
        self.assertEqual(self.get(), "application wsgi/application")
        self.push({"wsgi.py": where})
        self.assertEqual(self.get(), "wsgi wsgi.py")
        self.push({"shop/my.wsgi": where, "shop/other.py": where})
        for value, answer in (("shop/my.wsgi", "my shop/my.wsgi"), ("shop.other:application", "shop.other shop/other.py")):
            with self.subTest(value):
                self.set_variable("OPENSHIFT_PYTHON_WSGI_APPLICATION", value)
                self.push({"shop/__init__.py": ""} if ":" in value else {})
                self.assertEqual(self.get(), answer)

    def test_static_files(self):
        self.push({**self.ok, "wsgi/static/a.css": "p {}", "secret": "x"})
        answer = self.get("/static/a.css", "-i")
        self.assertIn("Content-Type: text/css", answer)
        self.assertTrue(answer.endswith("p {}"))
        tag = answer.split("ETag: ")[1].splitlines()[0]
        self.assertEqual(self.code("/static/a.css", "-H", f"If-None-Match: {tag}"), "304")
        for path in ("/static/none", "/static/../../secret", "/static/"):
            self.assertEqual(self.get(path, "--path-as-is"), "ok", path)

    def test_https_and_client_address(self):
        self.push({"wsgi.py": WSGI % "environ['wsgi.url_scheme'] + ' ' + environ['REMOTE_ADDR']"})
        self.assertEqual(self.get("/", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.7"), "https 192.0.2.7")

    def test_requirements_from_the_repository(self):
        wheel(self.repo / "wheelhouse", "greet", "text = 'hello'")
        output = self.push({"requirements.txt": "greet==1.0\n", "wsgi.py": "import greet\n" + WSGI % "greet.text"})
        self.assertIn("Successfully installed greet", output)
        self.assertEqual(self.get(), "hello")
        self.assertNotIn("Successfully", self.push({}))
        self.assertEqual(self.gear.shell("python -c 'import greet; print(greet.text)'", cart="python"), "hello\n")

    def test_missing_requirement_says_what_to_do(self):
        output = self.push_fails({**self.ok, "requirements.txt": "# comment\nno-such-thing==3\n"})
        unwanted = self.push({".openshift/markers/disable_auto_install": ""})
        self.assertIn("Dependencies are not installed: the marker disable_auto_install is there", unwanted)
        self.assertEqual(self.get(), "ok")
        self.assertRegex(output, "CLIENT_ERROR: Requirements are missing: .*no-such-thing==3")
        self.assertIn("wheelhouse", output)

    def test_broken_hot_deployment_is_refused(self):
        self.push(self.ok)
        self.write({"wsgi.py": "import no_such_thing"})
        with self.assertRaisesRegex(ScriptFailed, "(?s)No module named 'no_such_thing'.*goes on with the old one"):
            self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "ok")

    def test_thread_dump(self):
        self.push(self.ok)
        self.assertIn("app-root/logs/python.log", self.control("threaddump"))
        self.wait_for_log("most recent call first")
        self.assertEqual(self.get(), "ok")

    def test_processes_fit_the_memory(self):
        self.push(self.ok)
        self.assertEqual(len(self.gear.shell(f"pgrep -P {self.server_pid()}").split()), 3)


if __name__ == "__main__":
    unittest.main()
