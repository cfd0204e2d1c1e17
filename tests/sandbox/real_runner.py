"""A real runner without isolation, as a process of the test's own, and the channel to it."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

from domain.command import Verdict
from sandbox import fake
from sandbox.base import ByteStream, Lease
from sandbox.channel import BEAT_S, Channel
from sandbox.exchange import ask_for
from sandbox.fake import BOOT, PipeStream
from sandbox.runner_sandbox import RunnerSandbox
from sandbox.told import read_told
from sandbox.vetting import VettingLimits

QUIET_BOOT = (
    "import sys; sys.path.insert(0, sys.argv.pop(1)); from runner.server import Runner;"
    " Runner(0, 1, sys.argv[1], 0, silence_s=float(sys.argv[3])).serve()"
)
"""Boots a runner that bears so many seconds of silence, in place of so many seconds of life."""


async def killed(since: float = 0.0) -> Verdict:
    """An autopsy that finds nothing but a death."""
    return Verdict.KILLED


class RealRunner(NamedTuple):
    """A runner at work."""

    process: asyncio.subprocess.Process
    channel: Channel

    async def lease(self, token: int, seconds: float = 60.0, limits: VettingLimits | None = None) -> RunnerSandbox:
        """Passes the runner on to a new holder. LeaseEnded when the token is too old."""
        told = read_told(await ask_for(self.channel, {"op": "lease", "token": token, "seconds": seconds}, 10.0))
        assert told.error is None
        return self.sandbox(token, limits)

    def sandbox(self, token: int, limits: VettingLimits | None = None) -> RunnerSandbox:
        """The sandbox of somebody who has, or had, that token."""
        lease = Lease(token=token, owner="a test", deadline=0.0)
        return RunnerSandbox(self.channel, "none", lease, killed, limits)


@contextlib.asynccontextmanager
async def real_runner(
    folder: Path,
    boot: str = BOOT,
    seconds: float = 60.0,
    beat_s: float = BEAT_S,
    wrap: Callable[[ByteStream], ByteStream] = lambda stream: stream,
) -> AsyncIterator[RealRunner]:
    """A runner that works in a folder of its own below ``folder``."""
    workspace = folder / "workspace"
    workspace.mkdir()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-I", "-S", "-c", boot, str(Path(fake.__file__).parent), str(workspace), "0", str(seconds),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    channel = Channel(wrap(PipeStream(process)), beat_s)
    try:
        await channel.ready(30.0)
        yield RealRunner(process, channel)
    finally:
        await channel.close()
