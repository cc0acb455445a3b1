"""find_application.py REPOSITORY: what to run, as one line

    file PATH        a file with the WSGI callable `application` or `app`
    module NAME      what gunicorn understands, like `site.wsgi:application`
    script PATH      a program with a server of its own

The files are read, not run.
"""

import ast
import os
import sys


def names(nodes):
    """What the statements define at the top of a module."""
    for node in nodes:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (alias.asname or alias.name for alias in node.names)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for part in ("body", "handlers", "orelse", "finalbody"):
                yield from names(getattr(node, part, ()))
        elif isinstance(node, ast.ExceptHandler):
            yield from names(node.body)
        else:
            yield from (inner.id for inner in ast.walk(node)
                        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store))


def find(repository):
    chosen = os.environ.get("OPENSHIFT_PYTHON_WSGI_APPLICATION")
    if chosen:
        path = os.path.join(repository, chosen)
        return f"file {path}" if os.path.isfile(path) else f"module {chosen}"
    for name in ("wsgi.py", "wsgi/application", "wsgi/application.py"):
        if os.path.isfile(os.path.join(repository, name)):
            return f"file {os.path.join(repository, name)}"
    path = os.path.join(repository, "app.py")
    if not os.path.isfile(path):
        sys.exit("there is nothing to run: the repository needs a wsgi.py, wsgi/application or app.py, "
                 "or the variable OPENSHIFT_PYTHON_WSGI_APPLICATION must name the file")
    with open(path, "rb") as file:
        try:
            tree = ast.parse(file.read(), "app.py")
        except SyntaxError as error:
            sys.exit(f"app.py, line {error.lineno}: SyntaxError: {error.msg}")
    return ("file " if {"application", "app"} & set(names(tree.body)) else "script ") + path


print(find(sys.argv[1]))
