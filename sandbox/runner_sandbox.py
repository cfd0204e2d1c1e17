"""A sandbox whose verbs are requests to a runner."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any, Literal

from pydantic import BaseModel, Field

from domain.command import Command, CommandResult, Verdict
from domain.errors import HostileOutput, SandboxLost, TransferFailed
from domain.files import TreeChange
from sandbox.base import IGNORED, Fetched, OutputChunk
from sandbox.channel import Channel
from sandbox.runner import frames
from sandbox.vetting import VettingLimits, extract, is_plain, pack, printable

GRACE_S = 5.0
"""How long past a command's deadline the runner may take to say so, before the sandbox counts as lost."""
TRANSFER_TIMEOUT_S = 120.0
REPORT_LIMIT = 32 * 1024 * 1024

Autopsy = Callable[[float], Awaitable[Verdict]]
"""Finds out how a sandbox ended, ``oom`` or ``killed``, by what happened since a time in Unix seconds."""


class Told(BaseModel):
    """The runner's result of a request. It is read strictly: code of the sandbox may have had a hand in it."""

    error: str | None = None
    exit_code: int | None = None
    signal: int | None = None
    ended: str | None = None
    oom_kills: int = 0
    duration_s: float = Field(default=0.0, allow_inf_nan=False)
    deleted: list[str] = Field(default_factory=list)
    refused: list[str] = Field(default_factory=list)


def read_told(payload: bytes) -> Told:
    """The result in a frame; SandboxLost when it makes no sense."""
    try:
        return Told.model_validate(json.loads(payload))
    except (ValueError, RecursionError) as error:
        raise SandboxLost("The sandbox's answer makes no sense. Run the task again.") from error


class RunnerSandbox:
    """Runs commands and moves files through a channel. Its verbs take turns. ``ignored`` names never leave it."""

    def __init__(
        self,
        channel: Channel,
        isolation: str,
        autopsy: Autopsy,
        limits: VettingLimits | None = None,
        ignored: frozenset[str] = IGNORED,
    ) -> None:
        self._channel = channel
        self._isolation = isolation
        self._autopsy = autopsy
        self._limits = limits or VettingLimits()
        self._ignored = sorted(ignored)
        self._turn = asyncio.Lock()
        self._accepted = False

    @property
    def isolation(self) -> str:
        """How it is contained."""
        return self._isolation

    async def run(self, command: Command) -> CommandResult:
        """Runs a command to its end."""
        async with contextlib.aclosing(self.stream(command)) as items:
            async for item in items:
                if isinstance(item, CommandResult):
                    return item
        raise SandboxLost

    async def stream(
        self, command: Command, stdin: AsyncIterable[bytes] | None = None
    ) -> AsyncGenerator[OutputChunk | CommandResult]:
        """Runs a command, yielding its output and then its result, while it is fed from ``stdin``."""
        parts: dict[int, bytearray] = {kind: bytearray() for kind in (*_SHOWN, frames.REPORT)}
        ask = {
            "op": "run", "argv": command.argv, "cwd": command.cwd, "env": command.env, "report": command.report,
            "timeout_s": command.timeout_s, "output_limit": command.output_limit, "report_limit": REPORT_LIMIT,
        }  # fmt: skip
        data = command.stdin if stdin is None else stdin
        answer = self._channel.request(ask, data, command.timeout_s + GRACE_S)
        async with self._turn, contextlib.aclosing(answer):
            started = time.time()
            try:
                async for kind, payload in answer:
                    if kind == frames.RESULT:
                        yield _result(read_told(payload), parts)
                        return
                    if kind in parts:
                        parts[kind] += payload
                    if kind in _SHOWN:
                        yield OutputChunk(stream=_SHOWN[kind], data=payload)
            except SandboxLost:
                if await self._autopsy(started) is not Verdict.OOM:
                    raise
                yield _collect(Verdict.OOM, None, parts, 0.0)

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files."""
        ask = {"op": "put", "deleted": sorted(change.deleted), "clear": clear}
        await self._transfer(ask, pack(change.written))

    async def fetch(self) -> Fetched:
        """What changed since the last transfer. What could not be taken over is given again by the next call."""
        ask = {"op": "fetch", "ignore": self._ignored, "file_limit": self._limits.file_bytes}
        archive, told = await self._transfer(ask, b"")
        files, refused = extract(archive, self._limits)
        deleted = frozenset(path for path in told.deleted if is_plain(path))
        refused += [printable(path) for path in told.refused]
        fetched = Fetched(change=TreeChange(written=files, deleted=deleted), refused=tuple(refused))
        self._accepted = True
        return fetched

    async def _transfer(self, ask: dict[str, Any], data: bytes) -> tuple[bytes, Told]:
        archive, result = bytearray(), bytearray()
        most = self._limits.total_bytes + self._limits.entries * 2048
        async with self._turn:
            ask |= {"timeout_s": TRANSFER_TIMEOUT_S, "accepted": self._accepted}
            self._accepted = False
            async with contextlib.aclosing(self._channel.request(ask, data, TRANSFER_TIMEOUT_S + GRACE_S)) as answer:
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


_SHOWN: dict[int, Literal["stdout", "stderr"]] = {frames.STDOUT: "stdout", frames.STDERR: "stderr"}


def _result(told: Told, parts: dict[int, bytearray]) -> CommandResult:
    if told.error is not None:
        raise SandboxLost(f"The sandbox refused a command: {printable(told.error)}. Report this, please.")
    return _collect(_verdict(told), told.exit_code, parts, told.duration_s)


def _collect(verdict: Verdict, exit_code: int | None, parts: dict[int, bytearray], duration_s: float) -> CommandResult:
    return CommandResult(
        verdict=verdict,
        exit_code=exit_code,
        stdout=bytes(parts[frames.STDOUT]),
        stderr=bytes(parts[frames.STDERR]),
        report=bytes(parts[frames.REPORT]),
        duration_s=duration_s,
    )


def _verdict(told: Told) -> Verdict:
    if told.oom_kills > 0:
        return Verdict.OOM
    if told.ended is not None:
        return {"timeout": Verdict.TIMEOUT, "output_limit": Verdict.OUTPUT_LIMIT}.get(told.ended, Verdict.KILLED)
    if told.signal is not None:
        return Verdict.KILLED
    return Verdict.OK if told.exit_code == 0 else Verdict.FAILED
