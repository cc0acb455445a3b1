"""The diy cartridge in a hand-made gear: servers of Perl, which every Debian has."""

import unittest

from web import Web

SERVER = r"""
use IO::Socket::INET;
my $s = IO::Socket::INET->new(LocalAddr => $ENV{OPENSHIFT_DIY_IP}, LocalPort => 8080, Listen => 9, ReuseAddr => 1) or die;
while (my $c = $s->accept) { while (<$c>) { last if /^\r?$/ } print $c "HTTP/1.0 200 OK\r\n\r\n", %s; close $c }
"""
START = ".openshift/action_hooks/start"
STOP = ".openshift/action_hooks/stop"
BACKGROUND = "#!/bin/bash\necho starting\nnohup perl $OPENSHIFT_REPO_DIR/server.pl &\n"


class Diy(Web, unittest.TestCase):
    cart, version, title = "diy", "0.1", "your own start hook"
    ok = {"server.pl": SERVER % "'ok'", START: BACKGROUND}
    environment = {"server.pl": SERVER % "join '', map { qq($_=$ENV{$_}\n) } qw(LOWER OPENSHIFT_APP_NAME)", START: BACKGROUND}
    broken = {
        "status": ({START: "#!/bin/bash\necho first; exit 7\n"}, "(?s)did not start.*first.*ended with status 7"),
        "syntax": ({START: BACKGROUND, "server.pl": "sub {"}, "(?s)nothing listens.*syntax error"),
        "silence": ({START: "#!/bin/bash\nsleep 99 &\n"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "foreground": ({START: "#!/bin/bash\nexec sleep 99\n"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "nothing": ({"README": "x"}, "nothing to run"),
        "mode": ({START: "echo"}, "is not executable"),
    }

    def test_hot_deployment(self):
        self.push(self.ok)
        pid = self.server_pid()
        self.write({"server.pl": SERVER % "'changed'"})
        self.gear.hot_deploy(self.repo)
        self.assertEqual((self.get(), self.server_pid()), ("ok", pid))

    def test_stop_hook_and_a_daemon_of_its_own_session(self):
        self.push({**self.ok, START: "#!/bin/bash\nsetsid perl $OPENSHIFT_REPO_DIR/server.pl & echo $! >$OPENSHIFT_DATA_DIR/pid\n",
                   STOP: "#!/bin/bash\necho from the hook stop; kill $(<$OPENSHIFT_DATA_DIR/pid)\n"})
        self.assertEqual(self.get(), "ok")
        self.gear.shell("sleep 1.5")
        self.assertIn("Application is running", self.control("status"))
        self.assertIn("from the hook stop", self.control("stop"))
        self.assertEqual(self.left(), [])

    def test_end_of_the_application_is_noticed(self):
        self.push(self.ok)
        self.gear.shell("sleep 1.5")  # it is looked for every second, and at the start more often
        pid = self.server_pid()
        self.gear.shell("pkill -f server.pl$")
        self.wait_for_log("The application has ended")
        self.await_end(pid)  # its last words come before its end
        self.assertIn("either stopped", self.control("status"))
        self.control("start")
        self.assertEqual(self.get(), "ok")


if __name__ == "__main__":
    unittest.main()
