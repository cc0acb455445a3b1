#!/usr/bin/env python3
"""The client as it is downloaded: packed, unpacked and run where nothing but busybox is installed.

usage: bundle_test.py GEARBOX (in a network namespace of its own)
"""

import functools
import hashlib
import http.server
import pathlib
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

TOP = pathlib.Path(__file__).resolve().parents[2]
HOST = "broker.example"


def run(*command, **options):
    return subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=60, **options)


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class Bundle(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.TemporaryDirectory()
        cls.top = pathlib.Path(cls.directory.name)
        cls.bundle = cls.top / "first.tar.gz"
        run(TOP / "runtime/cli/bundle.sh", CLIENT, cls.bundle, check=True)
        cls.root = cls.top / "root"
        (cls.root / "bin").mkdir(parents=True)
        (cls.root / "etc").mkdir()
        (cls.root / "tmp").mkdir()
        shutil.copy(shutil.which("busybox"), cls.root / "bin/busybox")
        for tool in ("sh", "readlink", "dirname", "tar", "gzip"):
            (cls.root / "bin" / tool).symlink_to("busybox")
        (cls.root / "etc/hosts").write_text(f"127.0.0.1 {HOST}\n")
        shutil.copy(cls.bundle, cls.root / "tmp/client.tar.gz")
        cls.inside("/bin/tar", "xzf", "/tmp/client.tar.gz", "-C", "/", check=True)
        run("/usr/sbin/ip", "link", "set", "lo", "up", check=True)

    @classmethod
    def tearDownClass(cls):
        cls.directory.cleanup()

    @classmethod
    def inside(cls, *command, **options):
        return run("/usr/sbin/chroot", cls.root, *command, env={"PATH": "/bin", "HOME": "/tmp"}, **options)

    def test_equal_inputs_give_equal_bytes(self):
        again = self.top / "again.tar.gz"
        run(TOP / "runtime/cli/bundle.sh", CLIENT, again, check=True)
        digests = [hashlib.sha256(file.read_bytes()).hexdigest() for file in (self.bundle, again)]
        self.assertEqual(*digests)

    def test_what_is_no_program_is_refused(self):
        done = run(TOP / "runtime/cli/bundle.sh", self.root / "etc/hosts", self.top / "none.tar.gz")
        self.assertNotEqual(done.returncode, 0)
        self.assertFalse((self.top / "none.tar.gz").exists())

    def test_it_runs_without_anything_installed(self):
        done = self.inside("/gearbox/gearbox", "--version")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, run(CLIENT, "--version").stdout)
        (self.root / "bin/gearbox").symlink_to("/gearbox/gearbox")
        self.assertEqual(self.inside("gearbox", "--version").stdout, done.stdout)

    def test_it_finds_hosts_and_speaks_tls(self):
        key, certificate = self.top / "key.pem", self.top / "certificate.pem"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
            "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate,
            check=True)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        (self.top / "site/client").mkdir(parents=True)
        shutil.copy(certificate, self.top / "site/client/ca.crt")
        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(QuietHandler, directory=self.top / "site"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = self.inside("/gearbox/gearbox", "setup", "--server", f"{HOST}:{server.server_address[1]}", "--login",
                           "demo", "--password-stdin", input="secret\n")
        server.shutdown()
        server.server_close()
        fingerprint = run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256").stdout
        self.assertIn(fingerprint.strip().split("=")[1], done.stderr, done.stderr + done.stdout)


if __name__ == "__main__":
    CLIENT = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main()
