"""The engines together: who gets the next sandbox, and who waits."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Sequence

from domain.errors import EngineUnavailable, SandboxesBusy
from sandbox.container import Build, Container
from sandbox.node import Node

LOOK_AGAIN_S = 1.0


class Place:
    """A container on its node."""

    def __init__(self, node: Node, container: Container) -> None:
        self.node = node
        self.container = container


class Cluster:
    """Shares sandboxes out to the nodes by weight and room. Who comes first is served first."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)
        self._queue: deque[asyncio.Event] = deque()

    async def reserve(self, build: Build, wait_s: float, lacking: Collection[Node] = ()) -> tuple[Place, float]:
        """A place for a container, on none of the nodes that are ``lacking`` its image, and the seconds of waiting.

        SandboxesBusy when there is no room in time; EngineUnavailable when no engine answers.
        """
        started = time.monotonic()
        turn = asyncio.Event()
        self._queue.append(turn)
        try:
            while True:
                if self._queue[0] is turn and (place := await self._find(build, lacking)) is not None:
                    return place, time.monotonic() - started
                left = wait_s - (time.monotonic() - started)
                if left <= 0:
                    raise SandboxesBusy(
                        f"No room for another sandbox became free in {time.monotonic() - started:.1f} s. Wait, or "
                        "allow more with SOUNDSTAGE_SANDBOX_MEMORY or SOUNDSTAGE_SANDBOXES."
                    )
                turn.clear()
                await _any(turn, min(left, LOOK_AGAIN_S))
        finally:
            self._queue.remove(turn)
            self.changed()

    async def spare(self, build: Build, lacking: Collection[Node] = ()) -> Place | None:
        """A place that nobody waits for yet, on none of the nodes that are ``lacking`` the image of the container.

        None while somebody waits, or where there is no room.
        """
        return None if self._queue else await self._find(build, lacking)

    @property
    def waiting(self) -> int:
        """How many wait for room."""
        return len(self._queue)

    async def _find(self, build: Build, lacking: Collection[Node]) -> Place | None:
        trouble: EngineUnavailable | None = None
        answered = False
        for node in self.nodes:
            await node.tidy()
        nodes = [node for node in self.nodes if node not in lacking]
        for node in sorted(nodes, key=lambda node: (node.is_away, node.load)):
            if node.is_away and answered:
                continue
            try:
                fits = await node.room(build.profile.memory)
            except EngineUnavailable as error:
                trouble = error
                continue
            answered = True
            if fits:
                return Place(node, node.reserve(build))
        if not answered and trouble is not None:
            raise trouble
        if all(node.is_away for node in nodes):
            raise EngineUnavailable
        return None

    async def release(self, place: Place) -> None:
        """Ends a container and gives its room to whoever waits."""
        await place.node.release(place.container)
        self.changed()

    def changed(self) -> None:
        """Has whoever waits look again."""
        if self._queue:
            self._queue[0].set()

    async def close(self) -> None:
        """Removes everything and lets go of the engines."""
        for node in self.nodes:
            await node.close()


async def _any(event: asyncio.Event, patience_s: float) -> None:
    try:
        async with asyncio.timeout(patience_s):
            await event.wait()
    except TimeoutError:
        pass
