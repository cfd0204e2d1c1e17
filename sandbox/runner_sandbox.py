"""A sandbox whose verbs are requests to a runner."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable
from typing import Any

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

Autopsy = Callable[[], Awaitable[Verdict]]
"""Finds out how a sandbox ended: ``oom`` or ``killed``."""


class RunnerSandbox:
    """Runs commands and moves files through a channel. Its verbs take turns."""

    def __init__(self, channel: Channel, isolation: str, autopsy: Autopsy, limits: VettingLimits | None = None) -> None:
        self._channel = channel
        self._isolation = isolation
        self._autopsy = autopsy
        self._limits = limits or VettingLimits()
        self._turn = asyncio.Lock()

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
        parts: dict[int, bytearray] = {kind: bytearray() for kind in _STREAMS}
        ask = {
            "op": "run", "argv": command.argv, "cwd": command.cwd, "env": command.env, "report": command.report,
            "timeout_s": command.timeout_s, "output_limit": command.output_limit, "report_limit": REPORT_LIMIT,
        }  # fmt: skip
        data = command.stdin if stdin is None else stdin
        answer = self._channel.request(ask, data, command.timeout_s + GRACE_S)
        async with self._turn, contextlib.aclosing(answer):
            try:
                async for kind, payload in answer:
                    if kind == frames.RESULT:
                        yield _result(json.loads(payload), parts)
                        return
                    parts[kind] += payload
                    if kind != frames.REPORT:
                        yield OutputChunk(stream=_STREAMS[kind], data=payload)
            except SandboxLost:
                if await self._autopsy() is not Verdict.OOM:
                    raise
                yield _collect(Verdict.OOM, None, parts, 0.0)

    async def put(self, change: TreeChange, clear: bool = False) -> None:
        """Writes and removes files."""
        ask = {
            "op": "put",
            "deleted": sorted(change.deleted),
            "clear": clear,
            "timeout_s": TRANSFER_TIMEOUT_S,
        }
        await self._transfer(ask, pack(change.written))

    async def fetch(self) -> Fetched:
        """What changed since the last transfer."""
        ask = {
            "op": "fetch", "ignore": sorted(IGNORED), "file_limit": self._limits.file_bytes,
            "timeout_s": TRANSFER_TIMEOUT_S,
        }  # fmt: skip
        archive, told = await self._transfer(ask, b"")
        files, refused = extract(archive, self._limits)
        deleted = frozenset(path for path in told["deleted"] if is_plain(path))
        refused += [printable(path) for path in told["refused"]]
        return Fetched(change=TreeChange(written=files, deleted=deleted), refused=tuple(refused))

    async def _transfer(self, ask: dict[str, Any], data: bytes) -> tuple[bytes, dict[str, Any]]:
        archive, told = bytearray(), bytearray()
        most = self._limits.total_bytes + self._limits.entries * 2048
        answer = self._channel.request(ask, data, TRANSFER_TIMEOUT_S + GRACE_S)
        async with self._turn, contextlib.aclosing(answer):
            async for kind, payload in answer:
                (archive if kind == frames.ARCHIVE else told).extend(payload)
                if len(archive) > most:
                    raise HostileOutput(f"The sandbox produced more than {most} bytes of files. Produce less.")
        result: dict[str, Any] = json.loads(told)
        if "error" in result or result["exit_code"] != 0:
            raise TransferFailed(
                f"Files could not be moved: {printable(str(result.get('error', result)))}. "
                "The workspace may be full: remove what is not needed."
            )
        return bytes(archive), result


_STREAMS: dict[int, Any] = {frames.STDOUT: "stdout", frames.STDERR: "stderr", frames.REPORT: "report"}


def _result(told: dict[str, Any], parts: dict[int, bytearray]) -> CommandResult:
    if "error" in told:
        raise SandboxLost(f"The sandbox refused a command: {printable(told['error'])}. Report this, please.")
    return _collect(_verdict(told), told["exit_code"], parts, told["duration_s"])


def _collect(verdict: Verdict, exit_code: int | None, parts: dict[int, bytearray], duration_s: float) -> CommandResult:
    return CommandResult(
        verdict=verdict,
        exit_code=exit_code,
        stdout=bytes(parts[frames.STDOUT]),
        stderr=bytes(parts[frames.STDERR]),
        report=bytes(parts[frames.REPORT]),
        duration_s=duration_s,
    )


def _verdict(told: dict[str, Any]) -> Verdict:
    if told["oom_kills"]:
        return Verdict.OOM
    if told["ended"]:
        return {"timeout": Verdict.TIMEOUT, "output_limit": Verdict.OUTPUT_LIMIT}.get(told["ended"], Verdict.KILLED)
    if told["signal"] is not None:
        return Verdict.KILLED
    return Verdict.OK if told["exit_code"] == 0 else Verdict.FAILED
