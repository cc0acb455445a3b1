"""The application: the callable `application` of this file answers all requests."""

import html
import os
import pathlib
import platform
import re

NAME = os.environ.get("OPENSHIFT_APP_NAME", "my application")
PAGE = pathlib.Path(__file__).with_name("index.html").read_text(encoding="utf-8")


def facts(environ):
    uuid, database = os.environ.get("OPENSHIFT_GEAR_UUID"), os.environ.get("OPENSHIFT_MYSQL_DB_HOST")
    return {
        "name": NAME,
        "repository": f"ssh://{uuid}@{os.environ.get('OPENSHIFT_GEAR_DNS')}/~/git/{NAME}.git/",
        "address": environ.get("HTTP_HOST"),
        "version": platform.python_version(),
        "database": f"MySQL at {database}:{os.environ.get('OPENSHIFT_MYSQL_DB_PORT')}" if database else "none yet",
        "gear": uuid,
    }


def application(environ, start_response):
    if environ["PATH_INFO"] != "/":
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"There is nothing here.\n"]
    values = facts(environ)
    page = re.sub(r"\{\{(\w+)\}\}", lambda match: html.escape(str(values[match[1]])), PAGE)
    start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
    return [page.encode()]
