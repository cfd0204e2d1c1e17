"""Leaves more files than may leave."""

import os

from attack import contained, named

made = 0
try:
    for made in range(100_000):
        os.close(os.open(f"{made}", os.O_WRONLY | os.O_CREAT))
except OSError as error:
    contained(f"{made} files: {named(error.errno)}")
