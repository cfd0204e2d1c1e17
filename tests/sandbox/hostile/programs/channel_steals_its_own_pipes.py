"""Opens the other ends of its own pipes: reads what it wrote, fills them, and leaves them in the runner's way."""

import contextlib
import fcntl
import os

from attack import contained

for number in (0, 1, 2):
    path = f"/proc/self/fd/{number}"
    for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
        with contextlib.suppress(OSError):
            fd = os.open(path, flags | os.O_NONBLOCK)
            with contextlib.suppress(OSError):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 4096)
            for _ in range(50):
                with contextlib.suppress(OSError):
                    os.read(fd, 1 << 16)
    with contextlib.suppress(OSError):
        fcntl.fcntl(number, fcntl.F_SETFL, os.O_NONBLOCK | os.O_ASYNC | os.O_APPEND)
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.fcntl(number, fcntl.F_SETLEASE, fcntl.F_WRLCK)
    with contextlib.suppress(OSError):
        os.set_blocking(number, True)
contained("the pipes were opened")
if os.fork() == 0:
    os.setsid()
    with open("/proc/self/fd/1", "wb", buffering=0) as out:
        while True:
            out.write(b"")
