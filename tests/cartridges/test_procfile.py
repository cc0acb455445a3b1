"""The procfile cartridge in a hand-made gear: repositories of each language that is installed."""

import json
import time
import unittest

from gear import BASE, ScriptFailed
from web import Web
import test_nodejs
import test_python
import test_ruby
import test_static

SERVER = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(str(%s).encode())
    def log_message(self, *_): pass
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
PROCFILE = "# comment\n\nweb: exec python3 server.py\r\n"


def answers(expression, **files):
    return {"Procfile": PROCFILE, "server.py": SERVER % expression, **files}


class Procfile(Web, unittest.TestCase):
    cart, version, title = "procfile", "1.0" if (BASE / "usr/bin/python3").exists() else None, "Procfile"
    ok = answers("'ok'")
    environment = answers("'\\n'.join(n + '=' + os.environ[n] for n in ('LOWER', 'OPENSHIFT_APP_NAME'))")
    broken = {
        "line": ({"Procfile": "web: true\nwhat is this\n"}, "Procfile, line 2: 'what is this' is not TYPE: COMMAND"),
        "syntax": (answers("1") | {"server.py": "def ("}, "(?s)did not start: the server ended at once.*web: SyntaxError"),
        "exit": ({"Procfile": "web: echo last words; exit 7"}, r"(?s)web: last words.*web has ended by itself \(status 7\)"),
        "silence": ({"Procfile": "web: exec sleep 99"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "nothing": ({"README": "x"}, "nothing to run: the repository needs a Procfile"),
        "none wanted": ({"Procfile": "release: true"}, "none of the types that are to run"),
    }

    def test_environment_of_heroku(self):
        self.push(answers("' '.join(os.environ.get(n, '-') for n in "
                          "('PORT', 'HOST', 'DYNO', 'NODE_ENV', 'RACK_ENV', 'DATABASE_URL', 'REDIS_URL'))"))
        self.assertEqual(self.get(), f"8080 {self.gear.address(1)} web.1 production production - -")
        self.set_variable("OPENSHIFT_POSTGRESQL_DB_URL", "postgresql://admin:x@127.0.0.1:5432")
        self.set_variable("OPENSHIFT_REDIS_URL", "redis://127.0.0.1")
        self.set_variable("RACK_ENV", "staging")
        self.push({})
        self.assertRegex(self.get(), "web.1 production staging postgresql://admin:x@127.0.0.1:5432/demo redis://127.0.0.1$")

    def test_other_processes(self):
        files = answers("'ok'")
        files["Procfile"] = "worker: echo working as $DYNO; exec sleep 99\n" + PROCFILE + "console: echo never\nclock: echo tick; exit 3"
        self.push(files)
        self.wait_for_log("worker: working as worker.1\n")
        self.wait_for_log("clock: It has ended with status 3 and is started again in 1 s: echo tick; exit 3\n")
        self.wait_for_log("started again in 2 s")
        self.assertEqual(self.get(), "ok")
        self.assertNotIn("never", self.log())
        self.control("stop")
        self.assertEqual(self.left(), [])
        self.set_variable("OPENSHIFT_PROCFILE_PROCESSES", "console web")
        self.control("start")
        self.wait_for_log("console: never")
        self.assertNotIn("sleep 99", "\n".join(self.left()))

    def test_workers_alone(self):
        self.push({"Procfile": "worker: exec sleep 99"})
        self.assertIn("is running", self.control("status"))
        self.assertIn("sleep 99", "\n".join(self.left()))

    def test_end_of_web_is_the_end_of_all(self):
        self.push({**self.ok, "Procfile": PROCFILE + "worker: exec sleep 99\nstubborn: trap '' TERM; exec sleep 98\n"})
        self.set_variable("OPENSHIFT_PROCFILE_STOP_TIMEOUT", "2")
        self.control("restart")
        self.gear.shell("pkill -KILL -f server.py$")
        self.wait_for_log("web has ended by itself (status 137): exec python3 server.py")
        self.wait_for_log("It was killed by signal 9 (KILL)")
        end = time.monotonic() + 20
        while self.left() and time.monotonic() < end:
            time.sleep(0.1)
        self.assertEqual(self.left(), [])
        self.assertIn("either stopped", self.control("status"))

    def test_hot_deployment_takes_the_new_procfile(self):
        self.push({**self.ok, "Procfile": PROCFILE + "worker: exec sleep 99\n"})
        self.write({**answers("'changed'"), "Procfile": PROCFILE + "other: exec sleep 97\n"})
        self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "changed")
        left = "\n".join(self.left())
        self.assertIn("sleep 97", left)
        self.assertNotIn("sleep 99", left)
        self.write({"Procfile": "nonsense"})
        with self.assertRaisesRegex(ScriptFailed, "CLIENT_ERROR: Procfile, line 1: 'nonsense'"):
            self.gear.hot_deploy(self.repo)
        with self.assertRaisesRegex(ScriptFailed, "(?s)line 1: 'nonsense'.*goes on with the old processes"):
            self.control("reload")
        self.assertEqual(self.get(), "changed")

    def test_release(self):
        output = self.push({**self.ok, "Procfile": PROCFILE + "release: echo $RACK_ENV >$OPENSHIFT_DATA_DIR/released\n"})
        self.assertIn("Running the release process", output)
        self.assertEqual(self.gear.shell("cat app-root/data/released"), "production\n")
        output = self.push_fails({"Procfile": PROCFILE + "release: echo no luck; exit 4\n"})
        self.assertRegex(output, "(?s)no luck.*CLIENT_ERROR: The release process has ended with status 4")

    def test_python(self):
        if not test_python.Python.version:
            self.skipTest("needs the packages of python")
        test_python.wheel(self.repo / "wheelhouse", "greet", "text = 'hello'")
        files = {"requirements.txt": "greet==1.0\n", "app.py": test_python.WSGI % "greet.text + ' ' + os.environ['DYNO']",
                 "Procfile": "web: gunicorn app:application"}
        files["app.py"] = "import greet\n" + files["app.py"]
        self.assertIn("Successfully installed greet", self.push(files))
        self.assertEqual(self.get(), "hello web.1")
        (self.repo / "Procfile").unlink()
        self.assertNotIn("Successfully", self.push({"app.py": "import greet\n" + SERVER % "greet.text + ' again'"}))
        self.assertEqual(self.get(), "hello again")

    def test_nodejs(self):
        if not test_nodejs.installed():
            self.skipTest("needs the packages of nodejs")
        server = test_nodejs.SERVER.replace("process.env.OPENSHIFT_NODEJS_PORT, process.env.OPENSHIFT_NODEJS_IP", "process.env.PORT")
        files = {"server.js": server % "require('greet') + ' ' + process.env.DYNO",
                 "package.json": json.dumps({"scripts": {"prestart": "true", "start": "node server.js"}, "dependencies": {"greet": "1.0.0"}})}
        self.assertIn("Dependencies are missing: greet", self.push_fails(files))
        self.push({"node_modules/greet/package.json": '{"version": "1.0.0"}', "node_modules/greet/index.js": "module.exports = 'hello'"})
        self.assertEqual(self.get(), "hello web.1")
        self.push({"Procfile": "web: NODE_ENV=test node -e \"require('http').createServer((q, r) => r.end(process.env.NODE_ENV)).listen($PORT)\""})
        self.assertEqual(self.get(), "test")

    def test_ruby(self):
        if not test_ruby.installed():
            self.skipTest("needs the packages of ruby")
        self.write({f"gem/{name}": text for name, text in test_ruby.Ruby.SMALL_GEM.items()})
        self.push({"config.ru": "require 'greet'\n" + test_ruby.RACK % "[GREETING, ENV['DYNO'], ENV['RACK_ENV']].join(' ')",
                   "Gemfile": "gem 'puma'\ngem 'rack'\ngem 'greet', path: 'gem'\n", "Procfile": "web: bundle exec puma -p ${PORT:-3000}"})
        self.assertEqual(self.get(), "hello web.1 production")

    def test_static(self):
        if not test_static.Static.version:
            self.skipTest("needs the packages of static")
        self.push({"index.html": "top"})
        self.assertEqual(self.get(), "top")
        self.write({"dist/index.html": "built"})
        self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "built")

    def test_language_that_is_chosen_or_missing(self):
        self.set_variable("OPENSHIFT_PROCFILE_LANGUAGE", "cobol")
        self.assertIn("'cobol' is none of ruby nodejs python static", self.push_fails(self.ok))
        (self.repo / "Procfile").unlink()
        self.set_variable("OPENSHIFT_PROCFILE_LANGUAGE", "static")
        if test_static.Static.version:
            self.push({"package.json": "{", "index.html": "files"})
            self.assertEqual(self.get(), "files")

    def log(self):
        return (self.gear.home_on_host / "app-root/logs/procfile.log").read_text()


if __name__ == "__main__":
    unittest.main()
