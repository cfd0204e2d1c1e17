"""A sandbox whose verbs are requests to a runner."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from domain.command import Command
from domain.errors import HostileOutput, SandboxLost, TransferFailed
from domain.files import TreeChange
from sandbox import relay
from sandbox.base import IGNORED, ByteStream, Changes, Entry, Fetched, Lease, Running
from sandbox.channel import Channel
from sandbox.command_verbs import CommandVerbs
from sandbox.exchange import Exchange
from sandbox.runner import frames
from sandbox.running import REPORT_LIMIT, Autopsy, RunningCommand
from sandbox.told import Told, read_told
from sandbox.vetting import VettingLimits, extract, is_plain, pack, printable

GRACE_S = 5.0
"""How long past a command's deadline the runner may take to say so, before the sandbox counts as lost."""
TRANSFER_TIMEOUT_S = 120.0


class RunnerSandbox(CommandVerbs):
    """Runs commands and moves files through a channel. ``ignored`` names never leave it."""

    def __init__(
        self,
        channel: Channel,
        isolation: str,
        lease: Lease,
        autopsy: Autopsy,
        limits: VettingLimits | None = None,
        ignored: frozenset[str] = IGNORED,
    ) -> None:
        self._channel = channel
        self._isolation = isolation
        self._lease = lease
        self._autopsy = autopsy
        self._limits = limits or VettingLimits()
        self._ignored = ignored
        self._turn = asyncio.Lock()
        self._accepted = False

    @property
    def isolation(self) -> str:
        """How it is contained."""
        return self._isolation

    @property
    def lease(self) -> Lease:
        """Whose it is."""
        return self._lease

    @property
    def ignored(self) -> frozenset[str]:
        """Names that never leave it."""
        return self._ignored

    @contextlib.asynccontextmanager
    async def start(self, command: Command, stdin: AsyncIterable[bytes] | None = None) -> AsyncIterator[Running]:
        """Starts a command."""
        ask = {
            "op": "run", "argv": command.argv, "cwd": command.cwd, "env": command.env, "report": command.report,
            "timeout_s": command.timeout_s, "output_limit": command.output_limit, "report_limit": REPORT_LIMIT,
        }  # fmt: skip
        data = command.stdin if stdin is None else stdin
        started = time.time()
        async with Exchange(self._channel, ask | {"token": self._lease.token}, data) as exchange:
            yield RunningCommand(exchange, command.timeout_s + GRACE_S, lambda: self._autopsy(started))

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files."""
        ask = {"op": "put", "deleted": sorted(change.deleted), "clear": clear}
        await self._transfer(ask, pack(change.written), self._limits)

    async def fetch(self, closely: bool = False) -> Fetched:
        """What changed since the last transfer. What could not be taken over is given again by the next call."""
        ask = {
            "op": "fetch",
            "ignore": sorted(self._ignored),
            "file_limit": self._limits.file_bytes,
            "closely": closely,
        }
        archive, told = await self._transfer(ask, b"", self._limits)
        files, refused = extract(archive, self._limits)
        refused += [printable(path) for path in told.refused]
        fetched = Fetched(change=TreeChange(written=files, deleted=_plain(told.deleted)), refused=tuple(refused))
        self._accepted = True
        return fetched

    async def changes(self) -> Changes:
        """Which files changed since the last transfer."""
        ask = {"op": "changes", "ignore": sorted(self._ignored), "file_limit": self._limits.file_bytes}
        _, told = await self._transfer(ask, b"", self._limits)
        return Changes(written=_plain(told.changed), deleted=_plain(told.deleted))

    async def stat(self, paths: Sequence[str]) -> list[Entry | None]:
        """What is at each path."""
        _, told = await self._transfer({"op": "stat", "paths": list(paths)}, b"", self._limits)
        if len(told.entries) != len(paths):
            raise SandboxLost("The sandbox's answer makes no sense. Run the task again.")
        return told.entries

    async def collect(self, paths: Sequence[str], limits: VettingLimits | None = None) -> Fetched:
        """Files by name or pattern, folders with all that is in them."""
        limits = limits or self._limits
        ask = {"op": "collect", "paths": list(paths), "file_limit": limits.file_bytes}
        archive, told = await self._transfer(ask, b"", limits)
        files, refused = extract(archive, limits, links=True)
        refused += [printable(path) for path in told.refused]
        return Fetched(change=TreeChange(written=files), refused=tuple(refused))

    def listen(self, port: int) -> AbstractAsyncContextManager[AsyncIterator[ByteStream]]:
        """Connections that programs of the sandbox make to a loopback port."""
        return relay.listen(self._channel, self._lease.token, port)

    async def connect(self, port: int) -> ByteStream:
        """A connection to a loopback port of the sandbox."""
        return await relay.connect(self._channel, self._lease.token, port)

    async def _transfer(self, ask: dict[str, Any], data: bytes, limits: VettingLimits) -> tuple[bytes, Told]:
        archive, result = bytearray(), bytearray()
        most = limits.total_bytes + limits.entries * 2048
        async with self._turn:
            ask |= {"timeout_s": TRANSFER_TIMEOUT_S, "token": self._lease.token}
            if ask["op"] in {"put", "fetch", "changes"}:
                ask["accepted"], self._accepted = self._accepted, False
            async with (
                Exchange(self._channel, ask, data) as exchange,
                contextlib.aclosing(exchange.frames(TRANSFER_TIMEOUT_S + GRACE_S)) as answer,
            ):
                async for kind, payload in answer:
                    (archive if kind == frames.ARCHIVE else result).extend(payload)
                    if len(archive) + len(result) > most:
                        raise HostileOutput(f"The sandbox produced more than {most} bytes of files. Produce less.")
        told = read_told(bytes(result))
        if told.error is not None or told.exit_code != 0:
            raise TransferFailed(
                f"Files could not be moved: {printable(told.error or 'the transfer was ended')}. "
                "The workspace may be full: remove what is not needed."
            )
        return bytes(archive), told


def _plain(paths: list[str]) -> frozenset[str]:
    return frozenset(path for path in paths if is_plain(path))
