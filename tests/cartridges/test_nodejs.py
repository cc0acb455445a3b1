"""The nodejs cartridge in a hand-made gear: real Node.js."""

import json
import re
import subprocess
import unittest

from gear import BASE, ScriptFailed
from web import Web

SERVER = """
const http = require('http');
http.createServer((request, response) => response.end(%s))
  .listen(process.env.OPENSHIFT_NODEJS_PORT, process.env.OPENSHIFT_NODEJS_IP);
"""
NODE = BASE / "usr/bin/node"
NPM = (BASE / "usr/bin/npm").exists()


def installed():
    if not NODE.exists():
        return None
    return re.match(r"v(\d+)", subprocess.check_output(["chroot", BASE, "node", "--version"], text=True))[1]


class NodeJs(Web, unittest.TestCase):
    cart, version, title = "nodejs", installed(), "Node.js"
    ok = {"server.js": SERVER % "'ok'"}
    environment = {"server.js": SERVER % "['LOWER', 'OPENSHIFT_APP_NAME'].map((n) => n + '=' + process.env[n]).join('\\n')"}
    broken = {
        "syntax": ({"server.js": "const x = ;"}, "(?s)did not start: the server ended at once.*SyntaxError"),
        "module": ({"server.js": "require('no-such-thing')"}, "CLIENT_ERROR: .*Cannot find module 'no-such-thing'"),
        "exit": ({"server.js": "process.exit(7)"}, r"ended by itself \(status 7\)"),
        "silence": ({"server.js": "setInterval(() => 1, 1000)"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "nothing": ({"README": "x"}, "nothing to start"),
        "package.json": ({"package.json": "{"}, "package.json cannot be read"),
    }

    def test_what_is_started(self):
        app = SERVER % "__filename.replace(/.*[/]/, '')"
        for name in ("app.js", "server.js"):
            self.push({name: app})
            self.assertEqual(self.get(), name)
        self.push({"lib/main.js": app, "package.json": json.dumps({"main": "lib/main.js"})})
        self.assertEqual(self.get(), "main.js")
        self.push({"lib/it's.js": app, "package.json": json.dumps({"scripts": {
            "prestart": "test $npm_lifecycle_event = start", "start": "echo a && node \"lib/it's.js\"; exit 3"}})})
        self.assertEqual(self.get(), "it's.js")
        self.control("stop")
        self.assertEqual(self.left(), [])

    def test_names_of_frameworks_and_memory(self):
        self.push({"server.js": SERVER % "[process.env.HOST, process.env.PORT, process.env.NODE_ENV, require('v8')"
                                "['getHeapStatistics']().heap_size_limit < 4e8].join(' ')"})
        self.assertEqual(self.get(), f"{self.gear.address(1)} 8080 production true")

    def test_modules_of_the_repository(self):
        self.push({"package.json": json.dumps({"dependencies": {"greet": "1.0.0"}}), "server.js": SERVER % "require('greet')",
                   "node_modules/greet/package.json": '{"version": "1.0.0"}', "node_modules/greet/index.js": "module.exports = 'hello'",
                   "node_modules/.bin/greet": "#!/bin/sh\necho program"})
        self.assertEqual(self.get(), "hello")
        self.assertEqual(self.gear.shell("greet", cart="nodejs"), "program\n")

    def test_modules_of_debian(self):
        if not (BASE / "usr/share/nodejs/ws").exists():
            return  # tests of the quickstarts say that node-ws is missing
        version = self.gear.shell("node -p \"require('/usr/share/nodejs/ws/package.json').version\"").strip()
        server = {"server.js": SERVER % "String(require('ws').OPEN)"}
        major = version.split(".")[0]
        for wanted in ("*", f"^{version}", f"^{major}.0.0"):
            self.push({**server, "package.json": json.dumps({"dependencies": {"ws": wanted}})})
            self.assertEqual(self.get(), "1", wanted)
        for wanted in (f"^{major}.999.0", f"^{int(major) + 1}.0.0", f"^{int(major) - 1}.0.0", version, f"~{version}", "latest"):
            with self.subTest(wanted):
                output = self.push_fails({"package.json": json.dumps({"dependencies": {"ws": wanted}})})
                self.assertIn("Dependencies are missing: ws\n", output)

    def test_missing_module_says_what_to_do(self):
        output = self.push_fails({"package.json": json.dumps({"dependencies": {"greet": "1.0.0", "wave": "2"}}),
                                  "server.js": SERVER % "1"})
        self.assertIn("CLIENT_ERROR: Dependencies are missing: greet wave", output)
        self.assertIn("npm could not install them" if NPM else "npm is not installed", output)
        self.assertIn("Commit node_modules", output)

    def test_npm_install_and_its_result_are_kept(self):
        if not NPM:
            return  # optional on a node: no reason to call the run incomplete
        files = {"packages/greet/package.json": '{"name": "greet", "version": "1.0.0"}',
                 "packages/greet/index.js": "module.exports = 'hello'", "server.js": SERVER % "require('greet')",
                 "package.json": json.dumps({"dependencies": {"greet": "file:packages/greet"}})}
        self.assertIn("with npm", self.push(files))
        self.assertEqual(self.get(), "hello")
        self.assertNotIn("with npm", self.push({"server.js": SERVER % "require('greet') + ' again'"}))
        self.assertEqual(self.get(), "hello again")
        self.assertIn("with npm", self.push({"package.json": json.dumps({"version": "2.0.0", "dependencies": {"greet": "file:packages/greet"}})}))

    def test_package_json_takes_one_start_more_than_the_application(self):
        counted = {"node_modules/.bin/node": "#!/bin/sh\necho $* >>$OPENSHIFT_DATA_DIR/starts\nexec /usr/bin/node \"$@\"\n"}
        starts = self.gear.home_on_host / "app-root/data/starts"
        for package in ({"scripts": {"start": "node server.js"}}, {"main": "server.js"}):
            self.push({**self.ok, **counted, "package.json": json.dumps(package)})
            self.assertEqual(self.get(), "ok")
            ours, application = starts.read_text().splitlines()
            self.assertIn("package.js missing", ours)
            self.assertEqual(application, "server.js")
            starts.unlink()
        # What the build has seen is not what is there any more: as after an older deployment is activated.
        self.control("stop")
        self.gear.shell("cd app-root/repo; mv server.js other.js; echo '{\"main\": \"other.js\"}' >package.json")
        self.control("start")
        self.assertEqual(self.get(), "ok")
        self.assertRegex(starts.read_text(), r"package.js start\nother.js\n$")
        starts.unlink()

    def test_markers(self):
        marks = {f".openshift/markers/{name}": "" for name in ("README", "use_npm", "enable_debugging", "hot-deploy", "disable_auto_scaling")}
        debugger = f"{self.gear.address(1)}:9229"
        output = self.push({**self.ok, **marks})
        self.assertIn("CLIENT_MESSAGE: The marker 'hot-deploy' means nothing here\n", output)
        self.assertEqual(output.count("marker"), 1, output)
        self.assertIn(f"Debuggers reach Node.js at {debugger} (gearbox port-forward)", output)
        self.assertIn("node.js/v", self.gear.curl(f"http://{debugger}/json/version"))
        self.push({"package.json": json.dumps({"scripts": {"prestart": "true", "start": "node server.js"}})})
        self.assertIn("node.js/v", self.gear.curl(f"http://{debugger}/json/version"))
        self.assertEqual(self.get(), "ok")
        (self.repo / ".openshift/markers/enable_debugging").unlink()
        self.push({})
        with self.assertRaises(ScriptFailed):
            self.gear.curl(f"http://{debugger}/json/version")

    def test_marker_disable_auto_install(self):
        output = self.push({**self.ok, "package.json": json.dumps({"dependencies": {"greet": "1.0.0"}}),
                            ".openshift/markers/disable_auto_install": ""})
        self.assertIn("Dependencies are not installed: the marker disable_auto_install is there", output)
        self.assertNotIn("with npm", output)
        self.assertEqual(self.get(), "ok")

    def test_thread_dump(self):
        self.push(self.ok)
        self.assertIn("app-root/logs/nodejs.log", self.control("threaddump"))
        self.wait_for_log('"javascriptStack"')
        self.assertEqual(self.get(), "ok")

    def test_crash_is_told_in_the_log(self):
        self.push({"server.js": SERVER % "process.nextTick(() => { throw new Error('bang') })"})
        self.gear.run("curl", "-s", self.url, check=False)
        self.wait_for_log("Error: bang")
        self.wait_for_log("ended by itself (status 1): exec node 'server.js'")
        self.push(self.ok)
        self.gear.shell("pkill -KILL -x -f 'node server.js'")
        self.wait_for_log("signal 9 (KILL)")


if __name__ == "__main__":
    unittest.main()
