"""A WebSocket (RFC 6455) as a browser has it: text messages through a connected socket."""

import base64
import hashlib
import os
import struct

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class WebSocket:
    def __init__(self, connected, host, path, timeout=60):
        """Asks for `path` of the site `host`; raises ConnectionError when the answer is no WebSocket."""
        self.socket, self.input = connected, connected.makefile("rb")
        self.socket.settimeout(timeout)
        key = base64.b64encode(os.urandom(16))
        self.socket.sendall(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key.decode()}\r\n\r\n".encode())
        head = b"".join(iter(self.input.readline, b"\r\n")).decode()
        accept = base64.b64encode(hashlib.sha1(key + GUID).digest()).decode()
        if " 101 " not in head.splitlines()[0] or f"sec-websocket-accept: {accept}".lower() not in head.lower():
            self.close()
            raise ConnectionError(f"no WebSocket: {head}")

    def send(self, text, kind=TEXT):
        data, mask = text.encode() if isinstance(text, str) else text, os.urandom(4)
        size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + struct.pack(">H", len(data))
        masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))
        self.socket.sendall(bytes([0x80 | kind]) + size + mask + masked)

    def receive(self):
        """The next text; None when the server has closed. Pings are answered."""
        while True:
            head = self.input.read(2)
            if len(head) < 2:
                return None
            size = head[1] & 127
            if size > 125:
                size = int.from_bytes(self.input.read(2 if size == 126 else 8), "big")
            data = self.input.read(size)
            kind = head[0] & 15
            if kind == TEXT:
                return data.decode()
            if kind == CLOSE:
                return None
            if kind == PING:
                self.send(data, PONG)

    def close(self):
        self.input.close()
        self.socket.close()
