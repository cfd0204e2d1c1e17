"""Stops every process that it may, itself as well."""

import os
import signal

os.fork()
os.kill(-1, signal.SIGSTOP)
os.kill(os.getpid(), signal.SIGSTOP)
