"""Fills as many pipes as it can, each made as large as it may be: memory of the kernel."""

import contextlib
import fcntl
import os

from attack import contained

held = []
total = 0
for _ in range(4):
    if os.fork() == 0:
        break
try:
    while True:
        reader, writer = os.pipe()
        held.append(reader)
        os.set_blocking(writer, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 1 << 20)
        try:
            while True:
                total += os.write(writer, b"x" * (1 << 16))
        except BlockingIOError:
            pass
except OSError as error:
    contained(f"{total >> 20} MiB in {len(held)} pipes: {error.strerror}")
