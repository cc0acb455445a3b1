"""The application of the repository as the WSGI callable `application`.

The file GEARBOX_WSGI_FILE may have any name, as with v2's mod_wsgi. Around it: files of wsgi/static or
static under /static/, and the browser's address instead of the router's.
"""

import importlib.machinery
import importlib.util
import mimetypes
import os
import pathlib
import sys
from email.utils import formatdate

REPOSITORY = pathlib.Path(os.environ["OPENSHIFT_REPO_DIR"]).resolve()
STATIC = next((path for path in (REPOSITORY / "wsgi/static", REPOSITORY / "static") if path.is_dir()), None)


def load(path):
    path = pathlib.Path(path)
    sys.path[:0] = [str(REPOSITORY), str(path.parent)]
    loader = importlib.machinery.SourceFileLoader(path.stem, str(path))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(path.stem, loader))
    sys.modules[path.stem] = module
    loader.exec_module(module)
    for name in ("application", "app"):
        if callable(getattr(module, name, None)):
            return getattr(module, name)
    sys.exit(f"{path} defines no callable `application` or `app`")


def static_file(request):
    """The file below STATIC that the path means, or None."""
    if not STATIC or not request.startswith("/static/"):
        return None
    path = (STATIC / request[len("/static/"):]).resolve()
    return path if path.is_file() and STATIC in path.parents else None


def send(path, environ, start_response):
    status = path.stat()
    headers = [("ETag", f'"{status.st_mtime_ns:x}-{status.st_size:x}"'), ("Last-Modified", formatdate(status.st_mtime, usegmt=True))]
    if environ.get("HTTP_IF_NONE_MATCH") == headers[0][1]:
        start_response("304 Not Modified", headers)
        return []
    kind, encoding = mimetypes.guess_type(path.name)
    headers += [("Content-Type", kind if kind and not encoding else "application/octet-stream"),
                ("Content-Length", str(status.st_size))]
    start_response("200 OK", headers)
    return [] if environ["REQUEST_METHOD"] == "HEAD" else environ["wsgi.file_wrapper"](path.open("rb"))


inner = load(os.environ["GEARBOX_WSGI_FILE"])


def application(environ, start_response):
    path = environ["REQUEST_METHOD"] in ("GET", "HEAD") and static_file(environ["PATH_INFO"])
    if path:
        return send(path, environ, start_response)
    forwarded = environ.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2].strip()
    if forwarded:
        environ["REMOTE_ADDR"] = forwarded
    return inner(environ, start_response)
