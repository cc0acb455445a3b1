"""The process `web` of the Procfile: an HTTP server on $PORT."""

import html
import http.server
import os
import pathlib
import platform
import re

NAME = os.environ.get("OPENSHIFT_APP_NAME", "my application")
HERE = pathlib.Path(__file__).parent
CLOCK = pathlib.Path(os.environ.get("OPENSHIFT_TMP_DIR", "/tmp"), "clock")


def facts(host):
    uuid, database = os.environ.get("OPENSHIFT_GEAR_UUID"), os.environ.get("DATABASE_URL", "")
    return {
        "name": NAME,
        "repository": f"ssh://{uuid}@{os.environ.get('OPENSHIFT_GEAR_DNS')}/~/git/{NAME}.git/",
        "address": host,
        "version": platform.python_version(),
        "database": f"{database.partition(':')[0]}, in DATABASE_URL" if database else "none yet",
        "clock": f"alive at {CLOCK.read_text().strip()}" if CLOCK.exists() else "has not run yet",
        "gear": uuid,
    }


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path.partition("?")[0] != "/":
            self.send_error(404)
            return
        values = facts(self.headers["Host"])
        text = (HERE / "index.html").read_text(encoding="utf-8")
        page = re.sub(r"\{\{(\w+)\}\}", lambda match: html.escape(str(values[match[1]])), text).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)


if __name__ == "__main__":
    address = os.environ.get("HOST", "127.0.0.1"), int(os.environ.get("PORT", "8080"))
    http.server.ThreadingHTTPServer(address, Handler).serve_forever()
