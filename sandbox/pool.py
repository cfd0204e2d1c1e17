"""The warm pool: containers that are ready before anybody asks.

They are of single use, hold no task's data, and are refilled in the background as long as nobody waits for room. What
is lost, by a restart of the engine for instance, is replaced. Source: docs/decisions/0013-warm-pool.md.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Coroutine, Mapping

from domain.errors import ImageMissing, InfrastructureError
from sandbox.calm import Calm
from sandbox.cluster import Cluster, Place
from sandbox.container import Build
from sandbox.node import Node

IDLE_S = 3600.0
"""How long a container may wait to be leased before it is replaced by a fresh one."""
LIFETIME_S = IDLE_S * 1.5
LONGEST_LEASE_S = 86_400.0
"""What may come on top of it when it is leased: until then at least, no other process may take it for abandoned."""
LOOK_S = 1.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
STARTS_AT_ONCE = 2


class WarmPool:
    """Keeps as many containers ready as ``sizes`` says for each build, none of them for longer than ``idle_s``."""

    def __init__(self, cluster: Cluster, calm: Calm, sizes: Mapping[Build, int], idle_s: float = IDLE_S) -> None:
        self._cluster = cluster
        self._calm = calm
        self._idle_s = idle_s
        self._sizes = dict(sizes)
        self._ready: dict[Build, deque[tuple[float, Place]]] = {build: deque() for build in sizes}
        self._starting: dict[Build, int] = dict.fromkeys(sizes, 0)
        self._pauses: dict[Build, tuple[float, float]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._news = asyncio.Event()
        self._calm_at = time.monotonic()
        self._grown = asyncio.Condition()
        self._keeper: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to fill, in the background."""
        if self._sizes and self._keeper is None:
            self._keeper = asyncio.create_task(self._keep())

    def count(self, build: Build) -> int:
        """How many of a build are ready."""
        return len(self._ready.get(build, ()))

    async def filled(self) -> None:
        """Waits until every build has as many as it should."""
        while any(self.count(build) < size for build, size in self._sizes.items()):
            async with self._grown:
                await self._grown.wait()

    def take(self, build: Build) -> Place | None:
        """One that is ready, or None. Whoever takes it ends it."""
        ready = self._ready.get(build)
        place = None
        while ready and place is None:
            _, place = ready.popleft()
            if place.container.lost:
                self._end(place)
                place = None
        self._news.set()
        return place

    def give_up(self, memory: int) -> bool:
        """Ends idle containers of at least so many bytes, for somebody who waits; whether there were any."""
        given = 0
        for ready in self._ready.values():
            while ready and given < memory:
                _, place = ready.pop()
                given += place.container.build.profile.memory
                self._end(place)
        return given > 0

    async def _keep(self) -> None:
        while True:
            await self._calm.come()
            self._discard()
            self._make_way()
            for build, size in self._sizes.items():
                self._refill(build, size)
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._news.wait()

    def _make_way(self) -> None:
        """Ends one more idle container when somebody has waited for a while: what was given up was not enough."""
        now = time.monotonic()
        if not self._cluster.waiting:
            self._calm_at = now
        elif now - self._calm_at > LOOK_S:
            self._calm_at = now
            self.give_up(1)

    def _discard(self) -> None:
        """Lets go of what has ended, or has waited too long."""
        now = time.monotonic()
        for build, ready in self._ready.items():
            stale = [entry for entry in ready if entry[1].container.lost or now - entry[0] > self._idle_s]
            for entry in stale:
                self._ready[build].remove(entry)
                self._end(entry[1])

    def _refill(self, build: Build, size: int) -> None:
        not_before, _ = self._pauses.get(build, (0.0, 0.0))
        if self._cluster.waiting or time.monotonic() < not_before:
            return
        while self.count(build) + self._starting[build] < size and sum(self._starting.values()) < STARTS_AT_ONCE:
            self._starting[build] += 1
            self._spawn(self._add(build))

    async def _add(self, build: Build) -> None:
        place: Place | None = None
        try:
            place = await self._started(build)
            if place is None:
                self._pause(build)
                return
            if self._cluster.waiting or not self._sizes:
                # Somebody came meanwhile who needs its room, or nobody will come any more.
                return
            self._ready[build].append((time.monotonic(), place))
            place = None
            self._pauses.pop(build, None)
            async with self._grown:
                self._grown.notify_all()
        except InfrastructureError:
            # Whoever leases is told what is wrong; the pool tries again later.
            self._pause(build)
        finally:
            self._starting[build] -= 1
            if place is not None:
                await self._cluster.release(place)
            self._news.set()

    async def _started(self, build: Build) -> Place | None:
        """One that has started, on the first engine that has its image; None where there is no room."""
        lacking: set[Node] = set()
        while (place := await self._cluster.spare(build, lacking)) is not None:
            try:
                async with place.node.watched():
                    await place.container.start("", LIFETIME_S, LONGEST_LEASE_S)
                return place
            except BaseException as error:
                await self._cluster.release(place)
                lacking.add(place.node)
                if not isinstance(error, ImageMissing) or len(lacking) == len(self._cluster.nodes):
                    raise
        return None

    def _pause(self, build: Build) -> None:
        _, last = self._pauses.get(build, (0.0, 0.0))
        pause = min(LONGEST_PAUSE_S, max(FIRST_PAUSE_S, last * 2))
        self._pauses[build] = (time.monotonic() + pause, pause)

    def _end(self, place: Place) -> None:
        self._spawn(self._cluster.release(place))

    def _spawn(self, work: Coroutine[object, object, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Fills no more, and ends what is ready."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._sizes = {}
        for ready in self._ready.values():
            while ready:
                self._end(ready.popleft()[1])
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
