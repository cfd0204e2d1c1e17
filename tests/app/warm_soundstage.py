"""``soundstage`` in processes that begin with its modules imported: to import them takes longer than most commands do.

Run as ``python -m tests.app.warm_soundstage FD``, it forks a process for each command that it is asked for through the
socket of that number. A process has the arguments, the folder, the environment and the streams of its command.
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NoReturn, TypedDict

PATIENCE_S = 100.0
STREAMS = 3
SOUNDSTAGE = Path(sys.executable).with_name("soundstage")


class Asked(TypedDict):
    """A command."""

    arguments: Sequence[str]
    folder: str
    environment: dict[str, str]


class WarmSoundstage:
    """The process from which commands are forked."""

    def __init__(self) -> None:
        self._requests, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command, none = [sys.executable, "-m", __name__, str(theirs.fileno())], subprocess.DEVNULL
            self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], stdin=none, stdout=none)

    def run(self, asked: Asked, stdin: str) -> subprocess.CompletedProcess[str]:
        """What a command said, and how it ended. TimeoutError."""
        ours, theirs = socket.socketpair()
        (reads, fed), (out, says), (err, complains) = os.pipe(), os.pipe(), os.pipe()
        socket.send_fds(self._requests, [b"x"], [theirs.fileno(), reads, says, complains])
        for end in (theirs.detach(), reads, says, complains):
            os.close(end)
        with ours, ThreadPoolExecutor(STREAMS) as threads:
            feeding = threads.submit(_feed, fed, stdin)
            heard = [threads.submit(_hear, end) for end in (out, err)]
            code = _ended(ours, asked)
            feeding.result()
            return subprocess.CompletedProcess(asked["arguments"], code, *(text.result() for text in heard))

    def close(self) -> None:
        """Ends it."""
        self._requests.close()
        self._process.wait()


def _feed(end: int, text: str) -> None:
    # A command need not read what it is given.
    with contextlib.suppress(BrokenPipeError), open(end, "w") as pipe:
        pipe.write(text)


def _hear(end: int) -> str:
    with open(end) as pipe:
        return pipe.read()


def _ended(connection: socket.socket, asked: Asked) -> int:
    """The exit code of a command; one that does not end in time is killed."""
    connection.settimeout(PATIENCE_S)
    with connection.makefile("rw") as line:
        line.write(json.dumps(asked) + "\n")
        line.flush()
        process = int(line.readline())
        try:
            return int(line.readline())
        except TimeoutError:
            os.kill(process, signal.SIGKILL)
            raise


def _warm_up() -> None:
    import app.bootstrap
    import app.commands

    for module in pkgutil.iter_modules(app.commands.__path__):
        importlib.import_module(f"app.commands.{module.name}")
    assert threading.active_count() == 1, "a process that forks may have one thread only"
    # What the collector looks at is copied by each process.
    gc.collect()
    gc.freeze()


def _serve(requests: socket.socket) -> None:
    """Forks until nobody can ask any more; in the process of a command it does not return."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while descriptors := socket.recv_fds(requests, 1, 1 + STREAMS)[1]:
        if os.fork() == 0:
            requests.close()
            connection, *streams = descriptors
            _attend(socket.socket(fileno=connection), streams)
        for descriptor in descriptors:
            os.close(descriptor)


def _attend(connection: socket.socket, streams: Sequence[int]) -> NoReturn:
    """Forks the process of a command, and tells how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection, connection.makefile("rw") as line:
        asked: Asked = json.loads(line.readline())
        process = os.fork()
        if process != 0:
            for stream in streams:
                os.close(stream)
            line.write(f"{process}\n")
            line.flush()
            line.write(f"{os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])}\n")
            line.flush()
            os._exit(0)
    _become(asked, streams)


def _become(asked: Asked, streams: Sequence[int]) -> NoReturn:
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.chdir(asked["folder"])
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = [str(SOUNDSTAGE), *asked["arguments"]]
    from app.cli import main

    main()
    sys.exit()


if __name__ == "__main__":
    _warm_up()
    with socket.socket(fileno=int(sys.argv[1])) as asking:
        _serve(asking)
