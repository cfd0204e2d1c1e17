"""Starting a child under the sandbox's uid, and ending whatever it left behind."""

from __future__ import annotations

import errno
import fcntl
import marshal
import os

from .lean import Suppress, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

REPORT_FD, CONTROL_FD = 3, 4
ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/tmp",  # noqa: S108 - a path in the container, private to it
    "LANG": "C.UTF-8",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTHONHASHSEED": "0",
}
OOM_SCORE = b"1000"
ROUNDS = 50
"""How often the processes of one command are looked for while new ones appear."""


class Child:
    """A started child, and our ends of its pipes; each of them is non-blocking."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: int, report: int) -> None:
        self.pid, self.stdin, self.stdout, self.stderr, self.report = pid, stdin, stdout, stderr, report

    def close(self) -> None:
        """Closes our ends of the pipes that are still open."""
        for fd in (self.stdin, self.stdout, self.stderr, self.report):
            with Suppress(OSError):
                os.close(fd)


class Order:
    """A program to be run: its arguments, its folder, its whole environment, and whether it may report."""

    def __init__(self, argv: list[str], folder: str, environment: dict[str, str], report: bool) -> None:
        self.argv, self.folder, self.environment, self.report = argv, folder, environment, report

    def pack(self) -> bytes:
        """Its bytes, for ``unpack``."""
        return marshal.dumps((self.argv, self.folder, self.environment, self.report))

    @staticmethod
    def unpack(data: bytes) -> Order:
        """The order whose bytes these are."""
        return Order(*marshal.loads(data))  # noqa: S302 - the runner wrote it


REHEARSAL = Order(["/nowhere/program"], "/", ENVIRONMENT, report=False)


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
        data = memoryview(order.pack())
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
    # What takes time is done before the order comes: also the rehearsal, which has the kernel copy the memory that the
    # last steps will write to.
    prepare_to_drop()
    with Suppress(OSError):
        _execute(Order.unpack(REHEARSAL.pack()))
    parts = []
    while part := os.read(CONTROL_FD, 1 << 16):
        parts.append(part)
    if not parts:
        os._exit(0)
    order = Order.unpack(b"".join(parts))
    os.close(CONTROL_FD)
    if not order.report:
        os.close(REPORT_FD)
    drop_privileges(uid)
    _execute(order)


def _execute(order: Order) -> None:
    """Becomes the program; OSError, with its name, when there is none such."""
    os.chdir(order.folder)
    program = order.argv[0]
    places = ("",) if "/" in program else order.environment.get("PATH", "").split(":")
    trouble: OSError = FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
    for place in places:
        try:
            os.execve(os.path.join(place, program), order.argv, order.environment)  # noqa: S606 - no shell
        except (FileNotFoundError, NotADirectoryError):
            continue
        except PermissionError as error:
            trouble = error
    raise type(trouble)(trouble.errno, trouble.strerror, program)


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
            with Suppress(OSError):
                os.write(2, f"sandbox: {_said(error)}\n".encode(errors="replace"))
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


def _said(error: BaseException) -> str:
    """An error in a person's words."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error)


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
        score = os.open("/proc/self/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        os.write(score, OOM_SCORE)
        os.close(score)
        os.setgroups([])


def drop_privileges(uid: int) -> None:
    """As a child of PID 1, becomes the sandbox's user."""
    if os.getppid() == 1 and os.getuid() == 0:
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)


def kill_everything(pid: int) -> None:
    """Ends every process of the sandbox but the runner; outside a container, the session of ``pid``."""
    with Suppress(ProcessLookupError, PermissionError):
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
    # One that was ended may take a while to go, when its memory is large or the machine busy; it can fork no more.
    ended: set[int] = set()
    for _ in range(ROUNDS):
        victims = _family(pid, others) - ended
        if not victims:
            return True
        for victim in victims:
            with Suppress(ProcessLookupError):
                os.kill(victim, signal.SIGKILL)
        ended |= victims
    return False


def _family(pid: int, others: set[int]) -> set[int]:
    parents: dict[int, int] = {}
    sessions: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with Suppress(OSError, ValueError), open(f"/proc/{name}/stat", "rb") as file:
                state, parent, _, session = file.read().rpartition(b")")[2].split()[:4]
                if state != b"Z":
                    parents[int(name)], sessions[int(name)] = int(parent), int(session)
    victims = set()
    for process in parents:
        at = process
        while at > 1 and at not in others and at != pid:
            if sessions.get(at) in others:
                break
            at = parents.get(at, 0)
        if process > 1 and (at <= 1 or at == pid):
            victims.add(process)
    return victims


def reap() -> list[tuple[int, int, Any]]:
    """Every child that has ended: its pid, its status, and what it used (with its own waited children)."""
    ended = []
    with Suppress(ChildProcessError):
        while True:
            pid, status, used = os.wait4(-1, os.WNOHANG)
            if not pid:
                break
            ended.append((pid, status, used))
    return ended
