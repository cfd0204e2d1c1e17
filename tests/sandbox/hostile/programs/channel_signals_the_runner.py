"""Signals, slows and limits the runner in every way there is."""

import contextlib
import ctypes
import fcntl
import os
import resource
import signal

from attack import refused, syscall, write

for number in (1, 2, 9, 10, 14, 15, 17, 19, 20, 34, 64):
    refused(f"kill {number}", lambda number=number: os.kill(1, number))
    refused(f"killpg {number}", lambda number=number: os.killpg(1, number))
refused("pidfd_send_signal", lambda: syscall("pidfd_send_signal", syscall("pidfd_open", 1, 0), 9, 0, 0))
refused("process_mrelease", lambda: syscall("process_mrelease", syscall("pidfd_open", 1, 0), 0))
refused("sigqueue", lambda: os.kill(1, signal.SIGRTMIN))
refused("nice", lambda: os.setpriority(os.PRIO_PROCESS, 1, 19))
refused("ioprio", lambda: syscall("ioprio_set", 1, 1, 3 << 13))
refused("affinity", lambda: os.sched_setaffinity(1, {0}))
refused("scheduler", lambda: os.sched_setscheduler(1, os.SCHED_IDLE, os.sched_param(0)))
limit = (ctypes.c_uint64 * 2)(0, 0)
refused("prlimit", lambda: syscall("prlimit64", 1, resource.RLIMIT_NOFILE, ctypes.addressof(limit), 0))
for name in ("oom_score_adj", "oom_adj", "comm", "timerslack_ns", "coredump_filter", "clear_refs", "attr/current",
             "autogroup", "uid_map", "loginuid", "projid_map", "setgroups"):  # fmt: skip
    refused(f"write /proc/1/{name}", lambda name=name: write(f"/proc/1/{name}", "1"))
reader, writer = os.pipe()
# A pipe that is ready sends SIGIO, or any other signal, to its owner.
with contextlib.suppress(OSError):
    fcntl.fcntl(reader, fcntl.F_SETOWN, 1)
    fcntl.fcntl(reader, 10, signal.SIGTERM)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    for _ in range(100):
        os.write(writer, b"x")
refused("a last kill", lambda: os.kill(1, 0))
