"""Leaves zombies: children that end, and a parent that never asks."""

import contextlib
import os

from attack import contained

made = 0
with contextlib.suppress(OSError):
    while made < 200:
        if os.fork() == 0:
            os._exit(0)
        made += 1
contained(f"{made} zombies")
