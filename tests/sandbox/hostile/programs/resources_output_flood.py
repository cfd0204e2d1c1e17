"""Writes ten gigabytes of lines to both streams."""

import os

line = b"x" * 99 + b"\n"
for _ in range(10_000):
    os.write(1, line * 5_000)
    os.write(2, line * 5_000)
