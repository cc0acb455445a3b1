#!/usr/bin/env python3
"""Runs the shipped haproxy.cfg under the haproxy of this machine, on free ports, with stand-ins for gears.

What must hold: lookup by host without port, forwarded headers, error pages, TLS, WebSocket, and that no
connection is lost while routes come and go through the admin socket.
"""

import base64
import hashlib
import http.client
import http.server
import json
import os
import pathlib
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from qemu import free_ports  # noqa: E402  (found through the path above)

ROUTER = pathlib.Path(__file__).resolve().parents[2] / "runtime" / "router"


class Gear(http.server.ThreadingHTTPServer):
    """Answers with its name, its port and the headers it was sent; speaks a one-message WebSocket."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        """A router that stops closes its idle connections; that is no failure of a gear."""

    def __init__(self, name, port=0):
        super().__init__(("127.0.0.1", port), GearHandler)
        self.name = name
        self.connections = 0
        self.to_drop = 0
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def address(self):
        return f"127.0.0.1:{self.server_port}"


class GearHandler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def setup(self):
        super().setup()
        self.server.connections += 1

    def do_GET(self):
        if self.server.to_drop > 0:  # as a server that restarts closes connections, whatever is on its way there
            self.server.to_drop -= 1
            self.close_connection = True
            return
        if self.headers.get("Upgrade", "").lower() == "websocket":
            self.upgrade()
            return
        body = json.dumps({"gear": self.server.name, "path": self.path,
                           "headers": {k.lower(): v for k, v in self.headers.items()}}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.do_GET()

    def upgrade(self):
        accept = base64.b64encode(hashlib.sha1(
            (self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest())
        self.send_response(101)
        for name, value in (("Upgrade", "websocket"), ("Connection", "Upgrade"),
                            ("Sec-WebSocket-Accept", accept.decode())):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(b"hello " + self.connection.recv(100))
        self.close_connection = True

    def log_message(self, *_):
        """Requests are not news here."""


class Router:
    """The shipped configuration with its paths and ports moved into a temporary directory."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="gearbox-router-"))
        self.http, self.https, self.broker_port = free_ports(3)
        self.map = self.directory / "routes.map"
        self.admin = self.directory / "admin.sock"
        self.certificates = self.directory / "certificates.list"
        self.certificates.touch()
        self.make_certificate()
        text = (ROUTER / "haproxy.cfg").read_text()
        for old, new in (("/run/gearbox/router-admin.sock", str(self.admin)),
                         ("/var/lib/gearbox/router/routes.map", str(self.map)),
                         ("/var/lib/gearbox/tls/router.pem", str(self.directory / "router.pem")),
                         ("/var/lib/gearbox/router/certificates.list", str(self.certificates)),
                         ("/usr/share/gearbox/router/", str(ROUTER) + "/"),
                         (":::80 ", f":::{self.http} "), (":::443 ", f":::{self.https} "),
                         ("127.0.0.1:4080", f"127.0.0.1:{self.broker_port}"),
                         ("    user haproxy\n    group haproxy\n", "")):
            assert old in text, old
            text = text.replace(old, new)
        self.config = self.directory / "haproxy.cfg"
        self.config.write_text(text)

    def make_certificate(self):
        key, certificate = self.directory / "key", self.directory / "certificate"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-subj", "/CN=gearbox.localhost"],
                       check=True, stderr=subprocess.DEVNULL)
        (self.directory / "router.pem").write_text(certificate.read_text() + key.read_text())

    def start(self, routes):
        self.map.write_text("".join(f"{host} {address}\n" for host, address in routes.items()))
        subprocess.run(["haproxy", "-c", "-q", "-f", self.config], check=True)
        self.process = subprocess.Popen(["haproxy", "-Ws", "-f", self.config], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while not self.admin.exists() and time.monotonic() < deadline:
            time.sleep(0.02)

    def stop(self):
        self.process.terminate()
        self.process.wait(timeout=20)
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self, text):
        with socket.socket(socket.AF_UNIX) as admin:
            admin.connect(str(self.admin))
            admin.sendall(text.encode() + b"\n")
            return admin.makefile().read().strip()

    def get(self, host, path="/", *, headers=None, tls=False, body=None):
        if tls:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            connection = http.client.HTTPSConnection("127.0.0.1", self.https, timeout=20, context=context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=20)
        connection.request("POST" if body else "GET", path, body=body, headers={"Host": host, **(headers or {})})
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer, text


