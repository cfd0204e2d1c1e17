"""The boundary of the sandbox: a place to run commands, and who hands such places out."""

from collections.abc import AsyncGenerator, AsyncIterable, Collection
from contextlib import AbstractAsyncContextManager
from typing import Literal, Protocol

from pydantic import Field

from domain.base import Value
from domain.command import Command, CommandResult
from domain.files import TreeChange

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


class Sandbox(Protocol):
    """One leased sandbox. Its verbs take turns: a second call waits for the first."""

    @property
    def isolation(self) -> str:
        """How it is contained, for example ``docker/runc``; ``none`` for the fake."""
        ...

    def stream(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AsyncGenerator[OutputChunk | CommandResult]:
        """Runs a command; yields its output as it comes, and its result last. SandboxLost when the sandbox ends.

        With ``stdin`` the stream goes both ways: what it gives is handed to the command as it comes, in place of
        the command's own ``stdin``, and its end closes the command's input. Closing the stream ends the command.
        """
        ...

    async def run(self, command: Command) -> CommandResult:
        """Runs a command and returns its result. SandboxLost when the sandbox ends."""
        ...

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files in the workspace, with ``clear`` after removing all that is there."""
        ...

    async def fetch(self) -> Fetched:
        """The files that changed since the last put or fetch. HostileOutput when they exceed the limits."""
        ...


class Sandboxes(Protocol):
    """Hands out sandboxes."""

    def lease(self, request: SandboxRequest) -> AbstractAsyncContextManager[Sandbox]:
        """A fresh sandbox, which is gone when the context ends. EngineUnavailable, ImageMissing."""
        ...

    async def reap(self, alive: Collection[str]) -> list[str]:
        """Removes what owners that are not among ``alive`` left behind; returns the names of what it removed."""
        ...

    async def close(self) -> None:
        """Removes everything that is still leased, and lets go of the engine."""
        ...
