"""One engine that sandboxes run on: how much room it has, and whether it answers."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator

from domain.base import Value
from domain.errors import EngineUnavailable, InfrastructureError
from sandbox.container import Build, Container, Instance
from sandbox.engine import DockerEngine
from sandbox.guardian import Guardian

FIRST_UID, LAST_UID = 20_000, 59_999
SHARE = 0.8
"""Of the machine's memory, what sandboxes may be promised in all when nothing else is said."""
PAUSE_S = 5.0


class NodeLimits(Value):
    """The most that one engine may hold: bytes of memory promised (None: a share of what it has), containers.

    ``pause_s`` is how long it is left alone when it did not answer.
    """

    memory: int | None = None
    containers: int = 64
    pause_s: float = PAUSE_S


class Node:
    """An engine with its guardian, and the containers on it. ``weight`` is its share of the load."""

    def __init__(
        self, engine: DockerEngine, instance: Instance, weight: float = 1.0, limits: NodeLimits | None = None
    ) -> None:
        self.engine = engine
        self.weight = weight
        self._instance = instance
        self._limits = limits or NodeLimits()
        self._guardian = Guardian(engine.host)
        self._containers: dict[str, Container] = {}
        self._left: list[Container] = []
        self._promised = 0
        self._memory = self._limits.memory
        self._away_until = 0.0
        self._tidy_after = 0.0

    @property
    def name(self) -> str:
        """How a person knows it."""
        return self.engine.host or "the default engine"

    @property
    def load(self) -> float:
        """What is promised of it, in relation to its weight."""
        return self._promised / self.weight

    @property
    def is_away(self) -> bool:
        """Whether it did not answer lately."""
        return time.monotonic() < self._away_until

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Notices when the engine does not answer: it is left alone for a while then."""
        try:
            yield
        except EngineUnavailable:
            self._away_until = time.monotonic() + self._limits.pause_s
            raise

    async def room(self, memory: int) -> bool:
        """Whether a container of so many bytes fits in. EngineUnavailable."""
        if self._memory is None:
            async with self.watched():
                self._memory = int(await self.engine.memory() * SHARE)
        return len(self._containers) < self._limits.containers and (
            self._promised + memory <= self._memory or not self._containers
        )

    def reserve(self, build: Build) -> Container:
        """A container that is not started yet; its room is taken until ``release``."""
        taken = {container.uid for container in self._containers.values()}
        uid = FIRST_UID
        while uid in taken or uid == FIRST_UID:
            uid = FIRST_UID + secrets.randbelow(LAST_UID - FIRST_UID) + 1
        container = Container(self.engine, self._guardian, self._instance, build, uid)
        self._containers[container.name] = container
        self._promised += build.profile.memory
        return container

    async def tidy(self) -> None:
        """Tries again to remove what the engine kept, each once and not too often, unless it is away."""
        if self.is_away or time.monotonic() < self._tidy_after:
            return
        self._tidy_after = time.monotonic() + self._limits.pause_s
        left, self._left = self._left, []
        while left:
            container = left.pop()
            try:
                await self.release(container)
            except BaseException:
                self._left += [container, *left]
                raise

    async def release(self, container: Container) -> None:
        """Ends and removes a container. One that the engine keeps is tried again by ``tidy``."""
        try:
            async with self.watched():
                await container.end()
            self._forget(container)
        except InfrastructureError:
            self._left.append(container)

    def _forget(self, container: Container) -> None:
        if self._containers.pop(container.name, None) is not None:
            self._promised -= container.build.profile.memory

    async def close(self) -> None:
        """Removes what is left."""
        for container in list(self._containers.values()):
            await self.release(container)
        await self._guardian.close()
        await self.engine.close()
