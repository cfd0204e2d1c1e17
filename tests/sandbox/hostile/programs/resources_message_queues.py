"""Leaves memory behind in SysV message queues, which no process owns."""

import ctypes
import os
import resource

from attack import LIBC, contained, escaped, named

PRIVATE, CREATE, NO_WAIT = 0, 0o1600, 0o4000
message = ctypes.create_string_buffer(8 + 8000)
message[0] = 1
sent = queues = 0
while sent < 400 << 20:
    queue = LIBC.msgget(PRIVATE, CREATE)
    if queue < 0:
        break
    queues += 1
    while LIBC.msgsnd(queue, message, 8000, NO_WAIT) == 0:
        sent += 8000
(escaped if sent > 16 << 20 else contained)(f"{sent} bytes in {queues} queues: {named(ctypes.get_errno())}")
assert resource.getrusage(resource.RUSAGE_SELF).ru_utime >= 0
assert os.getpid() > 1
