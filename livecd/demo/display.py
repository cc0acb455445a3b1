"""Stages on the screen: what runs, for how long, how far; everything else goes to the log file."""

import contextlib
import re
import subprocess
import sys
import threading
import time

BAR_WIDTH = 24
NINJA_PROGRESS = re.compile(r"^\[(\d+)/(\d+)\]")


class StageError(RuntimeError):
    """A stage that failed, with a sentence for the person."""


class Display:
    def __init__(self, log_path, stream=sys.stdout):
        log_path.parent.mkdir(parents=True, exist_ok=True)
        self.log_path = log_path
        self.log = open(log_path, "w", encoding="utf-8", buffering=1)
        self.stream = stream
        self.live = stream.isatty()
        self.title = ""
        self.fraction = None
        self.detail = ""
        self.lock = threading.Lock()

    @contextlib.contextmanager
    def stage(self, title):
        """Runs one stage: on a terminal its line is redrawn, elsewhere it is printed at the end."""
        self.title, self.fraction, self.detail = title, None, ""
        self.log.write(f"\n==> {title}\n")
        started = time.monotonic()
        done = threading.Event()
        painter = threading.Thread(target=self._paint, args=(started, done), daemon=True)
        if self.live:
            painter.start()
        try:
            yield self
        except BaseException:
            self._finish(painter, done, started, "FAILED")
            raise
        self._finish(painter, done, started, self.detail)

    def progress(self, fraction, detail=""):
        with self.lock:
            self.fraction, self.detail = fraction, detail

    def _finish(self, painter, done, started, note):
        done.set()
        if self.live:
            painter.join()
            self.stream.write("\r\033[K")
        self.stream.write(f"  {self.title:<34} {time.monotonic() - started:7.1f} s   {note}\n")
        self.stream.flush()

    def _paint(self, started, done):
        while not done.wait(0.2):
            with self.lock:
                fraction, detail = self.fraction, self.detail
            bar = ""
            if fraction is not None:
                full = int(min(fraction, 1) * BAR_WIDTH)
                bar = f"[{'#' * full}{'.' * (BAR_WIDTH - full)}] "
            self.stream.write(f"\r\033[K  {self.title:<34} {time.monotonic() - started:7.1f} s   "
                              f"{bar}{detail[:36]}")
            self.stream.flush()

    def run(self, command, on_line=None, **options):
        """Runs a program to its end; its output goes to the log, line by line through on_line."""
        self.log.write("$ " + " ".join(map(str, command)) + "\n")
        tail = []
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              stdin=subprocess.DEVNULL, errors="replace", **options) as process:
            for line in process.stdout:
                self.log.write(line)
                tail = (tail + [line])[-12:]
                if on_line is not None:
                    on_line(line)
        if process.returncode != 0:
            raise StageError(f"{command[0]} ended with {process.returncode}:\n" + "".join(tail))

    def ninja_line(self, line):
        """For run(): the progress of a compilation."""
        if match := NINJA_PROGRESS.match(line):
            self.progress(int(match[1]) / int(match[2]), f"{match[1]}/{match[2]} files")
