"""A command that a runner has at work."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Literal

from domain.command import CommandResult, ResourceUsage, Verdict
from domain.errors import LeaseEnded, SandboxLost
from sandbox.base import OutputChunk
from sandbox.exchange import Exchange
from sandbox.runner import frames
from sandbox.told import Told, read_told
from sandbox.vetting import printable

REPORT_LIMIT = 32 * 1024 * 1024
KEPT = 8 * 1024 * 1024
"""Bytes of stdout and of stderr that a result holds; a command that may write more is followed as it runs."""

Autopsy = Callable[[float], Awaitable[Verdict]]
"""Finds out how a sandbox ended, ``oom`` or ``killed``, by what happened since a time in Unix seconds."""

_SHOWN: dict[int, Literal["stdout", "stderr"]] = {frames.STDOUT: "stdout", frames.STDERR: "stderr"}


class RunningCommand:
    """Follows one exchange. ``autopsy`` finds out how the sandbox ended, if it did."""

    def __init__(self, exchange: Exchange, patience_s: float, autopsy: Callable[[], Awaitable[Verdict]]) -> None:
        self._exchange = exchange
        self._patience_s = patience_s
        self._autopsy = autopsy
        self._parts = {kind: bytearray() for kind in (*_SHOWN, frames.REPORT)}

    async def items(self) -> AsyncGenerator[OutputChunk | CommandResult]:
        """The output as it comes, and the result last."""
        try:
            async with contextlib.aclosing(self._exchange.frames(self._patience_s)) as answer:
                async for kind, payload in answer:
                    if kind == frames.RESULT:
                        yield self._result(read_told(payload))
                        return
                    if kind in self._parts:
                        part = self._parts[kind]
                        room = (REPORT_LIMIT if kind == frames.REPORT else KEPT) - len(part)
                        part += payload[: max(0, room)]
                    if kind in _SHOWN:
                        yield OutputChunk(stream=_SHOWN[kind], data=payload)
        except LeaseEnded:
            raise
        except SandboxLost:
            if await self._autopsy() is not Verdict.OOM:
                raise
            yield self._collect(Verdict.OOM, None)

    async def signal(self, number: int) -> None:
        """Sends a signal to the command's process group."""
        await self._exchange.signal(number)

    def _result(self, told: Told) -> CommandResult:
        if told.error is not None:
            raise SandboxLost(f"The sandbox refused a command: {printable(told.error)}. Report this, please.")
        return self._collect(told.verdict, told.exit_code, told.duration_s, told.usage)

    def _collect(
        self,
        verdict: Verdict,
        exit_code: int | None,
        duration_s: float = 0.0,
        usage: ResourceUsage = ResourceUsage(),  # noqa: B008 - it is frozen
    ) -> CommandResult:
        return CommandResult(
            verdict=verdict,
            exit_code=exit_code,
            stdout=bytes(self._parts[frames.STDOUT]),
            stderr=bytes(self._parts[frames.STDERR]),
            report=bytes(self._parts[frames.REPORT]),
            duration_s=duration_s,
            usage=usage,
        )
