"""Runs a test harness as a child process and hands its records on to file descriptor 3.

The report's pipe never reaches the child, in whose process the candidate's code runs: the child writes its records to
a FIFO of ours, each line begun by a token that it read from its standard input before any candidate code was loaded.
Lines are ``TOKEN RECORD``, and at the end ``TOKEN=STATUS``. A line without the token is reported as tampering. The
record ``finished`` is written here, and only when the child ended with the status that it had announced: code that
ends the process early leaves a run that did not finish. Code that digs the token out of the harness's memory is not
noticed; see the harness for what it would take.

Arguments: the child's program and its arguments.
"""

import _thread
import fcntl
import os
import sys

REPORT_FD = 3
FIFO_FLAGS = os.O_RDWR | os.O_CLOEXEC


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
    report = report_descriptor()
    token, end = (os.urandom(16).hex().encode() for _ in range(2))
    path = f"/tmp/.{os.urandom(8).hex()}"  # noqa: S108 - private to the container, and of a random name
    os.mkfifo(path, 0o600)
    fifo = os.open(path, FIFO_FLAGS)
    pid = start(argv, path.encode() + b"\n" + token + b"\n")
    exits = []

    def wait():
        exits.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os.write(fifo, b"\n" + end + b"\n")

    _thread.start_new_thread(wait, ())
    announced, forged = None, False
    for line in lines(fifo, end):
        if announced is None and line.startswith(token + b" "):
            write_all(report, line[len(token) + 1 :] + b"\n")
        elif announced is None and line.startswith(token + b"="):
            announced = int(line[len(token) + 1 :])
        else:
            forged = True
    if forged:
        write_all(report, b'{"kind": "tampered", "message": "something besides the harness wrote to the report"}\n')
    if announced == exits[0]:
        write_all(report, b'{"kind": "finished", "status": %d}\n' % announced)
        os._exit(announced)
    os._exit(exits[0] if exits[0] > 0 else 1)


if __name__ == "__main__":
    main(sys.argv[1:])
