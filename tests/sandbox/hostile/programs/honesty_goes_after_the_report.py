"""Goes after the processes that hold the report of a test run, from inside of the code that is tested.

Looks into every process above its own, writes forged records to whatever descriptor it gets hold of, then stops the
topmost one, takes the records that wait in its FIFO, and puts forged ones behind whatever stood before theirs. What
it says goes to a file as well: who is stopped may have been the one to hand on what is printed.
"""

import contextlib
import ctypes
import glob
import json
import os
import signal
import stat
import sys
import time

NAMES = sys.argv[1:]
FORGED = [json.dumps({"kind": "case", "id": name, "outcome": "passed", "duration_s": 0.0}) for name in NAMES]
PTRACE_ATTACH = 16
SAID = "/tmp/said"


def parent(pid):
    with open(f"/proc/{pid}/stat") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def ancestors():
    """The processes above the one that started this, of the same user; the topmost one last."""
    pid = parent(os.getppid())
    while pid > 1 and os.stat(f"/proc/{pid}").st_uid in (os.getuid(), 0):
        yield pid
        pid = parent(pid)


def told(what, works):
    line = f"{'ESCAPED' if works else 'contained'}: {what}"
    print(line, flush=True)
    with open(SAID, "a") as file:
        print(line, file=file)


def write(fd, lines):
    with contextlib.suppress(OSError):
        os.set_blocking(fd, False)
        os.write(fd, ("\n".join(["", *lines]) + "\n").encode())


def reach_into(pid):
    for path in glob.glob(f"/proc/{pid}/fd/*"):
        with contextlib.suppress(OSError):
            fd = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
            told(f"reached its {os.readlink(path)} at {path}", works=True)
            write(fd, [*FORGED, '{"kind": "finished", "status": 0}'])
    with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb"):
        told("reached its memory", works=True)
    told("traces the holder of the report", ctypes.CDLL(None).ptrace(PTRACE_ATTACH, pid, None, None) == 0)


def forge(fifo, seen):
    """Puts forged records behind what stands before those that were seen: a secret would be there."""
    lines = [line for line in seen.decode(errors="replace").splitlines() if line]
    for size in {32, 64, *(line.find(mark) for line in lines for mark in (" ", "{", "="))} - {-1, 0}:
        for line in lines[:1]:
            write(fifo, [*(f"{line[:size]} {record}" for record in FORGED), f"{line[:size]}=0"])
    write(fifo, [line.replace("failed", "passed").replace("=1", "=0") for line in lines])


def main():
    holder = list(ancestors())[-1]
    reach_into(holder)
    os.kill(holder, signal.SIGSTOP)
    fifos = [path for path in glob.glob("/tmp/.*") if stat.S_ISFIFO(os.lstat(path).st_mode)]
    opened = [os.open(path, os.O_RDWR | os.O_NONBLOCK) for path in fifos]
    if os.fork():
        os._exit(0)
    # The harness ends in the meantime, with success.
    time.sleep(1)
    for fifo in opened:
        seen = b""
        with contextlib.suppress(BlockingIOError):
            while True:
                seen += os.read(fifo, 1 << 16)
        forge(fifo, seen)
    os.kill(holder, signal.SIGCONT)


main()