@unittest.skipUnless(shutil.which("haproxy"), "haproxy is not installed")
class RouterTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.router = Router()
        cls.blog, cls.shop = Gear("blog"), Gear("shop")
        cls.broker = Gear("broker", cls.router.broker_port)
        cls.router.start({"blog-acme.gearbox.localhost/": cls.blog.address, "blog-acme.localhost/": cls.blog.address,
                          "shop-acme.gearbox.localhost/": cls.shop.address,
                          "down-acme.gearbox.localhost/": f"127.0.0.1:{free_ports(1)[0]}",
                          **{f"paths.localhost/{path}": target for path, target in cls.paths().items()}})

    @classmethod
    def paths(cls):
        blog, shop = cls.blog.address, cls.shop.address
        return {"": blog, "admin/": shop, "admin/deep/": f"{blog}:proxy:2:/other", "away/": f"{shop}:proxy:1:",
                "three/of/them/": f"{shop}:proxy:3:/one", "gone/": f"{shop}:gone::", "forbidden/": f"{shop}:forbidden::",
                "file/": f"{shop}:noproxy::", "health/": f"{shop}:health::", "safe/": f"{shop}:tohttps::",
                "else/": f"{shop}:redirect::https://example.org:8443/x?y=z", "here/": f"{shop}:redirect::/admin"}

    @classmethod
    def tearDownClass(cls):
        cls.router.stop()

    def gear_of(self, host, path="/", **options):
        answer, text = self.router.get(host, path, **options)
        self.assertEqual(answer.status, 200, text)
        return json.loads(text)

    def test_host_chooses_the_gear_whatever_its_port_and_case(self):
        self.assertEqual(self.gear_of("blog-acme.gearbox.localhost")["gear"], "blog")
        self.assertEqual(self.gear_of("Shop-ACME.gearbox.localhost:8080")["gear"], "shop")
        self.assertEqual(self.gear_of("blog-acme.localhost:18080")["gear"], "blog")

    def test_forwarded_headers_are_ours(self):
        claimed = {"X-Forwarded-For": "6.6.6.6", "X-Forwarded-Proto": "https", "Forwarded": "for=6.6.6.6", "Proxy": "evil"}
        headers = self.gear_of("blog-acme.gearbox.localhost:8080", headers=claimed)["headers"]
        self.assertEqual(headers["host"], "blog-acme.gearbox.localhost:8080")
        self.assertEqual(headers["x-forwarded-host"], "blog-acme.gearbox.localhost:8080")
        self.assertEqual(headers["x-forwarded-port"], "8080")
        self.assertEqual(headers["x-forwarded-proto"], "http")
        self.assertIn(headers["x-forwarded-for"], ("127.0.0.1", "::ffff:127.0.0.1"))
        self.assertFalse({"forwarded", "proxy"} & headers.keys())

    def test_https(self):
        headers = self.gear_of("blog-acme.gearbox.localhost", tls=True)["headers"]
        self.assertEqual(headers["x-forwarded-proto"], "https")
        self.assertEqual(headers["x-forwarded-port"], str(self.router.https))

    def test_broker_only_on_hosts_without_an_application(self):
        self.assertEqual(self.gear_of("localhost:8080", "/broker/rest/api")["gear"], "broker")
        self.assertEqual(self.gear_of("10.0.2.15", "/client/x")["gear"], "broker")
        self.assertEqual(self.gear_of("blog-acme.gearbox.localhost", "/broker/rest/api")["gear"], "blog")

    def test_paths_of_cartridges(self):
        for path, expected in {"/": ("blog", "/"), "/admin": ("shop", "/admin"), "/admin/": ("shop", "/admin/"),
                               "/admin/x?y=/admin/deep/": ("shop", "/admin/x?y=/admin/deep/"), "/administer": ("blog", "/administer"),
                               "/ADMIN": ("blog", "/ADMIN"), "/x/admin/": ("blog", "/x/admin/"), "/x//admin": ("blog", "/x//admin"),
                               "/admin/deep/a/b?c=d": ("blog", "/other/a/b?c=d"), "/admin/deeper": ("shop", "/admin/deeper"),
                               "/away": ("shop", "/"), "/away/": ("shop", "/"), "/away/a/b/c/d/e/?f": ("shop", "/a/b/c/d/e/?f"),
                               "/three/of/them/all": ("shop", "/one/all"), "/three/of": ("blog", "/three/of")}.items():
            answer = self.gear_of("Paths.localhost:8080", path)
            self.assertEqual((answer["gear"], answer["path"]), expected, path)

    def test_paths_that_no_gear_answers(self):
        for path, expected in {"/gone": 410, "/gone/x": 410, "/forbidden": 403, "/file/x": 404, "/health": 200, "/else": 302}.items():
            self.assertEqual(self.router.get("paths.localhost", path)[0].status, expected, path)
        self.assertEqual(self.router.get("paths.localhost", "/health")[1], "1\n")
        for path, expected in {"/else": "https://example.org:8443/x?y=z", "/here/x": "/admin", "/safe/x?y": "https://paths.localhost/safe/x?y"}.items():
            answer, _ = self.router.get("paths.localhost:8080", path)
            self.assertEqual((answer.status, answer.headers["Location"]), (302, expected))
        self.assertEqual(self.gear_of("paths.localhost", "/safe/x", tls=True)["path"], "/safe/x")

    def test_unknown_application(self):
        for host in ("nobody.gearbox.localhost", "localhost", "[::1]:80"):
            answer, text = self.router.get(host, "/brokerage")
            self.assertEqual(answer.status, 404)
            self.assertIn("No application has this name", text)

    def test_application_that_is_down(self):
        answer, text = self.router.get("down-acme.gearbox.localhost")
        self.assertEqual(answer.status, 503)
        self.assertIn("not running", text)

    def test_upload(self):
        self.assertEqual(self.gear_of("shop-acme.gearbox.localhost", body=os.urandom(3_000_000))["gear"], "shop")

    def visitor(self, host):
        """Asks again and again by one connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.router.http, timeout=20)
        self.addCleanup(connection.close)

        def ask(method="GET"):
            connection.request(method, "/", body=b"x" if method == "POST" else None, headers={"Host": host})
            answer = connection.getresponse()
            answer.read()
            return answer.status
        return ask

    def test_connections_to_a_gear_are_kept_also_beside_another_s(self):
        for _ in range(16):
            self.assertEqual(self.visitor("blog-acme.gearbox.localhost")(), 200)
        ask, before = self.visitor("shop-acme.gearbox.localhost"), self.shop.connections
        self.assertEqual({ask() for _ in range(20)}, {200})
        self.assertEqual(self.shop.connections - before, 1)

    def test_only_requests_without_effects_are_sent_again(self):
        host = "blog-acme.gearbox.localhost"
        self.blog.to_drop = 2
        self.assertEqual(self.visitor(host)(), 200)
        self.blog.to_drop = 2
        self.assertEqual(self.visitor(host)("POST"), 502)
        self.assertEqual(self.blog.to_drop, 1)
        self.blog.to_drop = 0

    def test_ipv6(self):
        try:
            connection = http.client.HTTPConnection("::1", self.router.http, timeout=5)
            connection.request("GET", "/", headers={"Host": "blog-acme.gearbox.localhost"})
        except OSError as error:
            self.skipTest(f"no IPv6 loopback here: {error}")
        answer = connection.getresponse()
        self.assertEqual(answer.status, 200)
        answer.read()
        connection.close()

    def test_websocket(self):
        with socket.create_connection(("127.0.0.1", self.router.http), timeout=10) as client:
            client.sendall(b"GET /chat HTTP/1.1\r\nHost: blog-acme.gearbox.localhost\r\nConnection: Upgrade\r\n"
                           b"Upgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                           b"Sec-WebSocket-Version: 13\r\n\r\n")
            stream = client.makefile("rb")
            self.assertIn(b" 101 ", stream.readline())
            while stream.readline().strip():
                pass
            client.sendall(b"world")
            self.assertEqual(stream.read(), b"hello world")

    def test_routes_change_under_load_without_a_lost_request(self):
        stop, failures, counts = threading.Event(), [], []

        def visit():
            connection = http.client.HTTPConnection("127.0.0.1", self.router.http, timeout=20)
            served = 0
            while not stop.is_set():
                try:
                    connection.request("GET", "/", headers={"Host": "blog-acme.gearbox.localhost"})
                    answer = connection.getresponse()
                    body = answer.read()
                    if answer.status != 200 or json.loads(body)["gear"] not in ("blog", "green"):
                        failures.append((answer.status, body[:80]))
                    served += 1
                except (OSError, http.client.HTTPException) as error:
                    failures.append(repr(error))
                    connection.close()
            counts.append(served)

        visitors = [threading.Thread(target=visit) for _ in range(6)]
        for visitor in visitors:
            visitor.start()
        green, name = Gear("green"), self.router.map
        for turn in range(100):
            self.assertEqual(self.router.command(f"add map {name} new{turn}.gearbox.localhost/ {self.shop.address}"), "")
            self.assertEqual(self.gear_of(f"new{turn}.gearbox.localhost")["gear"], "shop")
            target = green if turn % 2 else self.blog
            self.assertEqual(self.router.command(f"set map {name} blog-acme.gearbox.localhost/ {target.address}"), "")
            self.assertEqual(self.gear_of("blog-acme.gearbox.localhost")["gear"], target.name)
            self.assertEqual(self.router.command(f"del map {name} new{turn}.gearbox.localhost/"), "")
            self.assertEqual(self.router.get(f"new{turn}.gearbox.localhost")[0].status, 404)
        stop.set()
        for visitor in visitors:
            visitor.join()
        self.router.command(f"set map {name} blog-acme.gearbox.localhost/ {self.blog.address}")
        self.assertEqual(failures, [])
        self.assertGreater(sum(counts), 50)
        print(f"{sum(counts)} requests of 6 visitors over 300 route changes, none lost", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
