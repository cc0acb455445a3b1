"""The php cartridge in a hand-made gear: real Apache, real mod_php."""

import json
import os
import pathlib
import shutil
import tempfile
import threading
import unittest

from gear import BASE, Gear, UID, ScriptFailed, SOURCE

VERSIONS = [v for v in ("8.4", "8.2") if (BASE / f"usr/lib/apache2/modules/libphp{v}.so").exists()]


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless(VERSIONS, "needs libapache2-mod-php8.4 or 8.2")
class PhpGear(unittest.TestCase):
    without = ()

    @classmethod
    def setUpClass(cls):
        cls.gear = Gear(app="demo", carts=(("php", VERSIONS[0]),), without=cls.without)
        cls.addClassCleanup(cls.gear.close)
        cls.gear.add_cartridge("php", VERSIONS[0])
        cls.url = f"http://{cls.gear.address(1)}:8080"

    def setUp(self):
        self.repo = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.repo)
        self.repo.chmod(0o755)

    def push(self, files, hook=None):
        for name, text in files.items():
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).write_text(text)
        if hook:
            path = self.repo / ".openshift/action_hooks/deploy"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hook)
            path.chmod(0o755)
        return self.gear.deploy(self.repo)

    def get(self, path="/", *options):
        return self.gear.curl(*options, self.url + path)

    def code(self, path, *options):
        return self.get(path, "-o", "/dev/null", "-w", "%{http_code}", *options)


