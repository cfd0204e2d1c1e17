"""A command that ``docker exec`` has at work."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterable

from domain.command import Command, CommandResult, ResourceUsage, Verdict
from domain.errors import EngineUnavailable, InfrastructureError, SandboxLost
from sandbox.base import OutputChunk
from sandbox.engine import DockerEngine
from sandbox.hardening import WORKSPACE
from sandbox.stdio import AttachedStream

KEPT = 8 * 1024 * 1024
PIECE = 1 << 16
ENVIRONMENT = {"HOME": "/tmp", "LANG": "C.UTF-8"}  # noqa: S108 - a path in the container, private to it
LAST_PATIENCE_S = 5.0
KILLED = (None, 137)
"""Exit codes of a command that did not end by itself."""
KILLS, DONE = 3, b"done"
"""How often ending everything is tried, and what it says when it was done."""
LOOKS, LOOK_S = 5, 0.05


class Execution:
    """Follows one execution; ends it, and all else of the sandbox's user, at its limits."""

    def __init__(
        self, engine: DockerEngine, name: str, uid: int, command: Command, stdin: AsyncIterable[bytes] | None
    ) -> None:
        self._engine, self._name, self._user = engine, name, f"{uid}:{uid}"
        self._command = command
        self._stdin = stdin
        self._id = ""
        self._stream: AttachedStream | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._started = time.monotonic()
        self._began = time.time()
        self._parts: dict[str, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._written = 0

    async def begin(self) -> None:
        """Starts it."""
        environment = [f"{key}={value}" for key, value in (ENVIRONMENT | self._command.env).items()]
        settings = {"user": self._user, "environment": environment, "workdir": f"{WORKSPACE}/{self._command.cwd}"}
        try:
            self._id, attached = await self._engine.execute(self._name, self._command.argv, settings)
        except EngineUnavailable:
            raise
        except InfrastructureError as error:
            raise SandboxLost from error
        self._stream = AttachedStream(*attached)
        await self._stream.open()
        self._feeding = asyncio.create_task(self._feed(self._stream))

    async def _feed(self, stream: AttachedStream) -> None:
        with contextlib.suppress(OSError):
            if self._stdin is None:
                for at in range(0, len(self._command.stdin), PIECE):
                    await stream.write(self._command.stdin[at : at + PIECE])
            else:
                try:
                    async for data in self._stdin:
                        await stream.write(data)
                except Exception:  # the giver's own failure, raised on: the program must not wait for the rest of it
                    await self.kill()
                    raise
            stream.end()

    async def items(self) -> AsyncGenerator[OutputChunk | CommandResult]:
        """The output as it comes, and the result last. SandboxLost when the container is gone."""
        assert self._stream is not None
        ended: Verdict | None = None
        async with contextlib.aclosing(self._stream.both()) as pieces:
            while ended is None:
                try:
                    # Only the wait is limited: whoever takes the output must not be interrupted.
                    async with asyncio.timeout(self._command.timeout_s - (time.monotonic() - self._started)):
                        name, data = await anext(pieces)
                except StopAsyncIteration:
                    break
                except TimeoutError:
                    ended = Verdict.TIMEOUT
                    break
                room = self._command.output_limit - self._written
                self._written += len(data)
                part = self._parts[name]
                part += data[: max(0, min(room, KEPT - len(part)))]
                if room > 0:
                    yield OutputChunk(stream=name, data=data[:room])
                if len(data) > room:
                    ended = Verdict.OUTPUT_LIMIT
        yield await self._result(ended)

    async def _result(self, ended: Verdict | None) -> CommandResult:
        if ended is not None:
            await self.kill()
        try:
            # While nobody takes the output of a command that was ended, the engine does not know its code.
            code = await self._exit_code() if ended is None else None
            oom = await self._engine.ran_out_of_memory(self._name, self._began)
            if ended is None and not oom and code in KILLED:
                await self._assert_there()
        except InfrastructureError as error:
            raise SandboxLost from error
        verdict = Verdict.OK if code == 0 else Verdict.FAILED
        if code in KILLED:
            verdict, code = Verdict.KILLED, None
        return CommandResult(
            verdict=Verdict.OOM if oom else ended or verdict,
            exit_code=code,
            stdout=bytes(self._parts["stdout"]),
            stderr=bytes(self._parts["stderr"]),
            duration_s=time.monotonic() - self._started,
            usage=ResourceUsage(output_bytes=self._written),
        )

    async def _assert_there(self) -> None:
        """SandboxLost when the container has ended, which the engine may come to know a moment after the command."""
        for _ in range(LOOKS):
            if not await self._is_running():
                raise SandboxLost
            await asyncio.sleep(LOOK_S)

    async def _is_running(self) -> bool:
        """Whether the engine knows the container as running. EngineUnavailable."""
        try:
            return bool((await self._engine.inspect(self._name))["State"]["Running"])
        except EngineUnavailable:
            raise
        except InfrastructureError:
            return False

    async def _exit_code(self) -> int | None:
        """The exit code, which the engine may come to know a moment after the output's end."""
        end = time.monotonic() + LAST_PATIENCE_S
        while time.monotonic() < end:
            if (code := await self._engine.exit_code(self._id)) is not None:
                return code
            await asyncio.sleep(0.01)
        return None

    async def signal(self, number: int) -> None:
        """Sends a signal to every process of the sandbox's user: an execution's group is not known."""
        with contextlib.suppress(InfrastructureError):
            await self._say(f"kill -{number} -1")

    async def kill(self) -> None:
        """Ends every process of the sandbox's user.

        SandboxLost when that cannot be done, as when they are so many that the engine cannot start another one among
        them: the container is removed then, and they with it.
        """
        # The engine is slow to end a command whose output nobody takes: what it still says is taken and dropped.
        taking = asyncio.create_task(self._stream.discard()) if self._stream is not None else None
        try:
            await self._kill()
        finally:
            if taking is not None:
                taking.cancel()
                await asyncio.wait([taking])

    async def _kill(self) -> None:
        with contextlib.suppress(InfrastructureError):
            for _ in range(KILLS):
                if DONE in await self._say(f"kill -9 -1 2> /dev/null; echo {DONE.decode()}"):
                    return
        with contextlib.suppress(InfrastructureError):
            if not await self._is_running():
                return  # there is nothing left to end
            await self._engine.remove(self._name)
        raise SandboxLost

    async def _say(self, script: str) -> bytes:
        """What a script of the sandbox's user prints. InfrastructureError."""
        _, attached = await self._engine.execute(self._name, ("/bin/sh", "-c", script), {"user": self._user})
        stream = AttachedStream(*attached)
        await stream.open()
        said = bytearray()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LAST_PATIENCE_S):
                    while data := await stream.read():
                        said += data
        finally:
            await stream.close()
        return bytes(said)

    async def end(self) -> None:
        """Lets go of it; ends it when it runs still. What went wrong with its input is raised, and SandboxLost."""
        fed: BaseException | None = None
        if self._feeding is not None:
            self._feeding.cancel()
            (fed,) = await asyncio.gather(self._feeding, return_exceptions=True)
        try:
            await self.kill()
        finally:
            if self._stream is not None:
                await self._stream.close()
        if isinstance(fed, Exception):
            raise fed
