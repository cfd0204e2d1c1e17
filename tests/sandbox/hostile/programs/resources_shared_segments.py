"""Leaves memory behind in SysV shared memory, which outlives its processes."""

import ctypes

from attack import LIBC, contained, escaped, named

LIBC.shmat.restype = ctypes.c_void_p
LIBC.shmat.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_int]
taken = 0
while taken < 160 << 20:
    segment = LIBC.shmget(0, ctypes.c_size_t(8 << 20), 0o1600)
    if segment < 0:
        break
    address = LIBC.shmat(segment, None, 0)
    ctypes.memset(address, 1, 8 << 20)
    taken += 8 << 20
(escaped if taken > 16 << 20 else contained)(f"{taken >> 20} MiB of segments: {named(ctypes.get_errno())}")
