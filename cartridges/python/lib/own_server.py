"""own_server.py PROGRAM: runs it as `python PROGRAM` would, with a thread dump at SIGUSR2."""

import faulthandler
import os
import runpy
import signal
import sys

faulthandler.register(signal.SIGUSR2, all_threads=True)
del sys.argv[0]
sys.path[0] = os.path.dirname(os.path.abspath(sys.argv[0]))
runpy.run_path(sys.argv[0], run_name="__main__")
