"""Locks memory that may not be swapped out, and asks for huge pages."""

import ctypes
import mmap

from attack import LIBC, contained, escaped, named, refused

LIBC.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
area = mmap.mmap(-1, 96 << 20)
address = ctypes.addressof(ctypes.c_char.from_buffer(area))
if LIBC.mlock(address, 96 << 20) == 0:
    with open("/proc/self/status") as file:
        locked = [line for line in file if line.startswith("VmLck")]
    (escaped if any(" 0 kB" not in line for line in locked) else contained)(f"mlock of 96 MiB: {locked}")
else:
    contained(f"mlock: {named(ctypes.get_errno())}")
refused("huge pages", lambda: mmap.mmap(-1, 64 << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000))
