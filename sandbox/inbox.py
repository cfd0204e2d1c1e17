"""What has come from a runner for one request or connection, and how much may be sent to it."""

import asyncio
from collections import deque

from domain.errors import SandboxLost
from sandbox.runner import frames

GRANTED_AT = frames.WINDOW // 4


class Inbox:
    """Frames that wait to be taken. A runner that sends more than its window allows is no runner of ours."""

    def __init__(self) -> None:
        self._frames: deque[tuple[int, bytes]] = deque()
        self._held = 0
        self._taken = 0
        self._lost = False
        self._news: asyncio.Future[None] | None = None

    def put(self, kind: int, payload: bytes) -> bool:
        """Takes a frame in; False when it is one too many."""
        self._frames.append((kind, payload))
        self._held += frames.cost(payload)
        self._wake()
        return self._held <= 3 * frames.WINDOW

    def lose(self) -> None:
        """Nothing more will come."""
        self._lost = True
        self._wake()

    def _wake(self) -> None:
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    async def take(self, patience_s: float | None) -> tuple[int, bytes]:
        """The next frame's kind and payload.

        SandboxLost when the runner is gone and every frame before its end was taken; TimeoutError.
        """
        while not self._frames:
            if self._lost:
                raise SandboxLost
            self._news = asyncio.get_running_loop().create_future()
            async with asyncio.timeout(patience_s):
                await self._news
        kind, payload = self._frames.popleft()
        cost = frames.cost(payload)
        self._held -= cost
        self._taken += cost
        return kind, payload

    def credit(self) -> int:
        """How much was taken since it was last granted, once that is worth a frame; otherwise 0."""
        if self._taken < GRANTED_AT:
            return 0
        taken, self._taken = self._taken, 0
        return taken


class Window:
    """How many bytes may be sent before the runner has taken some."""

    def __init__(self) -> None:
        self._left = frames.WINDOW
        self._changed = asyncio.Event()
        self._lost = False

    async def take(self, size: int) -> None:
        """Waits until ``size`` bytes may be sent; SandboxLost when nobody is there any more to take them."""
        while not self._lost and self._left < size:
            self._changed.clear()
            await self._changed.wait()
        if self._lost:
            raise SandboxLost
        self._left -= size

    def give(self, size: int) -> None:
        """The runner has taken ``size`` bytes."""
        self._left += size
        self._changed.set()

    def lose(self) -> None:
        """Nothing more will be taken."""
        self._lost = True
        self._changed.set()
