"""Runs a test harness as a child process and hands its records on to file descriptor 3.

The report's pipe never reaches the child, in whose process the candidate's code runs: the child writes its records to
a FIFO of ours, each authenticated by a key that it read from its standard input before any candidate code was loaded
and that never travels again. A line is ``MAC RECORD``, and at the end ``MAC=STATUS``; the MAC is the HMAC-SHA256 of
the line's number, from 0, and of what follows it, with the key's 64 hexadecimal digits as they stand. A line that was
forged, altered, repeated, or that comes after one that was taken away, is reported as tampering. The record
``finished`` is written here, and only when the child ended with the status that it had announced: code that ends the
process early leaves a run that did not finish. Candidate code runs as the same user, but cannot look into this
process. Code that digs the key out of the harness's memory is not noticed; see the harness for what it would take.

Arguments: the child's program and its arguments.
"""

import _thread
import ctypes
import fcntl
import hmac
import os
import sys

REPORT_FD = 3
FIFO_FLAGS = os.O_RDWR | os.O_CLOEXEC
MAC_CHARACTERS = 64
PR_SET_DUMPABLE = 4


class Records:
    """What the child says, in order, checked by its key."""

    def __init__(self, key):
        self._key = key
        self._taken = 0

    def take(self, line):
        """What follows the MAC; None where it is not that of the next line."""
        mac, said = line[:MAC_CHARACTERS], line[MAC_CHARACTERS:]
        expected = hmac.digest(self._key, b"%d%b" % (self._taken, said), "sha256").hex().encode()
        if not hmac.compare_digest(mac, expected):
            return None
        self._taken += 1
        return said


def hide():
    """Nobody of the same user may read this process's memory or use its descriptors from now on."""
    if ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        sys.exit("the relay cannot keep its descriptors to itself")


def report_descriptor():
    """Takes the report's pipe away from where a child would look for it."""
    fd = fcntl.fcntl(REPORT_FD, fcntl.F_DUPFD_CLOEXEC, 64 + os.urandom(1)[0])
    os.close(REPORT_FD)
    return fd


def write_all(fd, data):
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def lines(fd, end):
    """The lines that come out of ``fd``, up to the line ``end``."""
    rest = b""
    while True:
        *whole, rest = (rest + os.read(fd, 1 << 16)).split(b"\n")
        for line in whole:
            if line == end:
                return
            if line:
                yield line


def start(argv, told):
    """Starts the child, which finds ``told`` on its standard input."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.dup2(reading, 0)
            os.execvp(argv[0], argv)  # noqa: S606 - a program of the image
        finally:
            os._exit(127)
    # A child that ends at once must not make this fail: the pipe takes all of it while we still hold its other end.
    write_all(writing, told)
    os.close(writing)
    os.close(reading)
    return pid


def main(argv):
    hide()
    report = report_descriptor()
    key, end = (os.urandom(size).hex().encode() for size in (32, 16))
    path = f"/tmp/.{os.urandom(8).hex()}"  # noqa: S108 - private to the container, and of a random name
    os.mkfifo(path, 0o600)
    fifo = os.open(path, FIFO_FLAGS)
    pid = start(argv, path.encode() + b"\n" + key + b"\n")
    exits = []

    def wait():
        exits.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.write(fifo, b"\n" + end + b"\n")

    _thread.start_new_thread(wait, ())
    records, announced, forged = Records(key), None, False
    for line in lines(fifo, end):
        said = records.take(line) if announced is None else None
        if said is None:
            forged = True
        elif said.startswith(b"="):
            announced = int(said[1:])
        else:
            write_all(report, said[1:] + b"\n")
    if forged:
        write_all(report, b'{"kind": "tampered", "message": "something besides the harness wrote to the report"}\n')
    if announced == exits[0]:
        write_all(report, b'{"kind": "finished", "status": %d}\n' % announced)
        os._exit(announced)
    os._exit(exits[0] if exits[0] > 0 else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
