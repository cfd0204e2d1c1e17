"""Leaves a daemon that swaps files for links, folders and pipes, and grows and shrinks them, during the export."""

import contextlib
import os
import time
from pathlib import Path

from attack import contained

if os.fork() == 0:
    os.setsid()
    os.closerange(0, 1024)
    while True:
        for make in (
            lambda: os.symlink("/etc/passwd", "swapped"), lambda: os.mkdir("swapped"), lambda: os.mkfifo("swapped"),
            lambda: Path("swapped").write_text("x" * 100_000), lambda: os.symlink("/proc/1", "swapped"),
        ):  # fmt: skip
            with contextlib.suppress(OSError):
                make()
            with contextlib.suppress(OSError):
                os.rmdir("swapped")
            with contextlib.suppress(OSError):
                os.unlink("swapped")
time.sleep(0.2)
with contextlib.suppress(OSError):
    os.rmdir("swapped")
open("good.txt", "w").close()
contained("the swapping goes on")
