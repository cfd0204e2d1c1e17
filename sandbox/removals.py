"""Containers whose lease has ended, until they are gone.

Their commands have ended with the lease; to remove the container costs the engine more than to use it did, so that is
put off while somebody asks for a new one, unless room is short.
"""

import asyncio

from sandbox.calm import Calm
from sandbox.cluster import Cluster, Place

AT_ONCE = 4


class Removals:
    """Removes containers in the background."""

    def __init__(self, cluster: Cluster, calm: Calm) -> None:
        self._cluster = cluster
        self._calm = calm
        self._tasks: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._hurry = asyncio.Event()

    def add(self, place: Place) -> None:
        """Removes a container soon."""
        task = asyncio.create_task(self._remove(place, self._hurry))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _remove(self, place: Place, hurry: asyncio.Event) -> None:
        if not self._cluster.waiting:
            waits = [asyncio.ensure_future(self._calm.come()), asyncio.ensure_future(hurry.wait())]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for wait in waits:
                wait.cancel()
        async with self._turn:
            await self._cluster.release(place)

    def hurry(self) -> None:
        """Somebody needs the room: puts nothing off that has been added up to now."""
        self._hurry.set()
        self._hurry = asyncio.Event()

    async def settled(self) -> None:
        """Waits until all are gone."""
        while self._tasks:
            self.hurry()
            await asyncio.gather(*self._tasks, return_exceptions=True)
