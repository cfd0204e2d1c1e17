"""Leaves files that nobody may read, programs that are setuid, leases, locks and odd attributes."""

import contextlib
import fcntl
import os

from attack import contained

os.mkdir("closed")
for name, mode in (("good.txt", 0o000), ("closed/setuid", 0o6755), ("closed/sticky", 0o1777), ("closed/none", 0o000)):
    with open(name, "w") as file:
        file.write("x")
    os.chmod(name, mode)
with contextlib.suppress(OSError):
    os.setxattr("closed/sticky", "user.x", b"x" * 1000)
lease = os.open("closed/sticky", os.O_RDWR)
with contextlib.suppress(OSError):
    fcntl.fcntl(lease, fcntl.F_SETLEASE, fcntl.F_WRLCK)
os.chmod("closed", 0o000)
contained("they were made")
