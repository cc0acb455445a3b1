#!/usr/bin/env python3
"""Registries of packages by https for tests/functional/registries_test.cpp and tests/e2e/scenarios/41_registries.py.

    registry.py DIRECTORY CERTIFICATE KEY ADDRESS PORT

https://HOST/PATH is the file DIRECTORY/HOST/PATH, or index in it; PATH/cut is one that ends before it is whole, and PATH/moved
leads elsewhere. Makes the packages left and @scope/right of npm and demo of pip at first. What has a version in its name
is good for an hour, the rest for a second. Each request is a line of DIRECTORY/log: HOST/PATH, then its headers' names.
Prints "ready".
"""

import hashlib
import http.server
import io
import json
import pathlib
import ssl
import sys
import tarfile
import zipfile

NPM, PIP, PIP_FILES = "registry.npmjs.org", "pypi.org", "files.pythonhosted.org"
DIRECTORY = pathlib.Path(sys.argv[1])
PORT = "" if sys.argv[5] == "443" else ":" + sys.argv[5]


def write(name, content):
    path = DIRECTORY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def make_npm_package(name):
    package = json.dumps({"name": name, "version": "1.0.0"}).encode()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        member = tarfile.TarInfo("package/package.json")
        member.size = len(package)
        tar.addfile(member, io.BytesIO(package))
    file = f"{name}/-/{name.split('/')[-1]}-1.0.0.tgz"
    write(f"{NPM}/{file}", archive.getvalue())
    version = {"name": name, "version": "1.0.0", "dist": {
        "tarball": f"https://{NPM}/{file}", "shasum": hashlib.sha1(archive.getvalue()).hexdigest()}}
    write(f"{NPM}/{name}/index", json.dumps(
        {"name": name, "dist-tags": {"latest": "1.0.0"}, "versions": {"1.0.0": version}}).encode())


def make_pip_package(name):
    wheel = io.BytesIO()
    with zipfile.ZipFile(wheel, "w") as archive:
        about = f"{name}-1.0.dist-info"
        archive.writestr(f"{name}.py", "text = 'from the registry'\n")
        archive.writestr(f"{about}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(f"{about}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{about}/RECORD", "")
    file = f"packages/ab/{name}-1.0-py3-none-any.whl"
    write(f"{PIP_FILES}/{file}", wheel.getvalue())
    digest = hashlib.sha256(wheel.getvalue()).hexdigest()
    page = f'<!DOCTYPE html>\n<a href="https://{PIP_FILES}{PORT}/{file}#sha256={digest}">{name}-1.0-py3-none-any.whl</a>\n'
    write(f"{PIP}/simple/{name}/index", page.encode())


class Registry(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.headers["Host"].split(":")[0]
        name = host + self.path
        with open(DIRECTORY / "log", "a", encoding="utf-8") as log:
            print(name, *sorted(key.lower() for key in self.headers), file=log)
        path = DIRECTORY / name
        path = path / "index" if path.is_dir() else path
        if self.path.endswith("/moved"):
            return self.answer(301, b"", {"Location": f"https://{host}/elsewhere"})
        if not path.is_file():
            return self.answer(404, b"no such package\n")
        content = path.read_bytes()
        tag = f'"{hashlib.sha1(content).hexdigest()}"'
        status = 304 if self.headers["If-None-Match"] == tag else 200
        return self.answer(status, b"" if status == 304 else content, {"ETag": tag})

    def answer(self, status, content, more=None):
        cut = 1 if self.path.endswith("/cut") else 0
        self.send_response(status)
        self.send_header("Content-Length", str(len(content) + cut))
        self.send_header("Content-Type", "text/html" if self.path.startswith("/simple/") else "application/octet-stream")
        self.send_header("Cache-Control", "max-age=3600" if "-1.0" in self.path else "public, max-age=1, must-revalidate")
        self.send_header("Vary", "Accept, Accept-Encoding")
        self.send_header("Set-Cookie", "session=1")
        for key, value in (more or {}).items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(content)
        self.close_connection = bool(cut)

    def log_message(self, *_):
        pass


def main():
    for name in "left", "@scope/right":
        make_npm_package(name)
    make_pip_package("demo")
    (DIRECTORY / "log").touch()
    server = http.server.ThreadingHTTPServer((sys.argv[4], int(sys.argv[5])), Registry)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
