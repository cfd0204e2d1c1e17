"""Crashes again and again with much memory, after asking for core files of any size."""

import contextlib
import os
import resource

from attack import contained, escaped

with contextlib.suppress(ValueError, OSError):
    resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
dumped = 0
for _ in range(20):
    pid = os.fork()
    if pid == 0:
        held = bytearray(16 << 20)
        os.abort()
    dumped += os.WCOREDUMP(os.waitpid(pid, 0)[1])
left = [name for folder in ("/workspace", "/tmp") for name in os.listdir(folder) if name.startswith("core")]
(escaped if left else contained)(f"{dumped} core dumps, files {left}")
