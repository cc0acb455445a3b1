"""A guestbook. The database is where libpq's variables (PGHOST, PGDATABASE …) say."""

from contextlib import closing

import psycopg2
from flask import Flask, redirect, render_template, request, url_for

NAME_LENGTH, MESSAGE_LENGTH = 60, 1000  # as in schema.sql
SHOWN = 50

app = Flask(__name__)


def query(statement, *values):
    """Runs one statement in a transaction of its own; the rows of a SELECT."""
    with closing(psycopg2.connect("")) as connection, connection, connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


def field(name, longest):
    """A field of the form; None if it is empty, too long, or no text for a database."""
    text = request.form.get(name, "").replace("\r\n", "\n").strip()
    return text if 0 < len(text) <= longest and "\0" not in text else None


def page(status=200, **more):
    entries = query("SELECT name, message, written FROM entries ORDER BY id DESC LIMIT %s", SHOWN)
    (total,), = query("SELECT count(*) FROM entries")
    return render_template("guestbook.html", entries=entries, total=total, name_length=NAME_LENGTH,
                           message_length=MESSAGE_LENGTH, **more), status


@app.get("/")
def read():
    return page()


@app.post("/")
def sign():
    name, message = field("name", NAME_LENGTH), field("message", MESSAGE_LENGTH)
    if not name or not message:
        return page(400, problem="Please fill in both fields.", form=request.form)
    query("INSERT INTO entries (name, message) VALUES (%s, %s)", name, message)
    # Loading the page again must not send the form again.
    return redirect(url_for("read"), 303)


@app.errorhandler(psycopg2.OperationalError)
def no_database(error):
    app.logger.error("no database: %s", error)
    return render_template("no_database.html"), 503
