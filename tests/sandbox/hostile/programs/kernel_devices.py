"""Makes device nodes, and uses those that are there."""

import os
import stat

from attack import contained, escaped, refused

for name, major, minor in (("mem", 1, 1), ("kmsg", 1, 11), ("vda", 254, 0), ("sda", 8, 0), ("fuse", 10, 229)):
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        device = os.makedev(major, minor)
        refused(f"mknod {name}", lambda kind=kind, device=device: os.mknod("/workspace/node", kind | 0o666, device))
there = set(os.listdir("/dev"))
known = {"core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
         "urandom", "zero", "console", "net"}  # fmt: skip
(escaped if there - known else contained)(f"devices beyond the usual: {sorted(there - known)}")
for path in ("/dev/console", "/dev/net/tun", "/dev/tty"):
    refused(path, lambda path=path: os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK))
