"""Sandboxes in Docker containers: each lease is one container, which serves it and dies."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from typing import Any

from domain.errors import EngineUnavailable, ImageMissing, SandboxLost
from sandbox import images, isolation, reaper
from sandbox.base import Lease, Sandbox, SandboxRequest
from sandbox.calm import Calm
from sandbox.cluster import Cluster, Place
from sandbox.container import Build, Instance
from sandbox.languages import language
from sandbox.node import Node
from sandbox.pool import WarmPool
from sandbox.profiles import profile
from sandbox.removals import Removals

TRIES = 3


class DockerSandboxes:
    """Leases containers of the nodes' engines. Whatever it started is gone when ``close`` returns.

    ``pool`` says how many sandboxes of a kind are kept ready; a lease takes one of them where it can.
    """

    def __init__(self, nodes: Sequence[Node], instance: Instance, pool: Mapping[Build, int] | None = None) -> None:
        self._cluster = Cluster(nodes)
        self._instance = instance
        self._calm = Calm()
        self._pool = WarmPool(self._cluster, self._calm, pool or {})
        self._removals = Removals(self._cluster, self._calm)
        self._last_token = 0
        self._held: dict[int, Place] = {}

    @property
    def pool(self) -> WarmPool:
        """What is kept ready."""
        return self._pool

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Sandbox]:
        """A sandbox of nobody else. Its container is removed behind the context's end, however it ends."""
        place, sandbox = await self._obtain(request)
        self._held[sandbox.lease.token] = place
        try:
            yield sandbox
        finally:
            place.container.retire()
            del self._held[sandbox.lease.token]
            self._removals.add(place)

    async def _obtain(self, request: SandboxRequest) -> tuple[Place, Sandbox]:
        build = build_of(request)
        self._calm.disturb()
        self._pool.start()
        while (place := self._pool.take(build)) is not None:
            try:
                return place, await place.container.lease(self._lease(request, place, 0.0, warm=True))
            except SandboxLost:
                self._removals.add(place)
            except BaseException:
                self._removals.add(place)
                raise
        return await self._cold(request, build)

    async def _cold(self, request: SandboxRequest, build: Build) -> tuple[Place, Sandbox]:
        """A sandbox from a container that is started now. An engine that fails to start it is passed over.

        ImageMissing when every engine lacks its image.
        """
        waited, failures = 0.0, 0
        lacking: set[Node] = set()
        while True:
            place, seconds = await self._place(build, request.wait_s - waited, lacking)
            waited += seconds
            try:
                async with place.node.watched():
                    await place.container.start(request.task_id, request.lifetime_s)
                return place, await place.container.lease(self._lease(request, place, waited, warm=False))
            except ImageMissing:
                self._removals.add(place)
                lacking.add(place.node)
                if len(lacking) == len(self._cluster.nodes):
                    raise
            except EngineUnavailable:
                self._removals.add(place)
                failures += 1
                if failures == TRIES or all(node.is_away for node in self._cluster.nodes):
                    raise
            except BaseException:
                self._removals.add(place)
                raise

    async def _place(self, build: Build, wait_s: float, lacking: Collection[Node]) -> tuple[Place, float]:
        """Room for a container, made where there is none, and how many seconds it was waited for."""
        place = await self._cluster.spare(build, lacking)
        if place is not None:
            return place, 0.0
        self._removals.hurry()
        self._pool.give_up(build.profile.memory)
        return await self._cluster.reserve(build, wait_s, lacking)

    def _lease(self, request: SandboxRequest, place: Place, waited_s: float, warm: bool) -> Lease:
        # Tokens grow across restarts, too: whoever holds an older one is refused.
        self._last_token = max(self._last_token + 1, time.time_ns() // 1000)
        return Lease(
            token=self._last_token,
            owner=self._instance.id,
            deadline=time.time() + request.lifetime_s,
            waited_s=waited_s,
            warm=warm,
            engine=place.node.name,
        )

    async def inspect(self, sandbox: Sandbox) -> dict[str, Any]:
        """What the engine knows of a leased sandbox's container. Source: Docker Engine API, "Inspect a container"."""
        place = self._held[sandbox.lease.token]
        return await place.node.engine.inspect(place.container.name)

    async def settled(self) -> None:
        """Waits until the containers of all leases that have ended are gone."""
        await self._removals.settled()

    async def reap(self, alive: Callable[[], Collection[str]]) -> list[str]:
        """Removes containers of this home whose owner is not ``alive``, and others that outlived their deadline.

        An engine that does not answer is passed over as long as another one does; EngineUnavailable.
        """

        def living() -> Collection[str]:
            return {*alive(), self._instance.id}

        removed: list[str] = []
        away: list[EngineUnavailable] = []
        for node in self._cluster.nodes:
            try:
                async with node.watched():
                    removed += await reaper.reap(node.engine, self._instance.home, living)
            except EngineUnavailable as error:
                away.append(error)
        if away and len(away) == len(self._cluster.nodes):
            raise away[0]
        return removed

    async def close(self) -> None:
        """Drains the pool, and removes whatever a cancelled lease could not."""
        await self._pool.close()
        await self.settled()
        await self._cluster.close()


def build_of(request: SandboxRequest) -> Build:
    """What a request's container is made of. UsageError for an unknown language, profile or isolation."""
    return Build(
        image=request.image or images.tag(request.language),
        profile=profile(request.profile),
        isolation=isolation.runtime(request.isolation),
        build_output=language(request.language).build_output,
    )
