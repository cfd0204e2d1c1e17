"""The boundary of the sandbox: a place to run commands, and who hands such places out."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from pydantic import Field

from domain.base import Value
from domain.command import Command, CommandResult
from domain.files import TreeChange
from sandbox.vetting import VettingLimits

IGNORED = frozenset(
    {
        "__pycache__", ".pytest_cache", ".ruff_cache", ".mypy_cache", ".hypothesis", ".coverage", "node_modules",
        ".venv", ".git",
    }
)  # fmt: skip
"""Names that never leave a sandbox: caches, installed packages, version control."""


class SandboxRequest(Value):
    """Who wants a sandbox, for what and for how long.

    ``language`` names one of ``sandbox.languages``; ``image`` is a tag of the engine in place of that language's own
    image. ``isolation`` names one of ``sandbox.isolation``. ``lifetime_s`` is seconds from the lease until the sandbox
    ends itself; ``wait_s`` is seconds that the lease may wait while the machine is full.
    """

    task_id: str
    purpose: str
    language: str = "python"
    image: str | None = None
    profile: str = "default"
    isolation: str = "runc"
    lifetime_s: float = Field(default=900.0, gt=0, le=86_400)
    wait_s: float = Field(default=120.0, ge=0, le=86_400)


class OutputChunk(Value):
    """Bytes that a running command wrote."""

    stream: Literal["stdout", "stderr"]
    data: bytes


class Fetched(Value):
    """What changed in the workspace since the last transfer. ``refused`` paths were left behind: links, devices,
    files that are too large, names that must not leave."""

    change: TreeChange
    refused: tuple[str, ...] = ()


class Entry(Value):
    """What is at a path: a ``file``, ``folder``, ``link`` or something ``other``; its size in bytes, its mode bits."""

    kind: Literal["file", "folder", "link", "other"]
    size: int
    mode: int
    mtime_ns: int


class Changes(Value):
    """Paths that changed in the workspace since the last transfer."""

    written: frozenset[str]
    deleted: frozenset[str]


class Lease(Value):
    """How a sandbox came to its holder.

    ``token`` is the fencing token: it grows with every lease of an owner, and a sandbox refuses whoever comes with
    another one. ``deadline`` is Unix seconds; ``waited_s`` is how long a full machine let it wait; ``warm`` says
    whether it came from the pool. ``notes`` is what a person should know, for example that an image has no runner.
    """

    token: int
    owner: str
    deadline: float
    waited_s: float = 0.0
    warm: bool = False
    engine: str = ""
    notes: tuple[str, ...] = ()


class ByteStream(Protocol):
    """A duplex byte stream; ``read`` returns b"" at the end."""

    async def read(self) -> bytes:
        """Some bytes from the other side."""
        ...

    async def write(self, data: bytes) -> None:
        """Hands bytes to the other side, waiting while it is busy."""
        ...

    async def close(self) -> None:
        """Ends the stream in both directions."""
        ...


class Running(Protocol):
    """A command at work."""

    def items(self) -> AsyncGenerator[OutputChunk | CommandResult]:
        """Its output as it comes, and its result last. SandboxLost when the sandbox ends."""
        ...

    async def signal(self, number: int) -> None:
        """Sends a signal to its process group."""
        ...


class Sandbox(Protocol):
    """One leased sandbox. Commands may run side by side; transfers take turns."""

    @property
    def isolation(self) -> str:
        """How it is contained, for example ``docker/runc``; ``none`` for the fake."""
        ...

    @property
    def lease(self) -> Lease:
        """Whose it is, and until when."""
        ...

    @property
    def ignored(self) -> frozenset[str]:
        """Names that never leave it: those of every sandbox, and what its language builds."""
        ...

    def start(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AbstractAsyncContextManager[Running]:
        """Starts a command, which is ended with all that it started when the context ends.

        With ``stdin`` what it gives is handed to the command as it comes, in place of the command's own ``stdin``, and
        its end closes the command's input.
        """
        ...

    def stream(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AsyncGenerator[OutputChunk | CommandResult]:
        """Runs a command; yields its output as it comes, and its result last. Closing the stream ends the command."""
        ...

    async def run(self, command: Command) -> CommandResult:
        """Runs a command and returns its result. SandboxLost when the sandbox ends."""
        ...

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files in the workspace, with ``clear`` after removing all that is there."""
        ...

    async def fetch(self, closely: bool = False) -> Fetched:
        """The files that changed since the last put or fetch. HostileOutput when they exceed the limits.

        A program that writes through a shared mapping can change a file so that it looks as before: ``closely``
        compares the contents of all files as well.
        """
        ...

    async def changes(self) -> Changes:
        """What ``fetch`` would bring or report as deleted, without bringing it."""
        ...

    async def stat(self, paths: Sequence[str]) -> list[Entry | None]:
        """What is at each path, links not followed; None where nothing is."""
        ...

    async def collect(self, paths: Sequence[str], limits: VettingLimits | None = None) -> Fetched:
        """Files by name, folders with all that is in them, or what matches ``*`` and ``**``; nothing is left out but
        what ``limits`` or the vetting refuse. Links are kept that stay inside. HostileOutput."""
        ...

    def listen(self, port: int) -> AbstractAsyncContextManager[AsyncIterator[ByteStream]]:
        """The connections that programs of the sandbox make to 127.0.0.1 at ``port``, until the context ends."""
        ...

    async def connect(self, port: int) -> ByteStream:
        """A connection to what listens on 127.0.0.1 at ``port`` in the sandbox. TransferFailed when nothing does."""
        ...


class Sandboxes(Protocol):
    """Hands out sandboxes."""

    def lease(self, request: SandboxRequest) -> AbstractAsyncContextManager[Sandbox]:
        """A fresh sandbox, which is of no use to anybody when the context ends.

        EngineUnavailable, ImageMissing, ImageUnusable, SandboxesBusy.
        """
        ...

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """Removes what owners that are not ``alive`` left behind; returns the names of what it removed."""
        ...

    async def close(self) -> None:
        """Removes everything that is left, and lets go of the engines."""
        ...
