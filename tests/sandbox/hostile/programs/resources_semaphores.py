"""Leaves memory behind in SysV semaphores."""

import ctypes

from attack import LIBC, contained, escaped, named

sets = 0
while sets < 5000 and LIBC.semget(0, 250, 0o1600) >= 0:
    sets += 1
(escaped if sets > 1000 else contained)(f"{sets} sets of 250 semaphores: {named(ctypes.get_errno())}")
