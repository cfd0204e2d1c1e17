"""Writes into both streams and the report from many processes at once, and reads nothing of its endless input."""

import contextlib
import os

with contextlib.suppress(OSError):
    for _ in range(3):
        os.fork()
piece = b"\x14\0\0\0\x01\0\0\0\x02{}" * 6000
while True:
    for fd in (3, 2, 1):
        with contextlib.suppress(OSError):
            os.write(fd, piece)
