"""Starting a child under the sandbox's uid, and ending whatever it left behind."""

import contextlib
import fcntl
import marshal
import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

REPORT_FD, CONTROL_FD = 3, 4
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",  # noqa: S108 - a path in the container, private to it
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
ROUNDS = 50
"""How often the processes of one command are looked for while new ones appear."""


class Child(NamedTuple):
    """A started child, and our ends of its pipes; each of them is non-blocking."""

    pid: int
    stdin: int
    stdout: int
    stderr: int
    report: int

    def close(self) -> None:
        """Closes our ends of the pipes that are still open."""
        for fd in self[1:]:
            with contextlib.suppress(OSError):
                os.close(fd)


class Order(NamedTuple):
    """A program to be run: its arguments, its folder, its whole environment, and whether it may report."""

    argv: list[str]
    folder: str
    environment: dict[str, str]
    report: bool


class Spare:
    """A child that was forked beforehand and waits for its order: the fork, half the cost of a command, is paid.

    It keeps the runner's rights while it waits, so that no code of the sandbox can reach it. ``told`` is how many bytes
    its order had.
    """

    told = 0

    def __init__(self, uid: int) -> None:
        control, self._control = os.pipe()
        try:
            self.child = fork(lambda: _await_order(uid), keep=control)
        except OSError:
            os.close(self._control)
            raise
        finally:
            os.close(control)

    def start(self, order: Order) -> Child:
        """Has it carry out an order."""
        data = memoryview(marshal.dumps(tuple(order)))
        self.told = len(data)
        try:
            while data:
                data = data[os.write(self._control, data) :]
        finally:
            os.close(self._control)
        return self.child

    def drop(self) -> None:
        """Lets go of one that was ended."""
        os.close(self._control)
        self.child.close()


def _await_order(uid: int) -> None:
    # What takes time is done before the order comes.
    prepare_to_drop()
    os.environ.clear()
    parts = []
    while part := os.read(CONTROL_FD, 1 << 16):
        parts.append(part)
    if not parts:
        os._exit(0)
    argv, folder, environment, report = marshal.loads(b"".join(parts))  # noqa: S302 - the runner wrote it
    os.close(CONTROL_FD)
    if not report:
        os.close(REPORT_FD)
    drop_privileges(uid)
    os.chdir(folder)
    os.execvpe(os.fsencode(argv[0]), [os.fsencode(argument) for argument in argv], environment)  # noqa: S606


def run_as(uid: int, work: Callable[[], None]) -> Child:
    """Forks a child that gives up every privilege and then does ``work``; it may write to REPORT_FD."""

    def begin() -> None:
        prepare_to_drop()
        drop_privileges(uid)
        work()

    return fork(begin)


def fork(begin: Callable[[], None], keep: int | None = None) -> Child:
    """Forks a child with pipes for its stdio and its report, and ``keep`` as CONTROL_FD; OSError when there is none.

    ``begin`` must not return. No other descriptor of ours stays open in the child.
    """
    pipes: list[tuple[int, int]] = []
    try:
        for _ in range(4):
            pipes.append(os.pipe())
        pid = os.fork()
    except OSError:
        for pair in pipes:
            os.close(pair[0])
            os.close(pair[1])
        raise
    if pid == 0:
        try:
            _wire([pipes[0][0], pipes[1][1], pipes[2][1], pipes[3][1], *([] if keep is None else [keep])])
            begin()
        except BaseException as error:  # noqa: BLE001 - whatever it is, the forked copy must not go on
            with contextlib.suppress(OSError):
                os.write(2, f"sandbox: {error}\n".encode(errors="replace"))
        finally:
            os._exit(127)
    (stdin_r, stdin_w), *outputs = pipes
    os.close(stdin_r)
    for _, theirs in outputs:
        os.close(theirs)
    ours = (stdin_w, *(read for read, _ in outputs))
    for fd in ours:
        os.set_blocking(fd, False)
    return Child(pid, *ours)


def _wire(wanted: list[int]) -> None:
    """Gives the descriptors the numbers from 0 on, and closes every other one."""
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 16) for fd in wanted]
    for target, fd in enumerate(high):
        os.dup2(fd, target)
    os.closerange(len(wanted), os.sysconf("SC_OPEN_MAX") if os.getppid() == 1 else 4096)
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
    os.setsid()
    os.umask(0o022)


def prepare_to_drop() -> None:
    """As a child of PID 1, becomes the first that the kernel ends when memory is short."""
    if os.getppid() == 1 and os.getuid() == 0:
        with open("/proc/self/oom_score_adj", "w", encoding="ascii") as file:
            file.write("1000")
        os.setgroups([])


def drop_privileges(uid: int) -> None:
    """As a child of PID 1, becomes the sandbox's user."""
    if os.getppid() == 1 and os.getuid() == 0:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def kill_everything(pid: int) -> None:
    """Ends every process of the sandbox but the runner; outside a container, the session of ``pid``."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if os.getpid() == 1:
            os.kill(-1, signal.SIGKILL)
        else:
            os.killpg(pid, signal.SIGKILL)


def kill_family(pid: int, others: set[int]) -> bool:
    """Ends what descends from ``pid`` and what nobody owns, but not ``others`` and what is theirs.

    False when new processes appeared faster than they could be ended.
    """
    if os.getpid() != 1:
        kill_everything(pid)
        return True
    for _ in range(ROUNDS):
        victims = _family(pid, others)
        if not victims:
            return True
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
    return False


def _family(pid: int, others: set[int]) -> list[int]:
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
                if state != b"Z":
                    parents[int(name)], sessions[int(name)] = int(parent), int(session)
    victims = []
    for process in parents:
        at = process
        while at > 1 and at not in others and at != pid:
            if sessions.get(at) in others:
                break
            at = parents.get(at, 0)
        if process > 1 and (at <= 1 or at == pid):
            victims.append(process)
    return victims


def reap() -> list[tuple[int, int, Any]]:
    """Every child that has ended: its pid, its status, and what it used (with its own waited children)."""
    ended = []
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if not pid:
                break
            ended.append((pid, status, used))
    return ended
