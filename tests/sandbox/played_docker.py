"""An engine that a test plays in this process: its containers are runners that say yes to everything."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

from domain.errors import EngineUnavailable, ImageMissing, InfrastructureError
from sandbox.base import SandboxRequest
from sandbox.container import Build, Instance
from sandbox.docker_sandbox import DockerSandboxes, build_of
from sandbox.engine import ContainerInfo, DockerEngine
from sandbox.node import Node, NodeLimits
from sandbox.profiles import PROFILES
from sandbox.runner import frames
from sandbox.runner.server import READY
from sandbox.stdio import HEADER

STDOUT = 1
PAUSE_S = 1.0
"""How long an engine that failed is left alone."""


class PlayedContainer:
    """A container with a runner that answers every request at once."""

    def __init__(self, answers: bool) -> None:
        self._answers = answers
        self.ours, self._theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.serving: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to serve."""
        self.serving = asyncio.create_task(self._serve())

    async def _serve(self) -> None:
        reader, writer = await asyncio.open_connection(sock=self._theirs)
        decoder = frames.Decoder()
        try:
            self._say(writer, READY)
            while data := await reader.read(1 << 16):
                for kind, number, _ in decoder.feed(data):
                    if kind == frames.REQUEST and self._answers:
                        self._say(writer, number)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    def _say(self, writer: asyncio.StreamWriter, number: int) -> None:
        frame = frames.encode(frames.RESULT, number, b'{"exit_code": 0}')
        writer.write(HEADER.pack(STDOUT, len(frame)) + frame)

    async def end(self) -> None:
        """Ends it from outside."""
        if self.serving is None:
            self._theirs.close()
        else:
            self.serving.cancel()
            await asyncio.wait([self.serving])


class PlayedDocker:
    """An engine, without the images in ``lacks``. While ``down`` it does not answer; while ``gate`` is closed it starts
    nothing; the runners of containers made while ``mute`` get ready and then answer nothing; while ``stubborn`` it
    removes nothing, and before ``slow`` is set it takes its time for that; ``trouble`` is what it raises instead of
    making a container."""

    def __init__(self, host: str = "played://engine", memory: int = 1 << 40) -> None:
        self.host = host
        self.down = self.mute = False
        self.lacks: set[str] = set()
        self.trouble: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.there: dict[str, PlayedContainer] = {}
        self.made: list[str] = []
        self.closed = self.late = 0
        self.stubborn = False
        self.slow = asyncio.Event()
        self.slow.set()
        self._memory = memory

    def _answer(self) -> None:
        self.late += self.closed
        if self.down:
            raise EngineUnavailable

    async def memory(self) -> int:
        """What its machine has."""
        self._answer()
        return self._memory

    async def create(self, name: str, config: dict[str, Any]) -> str:
        """Makes one."""
        self._answer()
        if self.trouble is not None:
            raise self.trouble
        if config["Image"] in self.lacks:
            raise ImageMissing
        self.there[name] = PlayedContainer(answers=not self.mute)
        self.made.append(name)
        return name

    async def attach(self, name: str) -> socket.socket:
        """Its stdio."""
        self._answer()
        return self.there[name].ours

    async def start(self, name: str) -> None:
        """Starts it."""
        await self.gate.wait()
        self._answer()
        self.there[name].start()

    async def exists(self, name: str) -> bool:
        """Whether it is there still; one that has ended removes itself."""
        self._answer()
        container = self.there.get(name)
        if container is not None and not self.stubborn and container.serving is not None and container.serving.done():
            del self.there[name]
        return name in self.there

    async def containers(self, label: str) -> list[ContainerInfo]:
        """None, to somebody who looks for abandoned ones."""
        self._answer()
        return []

    async def remove(self, name: str) -> None:
        """Removes it."""
        self._answer()
        await self.slow.wait()
        if self.stubborn:
            raise InfrastructureError("The engine will not remove it.")
        if container := self.there.pop(name, None):
            await container.end()

    async def kill(self, name: str) -> None:
        """Ends one as somebody else would."""
        await self.there.pop(name).end()

    async def close(self) -> None:
        """Counts how often it was let go of."""
        self.closed += 1


INSTANCE = Instance(id=secrets.token_hex(8), home=secrets.token_hex(8))


def build(image: str = "image") -> Build:
    """What ``request`` asks for."""
    return build_of(request(image))


def request(image: str = "image", wait_s: float = 30.0) -> SandboxRequest:
    """Somebody who wants a container of that image."""
    return SandboxRequest(task_id="t", purpose="a test", image=image, profile="small", wait_s=wait_s)


def node(engine: PlayedDocker, weight: float = 1.0, fits: float = 64, containers: int = 64) -> Node:
    """A node on that engine, with memory for so many containers."""
    memory = int(fits * PROFILES["small"].memory)
    return Node(
        cast("DockerEngine", engine),
        INSTANCE,
        weight,
        NodeLimits(memory=memory, containers=containers, pause_s=PAUSE_S),
    )


@contextlib.asynccontextmanager
async def played(*nodes: Node, pool: Mapping[Build, int] | None = None) -> AsyncIterator[DockerSandboxes]:
    """Sandboxes on those nodes, closed at the end, when nothing may be left on any of them."""
    sandboxes = DockerSandboxes(nodes, INSTANCE, pool)
    try:
        yield sandboxes
    finally:
        await sandboxes.close()
    for one in nodes:
        engine = cast("PlayedDocker", one.engine)
        assert engine.closed == 1
        if not engine.down:
            assert engine.there == {}