class Php(PhpGear):
    def test_template_is_served(self):
        self.gear.deploy(SOURCE / "php/template")
        page = self.get()
        self.assertIn("demo is running", page)
        self.assertIn(VERSIONS[0], page)
        self.assertNotIn("Warning", page)

    def test_verbs_repeat(self):
        self.push({"index.php": "ok"})
        self.assertIn("already running", self.gear.control("php", "start"))
        self.assertEqual(self.gear.control("php", "status"), "CLIENT_RESULT: Application is running\n")
        for verb in ("restart", "reload", "graceful", "configtest", "force-reload", "update-configuration"):
            self.gear.control("php", verb)
            self.assertEqual(self.get(), "ok", verb)
        self.gear.control("php", "stop")
        self.assertIn("already stopped", self.gear.control("php", "stop"))
        self.assertNotIn("apache2", self.gear.processes())
        self.assertIn("either stopped", self.gear.control("php", "status"))
        for verb in ("reload", "tidy", "pre-build", "deploy", "post-deploy", "threaddump", "no-such-verb"):
            self.gear.control("php", verb)
        self.assertNotIn("apache2", self.gear.processes())

    def test_environment_reaches_the_application(self):
        (self.gear.home_on_host / ".env/user_vars/lower_case").write_text("value with $signs and \"quotes\"")
        self.addCleanup((self.gear.home_on_host / ".env/user_vars/lower_case").unlink)
        self.push({"index.php": '<?php echo getenv("lower_case"), "|", $_SERVER["OPENSHIFT_APP_NAME"], "|", '
                                'getenv("OPENSHIFT_SECRET_TOKEN") ? "token" : "", "|", posix_geteuid();'})
        self.assertEqual(self.get(), f'value with $signs and "quotes"|demo|token|{UID}')

    def test_https_and_client_address(self):
        self.push({"index.php": '<?php echo $_SERVER["HTTPS"] ?? "off", " ", $_SERVER["REMOTE_ADDR"];'})
        self.assertEqual(self.get("/", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.7"),
                         "on 192.0.2.7")
        self.assertTrue(self.get("/", "-H", "X-Forwarded-Proto: http").startswith("off 127."))

    def test_htaccess_and_what_is_hidden(self):
        self.push({"index.php": '<?php echo "front ", $_SERVER["REQUEST_URI"];', "file.txt": "text",
                   ".git/config": "x", ".openshift/secret": "x",
                   ".htaccess": "RewriteEngine On\nRewriteCond %{REQUEST_FILENAME} !-f\nRewriteRule . index.php [L]\n"
                                "Header set X-From htaccess\nphp_value memory_limit 99M\n"})
        self.assertEqual(self.get("/some/page"), "front /some/page")
        self.assertEqual(self.get("/file.txt"), "text")
        self.assertIn("X-From: htaccess", self.get("/file.txt", "-i"))
        for path in ("/.htaccess", "/.git/config", "/.openshift/secret"):
            self.assertIn(self.code(path), ("403", "404"), path)

    def test_document_root_order(self):
        for name in ("", "www/", "web/", "public_html/", "public/", "php/"):
            self.push({f"{name}index.php": f"from /{name}"})
            self.assertEqual(self.get(), f"from /{name}")

    def test_document_root_may_be_a_link_out_of_the_repository(self):
        self.push({"php/index.php": "repository"}, hook=(
            "#!/bin/bash -e\nmkdir -p $OPENSHIFT_DATA_DIR/site\necho data >$OPENSHIFT_DATA_DIR/site/index.php\n"
            "echo 'Header set X-Link yes' >$OPENSHIFT_DATA_DIR/site/.htaccess\n"
            "rm -rf $OPENSHIFT_REPO_DIR/php; ln -s $OPENSHIFT_DATA_DIR/site $OPENSHIFT_REPO_DIR/php\n"))
        answer = self.get("/", "-i")
        self.assertIn("X-Link: yes", answer)
        self.assertTrue(answer.endswith("data\n"))

    def test_hot_deployment_follows_a_new_document_root(self):
        self.push({"index.php": "top"})
        (self.repo / "public").mkdir()
        (self.repo / "public/index.php").write_text("public")
        self.gear.hot_deploy(self.repo)
        self.gear.shell(f"for i in {{1..100}}; do curl -s {self.url}/ | grep -q public && exit; sleep .05; done; exit 1")

    def test_stop_lets_a_request_finish(self):
        self.push({"index.php": '<?php $end = microtime(true) + 1.5; while (microtime(true) < $end) usleep(9999); echo "whole";'})
        answers = []
        request = threading.Thread(target=lambda: answers.append(self.get()))
        request.start()
        self.gear.shell("for i in {1..100}; do ss -tn state established | grep -q :8080 && exit; sleep .02; done; exit 1"
                        if (BASE / "usr/bin/ss").exists() else "sleep .5")
        self.gear.control("php", "stop")
        request.join()
        self.assertEqual(answers, ["whole"])

    def test_start_after_a_crash(self):
        self.push({"index.php": "ok"})
        self.gear.shell("kill -KILL $(pgrep apache2); while pgrep -x apache2; do sleep .05; done")
        self.assertIn("either stopped", self.gear.control("php", "status"))
        self.gear.control("php", "start")
        self.assertEqual(self.get(), "ok")
        # A pid file that names somebody else's process is not believed.
        self.gear.control("php", "stop")
        self.gear.shell("echo 1 1 >php/run/php.pid; echo 1 >php/run/httpd.pid")
        self.gear.control("php", "start")
        self.assertEqual(self.get(), "ok")

    def test_failed_start_says_why(self):
        self.push({"index.php": "ok"})
        self.gear.control("php", "stop")
        self.gear.run("perl", "-MIO::Socket::INET", "-e",
                      f'my $s = IO::Socket::INET->new(LocalAddr => "{self.gear.address(1)}", LocalPort => 8080, '
                      'Listen => 1, ReuseAddr => 1) or die; exit if fork; open STDOUT, ">/dev/null"; '
                      'open STDERR, ">/dev/null"; $0 = "squatter"; sleep 60')
        done = self.gear.script("php", "control", "start", check=False)
        self.gear.shell("pkill -f squatter")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"CLIENT_ERROR: .*(could not bind|Address already in use)")
        self.gear.control("php", "start")

    def test_composer_that_fails_says_so(self):
        fake = "/tmp/bin/composer"
        self.gear.shell(f"mkdir -p /tmp/bin; printf '#!/bin/sh\necho no network >&2; echo $COMPOSER_HOME; exit 100\n' >{fake}; chmod +x {fake}")
        self.push({"index.php": "ok"})
        (self.repo / "composer.json").write_text('{"require": {"acme/far": "1.0"}}')
        (self.repo / ".openshift/markers").mkdir(parents=True)
        (self.repo / ".openshift/markers/use_composer").touch()
        self.gear.check_out(self.repo)
        done = self.gear.run("bash", "-c", f'PATH=/tmp/bin:$PATH exec "$HOME/php/bin/control" build', cart="php", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no network", done.stdout)
        self.assertIn("build-dependencies/.composer", done.stdout)
        self.assertIn("Composer failed; the messages above say why. Missing are: acme/far", done.stdout)

    def test_php_of_hooks_has_the_version_and_settings(self):
        self.push({"index.php": "ok"})
        facts = self.gear.shell('php -r \'echo PHP_MAJOR_VERSION, ".", PHP_MINOR_VERSION, " ", ini_get("pcre.jit"), '
                                '" ", php_ini_loaded_file(), " ", extension_loaded("ctype");\'', cart="php")
        self.assertEqual(facts, f"{VERSIONS[0]} 0 {self.gear.home}/php/conf/php.ini 1")

    def test_markers(self):
        self.push({"index.php": "ok"})
        self.assertEqual(self.code("/server-status"), "404")
        output = self.push({".openshift/markers/enable_public_server_status": "", ".openshift/markers/use-composer": ""})
        self.assertIn("Apache Server Status", self.get("/server-status"))
        self.assertIn("The marker 'use-composer' means nothing here", output)
        self.assertEqual(output.count("The marker"), 1)

    def test_marker_use_composer(self):
        files = {"index.php": "<?php require 'vendor/autoload.php'; echo Greet\\text();", ".openshift/markers/use_composer": "",
                 "composer.json": '{"autoload": {"files": ["greet.php"]}}', "greet.php": "<?php namespace Greet; function text() { return 'hello'; }"}
        self.push(files)
        self.assertEqual(self.get(), "hello")

    def test_logs_and_tidy(self):
        self.push({"index.php": '<?php error_log("a sentence for the log");'})
        self.get("/?marked")
        log = self.gear.home_on_host / "app-root/logs/php.log"
        self.gear.shell("for i in {1..100}; do grep -q marked app-root/logs/php.log && exit; sleep .05; done; exit 1")
        self.assertIn("a sentence for the log", log.read_text())
        self.assertNotIn("/.gearbox/ready", log.read_text())
        self.gear.control("php", "tidy")
        self.assertNotIn("a sentence for the log", log.read_text())

    def test_version_that_is_not_installed(self):
        with self.assertRaisesRegex(ScriptFailed, "CLIENT_ERROR: PHP 5.4 is not installed"):
            self.gear.script("php", "setup", "--version", "5.4")


class WithoutComposer(PhpGear):
    without = ("composer",)

    def test_composer_says_which_packages_are_missing(self):
        lock = {"packages": [{"name": "acme/there"}, {"name": "acme/absent"}, {"name": "acme/other"}]}
        files = {"index.php": "ok", ".openshift/markers/use_composer": "",
                 "composer.json": json.dumps({"require": {"php": ">=8", "ext-json": "*", "acme/there": "1.0"}}),
                 "composer.lock": json.dumps(lock), "vendor/acme/there/x.php": ""}
        with self.assertRaises(ScriptFailed) as caught:
            self.push(files)
        self.assertIn("this node has no Composer (Debian's package 'composer'), and the repository lacks: acme/absent, acme/other.",
                      str(caught.exception))
        # Everything in the repository: nothing is needed. Without a lock file, what composer.json requires counts.
        output = self.push({"vendor/acme/absent/x.php": "", "vendor/acme/other/x.php": ""})
        self.assertIn("the packages of the repository itself are used", output)
        self.assertEqual(self.get(), "ok")
        (self.repo / "composer.lock").unlink()
        shutil.rmtree(self.repo / "vendor/acme/there")
        with self.assertRaises(ScriptFailed) as caught:
            self.push({})
        self.assertIn("the repository lacks: acme/there.", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
