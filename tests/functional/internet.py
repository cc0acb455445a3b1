#!/usr/bin/env python3
"""A small internet for tests/functional/network_test.cpp, inside a network namespace of its own.

Answers HTTP at 203.0.113.10 (public), 10.1.2.3 (a private network) and 169.254.169.254 (a metadata service) with
"I am ADDRESS, you are CLIENT"; /files/ is the directory that is its argument, /to/ADDRESS leads to ADDRESS, /endless has no end. Takes UDP at 203.0.113.10, and knows one address for every name at 10.1.2.53. Prints
"ready"; ends with its standard input.
"""

import functools
import http.server
import socket
import sys
import threading
import time

ADDRESS = "203.0.113.10"
WEB = [(ADDRESS, 80), ("10.1.2.3", 80), ("10.1.2.3", 81), ("10.1.2.53", 80), ("169.254.169.254", 80)]


class Page(http.server.SimpleHTTPRequestHandler):
    def translate_path(self, path):
        return super().translate_path(path.removeprefix("/files"))

    def do_GET(self):
        if self.path.startswith("/files/"):
            return super().do_GET()
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/"))
            return self.end_headers()
        if self.path == "/endless":
            return self.send_endlessly()
        size = int(self.path[6:]) if self.path.startswith("/size/") else 0
        body = b"x" * size or f"I am {self.server.server_address[0]}, you are {self.client_address[0]}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_endlessly(self):
        self.send_response(200)
        self.end_headers()
        try:
            while True:
                self.wfile.write(b"x" * 1000)
                time.sleep(0.05)
        except OSError:
            pass

    def log_message(self, *_):
        pass


def serve_names():
    """RFC 1035: the question comes back with one A record, or none for other types."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("10.1.2.53", 53))
    while True:
        query, client = server.recvfrom(512)
        end = query.index(b"\0", 12) + 5
        is_address = query[end - 4:end - 2] == b"\0\1"
        head = query[:2] + b"\x81\x80\0\1" + (b"\0\1" if is_address else b"\0\0") + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + socket.inet_aton(ADDRESS) if is_address else b""
        server.sendto(head + query[12:end] + record, client)


def main():
    for place in WEB:
        server = http.server.ThreadingHTTPServer(place, functools.partial(Page, directory=sys.argv[1]))
        threading.Thread(target=server.serve_forever, daemon=True).start()
    threading.Thread(target=serve_names, daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
