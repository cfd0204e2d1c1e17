"""A runner that a test plays: it says what the test wants and keeps what it hears."""

import asyncio
from types import TracebackType
from typing import Self

from sandbox.channel import BEAT_S, Channel
from sandbox.runner import frames


class PlayedRunner:
    """A byte stream in memory with a channel on it. With ``waits`` it says nothing before it is asked."""

    def __init__(self, waits: bool = True, beat_s: float = BEAT_S) -> None:
        self._waits, self._beat_s = waits, beat_s
        self._said: asyncio.Queue[bytes | Exception] = asyncio.Queue()
        self._decoder = frames.Decoder()
        self._heard: list[frames.Frame] = []
        self._news = asyncio.Event()
        self.closed = False
        self.holds_back: asyncio.Event | None = None

    async def __aenter__(self) -> Self:
        self.channel = Channel(self, self._beat_s)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.channel.close()
        assert self.closed

    def say(self, kind: int, request: int, payload: bytes = b"") -> None:
        """Sends a frame to the host."""
        self.say_raw(frames.encode(kind, request, payload))

    def say_raw(self, data: bytes | Exception) -> None:
        """Sends bytes to the host; b"" is the end, an exception breaks the stream."""
        self._said.put_nowait(data)

    def heard(self) -> list[frames.Frame]:
        """The frames that the host has sent."""
        return list(self._heard)

    async def has_heard(self, kind: int) -> None:
        """Waits for a frame of that kind."""
        while kind not in {frame[0] for frame in self._heard}:
            self._news.clear()
            await self._news.wait()

    async def read(self) -> bytes:
        """The next bytes that the test says."""
        if self._waits:
            await self.has_heard(frames.REQUEST)
        data = await self._said.get()
        if isinstance(data, Exception):
            raise data
        return data

    async def write(self, data: bytes) -> None:
        """Keeps what the host says; while ``holds_back`` is there and not set, the host waits until it has gone out."""
        self._heard += self._decoder.feed(data)
        self._news.set()
        if self.holds_back is not None:
            await self.holds_back.wait()

    async def close(self) -> None:
        """Notes that the host has let go."""
        self.closed = True
