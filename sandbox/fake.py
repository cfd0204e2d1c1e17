"""A sandbox without isolation, for tests: the real runner as a plain subprocess in a temporary folder.

It keeps the whole contract of the real one but containment. Never run generated code in it.
"""

import asyncio
import contextlib
import sys
import tempfile
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Collection
from importlib import resources
from pathlib import Path

from domain.command import Command, Verdict
from sandbox.base import IGNORED, Lease, Running, Sandbox, SandboxRequest
from sandbox.channel import Channel
from sandbox.languages import HARNESS, language
from sandbox.runner_sandbox import RunnerSandbox
from sandbox.vetting import VettingLimits

BOOT = "import sys; sys.path.insert(0, sys.argv.pop(1)); from runner.server import main; main(sys.argv[1:])"


class PipeStream:
    """The stdio of a subprocess."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def read(self) -> bytes:
        """Some bytes of its stdout."""
        assert self._process.stdout is not None
        return await self._process.stdout.read(1 << 18)

    async def write(self, data: bytes) -> None:
        """Bytes for its stdin."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        await self._process.stdin.drain()

    async def close(self) -> None:
        """Closes its stdin and waits for its end."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(OSError):
            await self._process.stdin.wait_closed()
        await self._process.wait()


class FakeSandbox(RunnerSandbox):
    """Runs commands with this interpreter's folder first on the path, and the test harness from where it is here."""

    @contextlib.asynccontextmanager
    async def start(self, command: Command, stdin: AsyncIterable[bytes] | None = None) -> AsyncIterator[Running]:
        """Starts a command, translated from the container's paths."""
        harness = str(resources.files("images").joinpath("python", "harness"))
        argv = tuple(argument.replace(HARNESS, harness) for argument in command.argv)
        path = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
        env = {"PATH": path, **command.env}
        translated = command.model_copy(update={"argv": argv, "env": env})
        async with super().start(translated, stdin) as running:
            yield running


class FakeSandboxes:
    """Leases plain folders. ``processes`` are the runners it started, so that a test can kill one."""

    def __init__(self) -> None:
        self.processes: list[asyncio.subprocess.Process] = []

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Sandbox]:
        """A fresh folder and a runner in it."""
        with tempfile.TemporaryDirectory(prefix="soundstage-fake-") as folder:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", "-S", "-c", BOOT, str(Path(__file__).parent), folder, "0",
                str(request.lifetime_s), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            self.processes.append(process)
            channel = Channel(PipeStream(process))
            ignored = IGNORED | language(request.language).build_output
            lease = Lease(token=0, owner="fake", deadline=time.time() + request.lifetime_s)
            try:
                await channel.ready(30.0)
                yield FakeSandbox(channel, "none", lease, _killed, VettingLimits(), ignored)
            finally:
                channel.retire()
                await channel.close()

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """Nothing is ever left behind."""
        del alive
        return []

    async def close(self) -> None:
        """Nothing is kept."""


async def _killed(_since: float) -> Verdict:
    return Verdict.KILLED
