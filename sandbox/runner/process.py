"""Starting a child under the sandbox's uid, and ending whatever it left behind."""

import contextlib
import fcntl
import os
import signal
from collections.abc import Callable
from typing import NamedTuple

REPORT_FD = 3
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",  # noqa: S108 - a path in the container, private to it
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}


class Child(NamedTuple):
    """A started child, and our ends of its pipes; each of them is non-blocking."""

    pid: int
    stdin: int
    stdout: int
    stderr: int
    report: int


def spawn(uid: int, work: Callable[[], None], report: bool) -> Child:
    """Forks a child that gives up every privilege and then does ``work``, which must not return.

    As PID 1 the child changes to ``uid``; otherwise (the fake sandbox) it keeps the user it has.
    """
    pipes = [os.pipe() for _ in range(4)]
    pid = os.fork()
    if pid == 0:
        try:
            (stdin_r, _), (_, stdout_w), (_, stderr_w), (_, report_w) = pipes
            _wire(stdin_r, stdout_w, stderr_w, report_w if report else None)
            _drop_privileges(uid)
            work()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the forked copy must not go on
            with contextlib.suppress(OSError):
                os.write(2, f"sandbox: {error}\n".encode(errors="replace"))
        finally:
            os._exit(127)
    for ours, theirs in ((1, 0), (0, 1), (0, 1), (0, 1)):
        pair = pipes.pop(0)
        os.close(pair[theirs])
        os.set_blocking(pair[ours], False)
        pipes.append(pair)
    return Child(pid, pipes[0][1], pipes[1][0], pipes[2][0], pipes[3][0])


def _wire(stdin: int, stdout: int, stderr: int, report: int | None) -> None:
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 16) for fd in (stdin, stdout, stderr)]
    report_high = fcntl.fcntl(report, fcntl.F_DUPFD_CLOEXEC, 16) if report is not None else None
    for target, fd in enumerate(high):
        os.dup2(fd, target)
    if report_high is not None:
        os.dup2(report_high, REPORT_FD)
    signal.set_wakeup_fd(-1)
    for number in (
        signal.SIGPIPE,
        signal.SIGXFSZ,
        signal.SIGINT,
        signal.SIGTERM,
        signal.SIGALRM,
        signal.SIGCHLD,
    ):
        signal.signal(number, signal.SIG_DFL)


def _drop_privileges(uid: int) -> None:
    os.setsid()
    os.umask(0o022)
    if os.getppid() == 1 and os.getuid() == 0:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def kill_everything(pid: int) -> None:
    """Ends every process of the sandbox but the runner; outside a container, the child's own session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpid() == 1:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)


def oom_kills() -> int:
    """How many processes of this container the kernel has ended for want of memory (cgroup v1 or v2)."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        with contextlib.suppress(OSError), open(path, encoding="ascii") as file:
            for line in file:
                key, _, value = line.partition(" ")
                if key == "oom_kill":
                    return int(value)
    return 0
