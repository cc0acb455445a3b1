"""Settings of gunicorn; GUNICORN_CMD_ARGS of the application wins."""

import faulthandler
import os
import pathlib
import signal

bind = f"{os.environ['OPENSHIFT_PYTHON_IP']}:{os.environ['OPENSHIFT_PYTHON_PORT']}"
# Processes that fit beside a database: one takes about 80 MB with a framework in it.
workers = max(1, min(8, (int(os.environ.get("OPENSHIFT_GEAR_MEMORY_MB", 512)) - 160) // 96))
worker_class = "gthread"
threads = 4
# Generous, because a node may be an emulated one. `stop` waits a little longer than graceful_timeout.
timeout = 300
graceful_timeout = 10
# Behind the router an idle connection would only hold a thread.
keepalive = 0
# The router is the only peer, besides programs in the gear itself.
forwarded_allow_ips = "*"
accesslog = "-"
access_log_format = '%({x-forwarded-for}i)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'

run = pathlib.Path(os.environ["OPENSHIFT_PYTHON_DIR"], "run")
loaded = run / "loaded"  # a byte for each worker


def on_starting(server):
    loaded.unlink(missing_ok=True)


on_reload = on_starting


def post_worker_init(worker):
    """Ready when all have loaded: one that still loads would take what the next deployment has already put in place."""
    faulthandler.register(signal.SIGUSR2, all_threads=True)  # threaddump
    with loaded.open("ab") as file:
        file.write(b".")
    try:
        if loaded.stat().st_size >= worker.cfg.workers:
            loaded.rename(run / "ready")
    except FileNotFoundError:
        pass  # another one was as quick
