"""Kills every process that it may."""

import os
import signal

from attack import contained, escaped

try:
    os.kill(-1, signal.SIGKILL)
except OSError as error:
    contained(f"nobody to kill: {error.strerror}")
try:
    os.kill(1, signal.SIGKILL)
except OSError as error:
    contained(f"the runner: {error.strerror}")
else:
    escaped("the runner can be signalled")
