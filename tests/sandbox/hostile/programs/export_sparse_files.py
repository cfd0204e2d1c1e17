"""Leaves files that hold nothing and claim to hold gigabytes together."""

import contextlib
import os

from attack import contained

for number in range(20):
    with open(f"sparse{number}", "wb") as file, contextlib.suppress(OSError):
        os.ftruncate(file.fileno(), 30 << 20)
contained("20 files of 30 MiB that take no room")
