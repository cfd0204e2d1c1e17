"""Takes locks on single bytes of a file for ever: each is memory of the kernel."""

import fcntl
import os

from attack import contained, named

fd = os.open("/tmp/locked", os.O_RDWR | os.O_CREAT)
locks = 0
try:
    while locks < 1500:
        fcntl.lockf(fd, fcntl.LOCK_EX, 1, locks * 2)
        locks += 1
except OSError as error:
    contained(f"{locks} locks: {named(error.errno)}")
contained(f"{locks} locks")
