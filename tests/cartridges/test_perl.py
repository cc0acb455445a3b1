"""The perl cartridge in a hand-made gear: real Starman."""

import subprocess
import unittest

from gear import BASE, ScriptFailed
from web import Web

PSGI = "use strict; sub { my $env = shift; [200, ['Content-Type' => 'text/plain'], [%s]] };\n"


def installed():
    if not (BASE / "usr/bin/starman").exists():
        return None
    done = subprocess.check_output(["chroot", BASE, "/usr/bin/perl", "-e", 'printf "%vd", $^V'], text=True)
    return ".".join(done.split(".")[:2])


class Perl(Web, unittest.TestCase):
    cart, version, title = "perl", installed(), "Perl"
    ok = {"app.psgi": PSGI % "'ok'"}
    environment = {"app.psgi": PSGI % r'map { "$_=$ENV{$_}\n" } qw(LOWER OPENSHIFT_APP_NAME)'}
    broken = {
        "syntax": ({"app.psgi": "sub {"}, "(?s)did not start.*syntax error"),
        "module": ({"app.psgi": "use No::Such::Thing;"}, "CLIENT_ERROR: .*No/Such/Thing.pm"),
        "exit": ({"app.psgi": "warn 'has had enough'; exit 0"}, "has had enough"),
        "silence": ({"app.psgi": "sleep 99"}, "was not loaded within 8 seconds"),
        "nothing": ({"README": "x"}, "nothing to run"),
    }

    def test_https_and_client_address(self):
        self.push({"app.psgi": PSGI % "qq($env->{'psgi.url_scheme'} $env->{REMOTE_ADDR})"})
        self.assertEqual(self.get("/?marked", "-H", "X-Forwarded-Proto: https", "-H", "X-Forwarded-For: 192.0.2.7"), "https 192.0.2.7")
        self.wait_for_log('"GET /?marked')

    def test_scripts_and_files(self):
        self.push({"perl/index.pl": 'print "Content-Type: text/plain\\n\\nindex $ENV{QUERY_STRING} $ENV{SCRIPT_NAME}"',
                   "perl/echo.cgi": '#!/bin/bash\nprintf "Status: 201\\nContent-Type: text/plain\\n\\n"; cat\n',
                   "perl/away.pl": 'print "Location: /else\\n\\n"', "perl/broken.pl": "die 'bang'", "perl/file.css": "p {}",
                   "perl/.hidden": "x", "secret": "x"})
        self.assertEqual(self.get("/?a=b"), "index a=b /index.pl")
        self.assertEqual(self.get("/echo.cgi", "-d", "x" * 99999, "-w", "%{http_code}"), "x" * 99999 + "201")
        self.assertEqual([self.code("/" + path, "--path-as-is") for path in ("away.pl", "broken.pl", "none.pl", ".hidden", "../secret", "none")],
                         ["302", "500", "404", "404", "404", "404"])
        self.assertIn("Content-Type: text/css", self.get("/file.css", "-i"))
        self.wait_for_log("bang")

    def test_modules(self):
        self.push({"lib/Greet.pm": "package Greet; sub text { 'hello' } 1;", "cpanfile": "requires 'Greet';\nrequires 'perl', '5.10';\n",
                   "app.psgi": "use Greet; " + PSGI % "Greet::text()"})
        self.assertEqual(self.get(), "hello")
        output = self.push_fails({"cpanfile": "requires 'No::Such::Thing', '1';\n", ".openshift/cpan.txt": "# x\nNone::Either\n"})
        self.assertIn("CLIENT_ERROR: Modules are missing: No::Such::Thing None::Either", output)

    def test_broken_hot_deployment_is_refused(self):
        self.push(self.ok)
        self.write({"app.psgi": "use No::Such::Thing;"})
        with self.assertRaisesRegex(ScriptFailed, "(?s)No/Such/Thing.*goes on with the old one"):
            self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "ok")


if __name__ == "__main__":
    unittest.main()
