"""Takes real-time priority, a better place in the queue, and higher limits."""

import ctypes
import os
import resource

from attack import LIBC, contained, refused, syscall

for policy in (os.SCHED_FIFO, os.SCHED_RR):
    refused(f"scheduler {policy}", lambda policy=policy: os.sched_setscheduler(0, policy, os.sched_param(1)))
refused("nice -20", lambda: os.nice(-20))
refused("real-time I/O", lambda: syscall("ioprio_set", 1, 0, 1 << 13))
deadline = (ctypes.c_uint64 * 6)(48 | 6 << 32, 0, 0, 10_000_000, 20_000_000, 20_000_000)
assert LIBC is not None
contained(f"{len(bytes(deadline))} bytes of a deadline were not used")


def raised(limit: int) -> None:
    _soft, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY:
        raise OSError(1, "there is no limit to raise")
    try:
        resource.setrlimit(limit, (hard + 1, hard + 1))
    except ValueError as error:
        raise OSError(1, str(error)) from None


for name in ("NOFILE", "FSIZE", "CORE", "MEMLOCK", "NICE", "RTPRIO", "MSGQUEUE", "SIGPENDING"):
    refused(f"limit {name}", lambda name=name: raised(getattr(resource, f"RLIMIT_{name}")))
