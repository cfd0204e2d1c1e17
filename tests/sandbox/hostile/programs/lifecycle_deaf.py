"""Ignores every signal that can be ignored, in a hundred sessions, and stays."""

import contextlib
import os
import signal
import time

for number in range(1, 65):
    with contextlib.suppress(OSError, ValueError):
        signal.signal(number, signal.SIG_IGN)
with contextlib.suppress(OSError):
    for _ in range(20):
        if os.fork() == 0:
            os.setsid()
time.sleep(600)
