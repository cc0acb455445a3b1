"""What every cartridge with one web server must do, in a hand-made gear.

A test program mixes `Web` into its TestCase and says: `cart`, `version` (None: not installed),
`title`, `ok` (files of an application that answers "ok"), `environment` (files of one that answers
NAME=VALUE of the variable LOWER and OPENSHIFT_APP_NAME), `broken` (files → what the pusher must read).
"""

import os
import pathlib
import shutil
import tempfile
import time
import unittest

from gear import Gear, ScriptFailed, SOURCE


class Web:
    running = "is running"
    patience = "8"  # seconds for broken applications

    @classmethod
    def setUpClass(cls):
        if os.geteuid() != 0:
            raise unittest.SkipTest("needs root to make a gear")
        if cls.version is None:
            raise unittest.SkipTest(f"needs the packages of {cls.cart}")
        cls.gear = Gear(app="demo", carts=((cls.cart, cls.version),))
        cls.addClassCleanup(cls.gear.close)
        cls.addClassCleanup(lambda: os.environ.get("GEARBOX_TEST_TIMES") and cls.gear.print_times())
        cls.gear.add_cartridge(cls.cart, cls.version)
        cls.url = f"http://{cls.gear.address(1)}:8080"

    def setUp(self):
        self.repo = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.repo)
        self.repo.chmod(0o755)

    # -- means -------------------------------------------------------------------

    def write(self, files):
        for name, text in files.items():
            path = self.repo / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            if text.startswith("#!"):
                path.chmod(0o755)

    def push(self, files):
        self.write(files)
        return self.gear.deploy(self.repo)

    def push_fails(self, files):
        """What the pusher reads; nothing is left running."""
        with self.assertRaises(ScriptFailed) as caught:
            self.push(files)
        self.assertEqual(self.left(), [])
        return str(caught.exception)

    def get(self, path="/", *options):
        return self.gear.curl(*options, self.url + path)

    def code(self, path, *options):
        return self.get(path, "-o", "/dev/null", "-w", "%{http_code}", *options)

    def control(self, verb):
        return self.gear.control(self.cart, verb)

    def left(self):
        """Programs in the gear beside its first process; a logger has a moment for what the server wrote last."""
        deadline = time.monotonic() + 3
        while True:
            lines = self.gear.run("ps", "-eo", "pid=,args=").stdout.splitlines()
            found = [line for line in lines if not line.lstrip().startswith("1 ") and "ps -eo" not in line]
            if not found or time.monotonic() > deadline:
                return found
            time.sleep(0.05)

    def server_pid(self):
        return self.gear.shell(f"read -r pid rest <{self.cart}/run/{self.cart}.pid; echo $pid").strip()

    def await_end(self, pid):
        self.gear.shell(f"timeout 10 bash -c 'while [ -e /proc/{pid} ]; do sleep .05; done'")

    def set_variable(self, name, value):
        path = self.gear.home_on_host / ".env/user_vars" / name
        path.write_text(value)
        self.addCleanup(path.unlink, missing_ok=True)

    def wait_for_log(self, text):
        log = self.gear.home_on_host / f"app-root/logs/{self.cart}.log"
        end = time.monotonic() + 10
        while not log.exists() or text not in log.read_text():
            self.assertLess(time.monotonic(), end, f"{text!r} is not in the log:\n{log.exists() and log.read_text()}")
            time.sleep(0.05)

    def tearDown(self):
        log = self.gear.home_on_host / f"app-root/logs/{self.cart}.log"
        if os.environ.get("GEARBOX_TEST_LOGS") and log.exists():
            print(log.read_text())

    # -- what all must do ----------------------------------------------------------

    def test_template_answers(self):
        self.gear.deploy(SOURCE / self.cart / "template")
        page = self.get()
        self.assertIn(self.running, page)
        self.assertIn(self.title, page)

    def test_change_is_live_after_a_push(self):
        self.push(self.ok)
        self.assertEqual(self.get(), "ok")
        changed = {name: text.replace("ok", "changed") for name, text in self.ok.items()}
        output = self.push({**changed, ".openshift/markers/no_such_marker": "", ".openshift/markers/hot_deploy": ""})
        self.assertEqual(self.get(), "changed")
        self.assertEqual(output.count("The marker '"), 1, output)
        self.assertIn("CLIENT_MESSAGE: The marker 'no_such_marker' means nothing here\n", output)

    def test_hot_deployment(self):
        self.push(self.ok)
        pid = self.server_pid()
        self.write({name: text.replace("ok", "changed") for name, text in self.ok.items()})
        output = self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "changed", output)
        self.assertEqual(self.server_pid(), pid)

    def test_verbs_repeat(self):
        self.push(self.ok)
        self.assertIn("already running", self.control("start"))
        self.assertEqual(self.control("status"), "CLIENT_RESULT: Application is running\n")
        for verb in ("restart", "reload", "graceful", "force-reload", "update-configuration", "no-such-verb"):
            with self.subTest(verb):
                self.control(verb)
                self.assertEqual(self.get(), "ok")
        self.control("stop")
        self.assertEqual(self.left(), [])
        self.assertIn("already stopped", self.control("stop"))
        self.assertIn("either stopped", self.control("status"))
        for verb in ("reload", "tidy", "pre-build", "deploy", "post-deploy", "threaddump", "no-such-verb"):
            self.control(verb)
        self.assertEqual(self.left(), [])

    def test_environment_reaches_the_application(self):
        value = "value with $signs and \"quotes\""
        self.set_variable("LOWER", value)
        self.push(self.environment)
        self.assertEqual(self.get().strip().splitlines(), [f"LOWER={value}", "OPENSHIFT_APP_NAME=demo"])

    def test_broken_application_says_why(self):
        self.set_variable(f"OPENSHIFT_{self.cart.upper()}_START_TIMEOUT", self.patience)
        for name, (files, text) in self.broken.items():
            with self.subTest(name):
                shutil.rmtree(self.repo)
                self.repo.mkdir(mode=0o755)
                self.assertRegex(self.push_fails(files), text)

    def test_start_after_a_crash(self):
        self.push(self.ok)
        pid = self.server_pid()
        self.gear.shell(f"kill -KILL {pid}")
        self.await_end(pid)
        self.assertIn("either stopped", self.control("status"))
        self.control("start")
        self.assertEqual(self.get(), "ok")
        self.control("stop")
        self.assertEqual(self.left(), [])
        # A pid file that names somebody else's process is not believed.
        self.gear.shell(f"echo 1 1 >{self.cart}/run/{self.cart}.pid")
        self.control("start")
        self.assertEqual(self.get(), "ok")

    def test_taken_address(self):
        self.push(self.ok)
        self.control("stop")
        self.gear.run("perl", "-MIO::Socket::INET", "-e",
                      f'my $s = IO::Socket::INET->new(LocalAddr => "{self.gear.address(1)}", LocalPort => 8080, '
                      'Listen => 9, ReuseAddr => 1) or die; exit if fork; open STDOUT, ">/dev/null"; '
                      'open STDERR, ">/dev/null"; $0 = "squatter"; sleep 60')
        self.addCleanup(self.gear.shell, "pkill -x squatter || true")
        done = self.gear.script(self.cart, "control", "start", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, "CLIENT_ERROR: .*Address already in use")

    def test_tidy(self):
        self.push(self.ok)
        log = self.gear.home_on_host / f"app-root/logs/{self.cart}.log"
        log.write_text("a sentence\n")
        self.control("tidy")
        self.assertNotIn("a sentence", log.read_text())
        self.assertEqual(self.get(), "ok")

    def test_version_that_is_not_installed(self):
        with self.assertRaisesRegex(ScriptFailed, "CLIENT_ERROR: .* 1.2 is not installed"):
            self.gear.script(self.cart, "setup", "--version", "1.2")
