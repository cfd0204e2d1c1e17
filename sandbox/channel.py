"""The host's end of the conversation with a runner."""

import asyncio
import contextlib
import json
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator
from typing import Any, Protocol

from domain.errors import SandboxLost
from sandbox.runner import frames
from sandbox.runner.server import READY

QUEUE_FRAMES = 64
"""Frames that wait for a slow reader before the connection is no longer read."""


class ByteStream(Protocol):
    """A duplex byte stream; ``read`` returns b"" at the end."""

    async def read(self) -> bytes:
        """Some bytes from the runner."""
        ...

    async def write(self, data: bytes) -> None:
        """Hands bytes to the runner, waiting while it is busy."""
        ...

    async def close(self) -> None:
        """Ends the stream in both directions."""
        ...


class Channel:
    """Sends requests to a runner and sorts its answers. Any loss of the stream raises SandboxLost."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._queues: dict[int, asyncio.Queue[frames.Frame]] = {READY: asyncio.Queue(QUEUE_FRAMES)}
        self._last = READY
        self._lost = asyncio.Event()
        self._news = asyncio.Event()
        self._windows: dict[int, Window] = {}
        self._reader = asyncio.create_task(self._read())

    async def ready(self, timeout_s: float) -> None:
        """Waits until the runner says that it is there."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._receive(self._queues[READY])
        except SandboxLost:
            raise SandboxLost("The sandbox ended before it was ready. Run: soundstage doctor") from None
        except TimeoutError:
            raise SandboxLost(f"The sandbox was not ready within {timeout_s:.0f} s. Run: soundstage doctor") from None

    async def request(
        self, ask: dict[str, Any], data: bytes | AsyncIterable[bytes], patience_s: float
    ) -> AsyncGenerator[tuple[int, bytes]]:
        """Sends a request with its data and yields kind and payload of the answer's frames; RESULT is the last.

        Data that comes bit by bit is sent while the answer is read already. When the iterator is closed before the
        end, the runner is told to end the work. SandboxLost when nothing comes for ``patience_s`` seconds.
        """
        self._last = number = self._last % 0xFFFF_FFFE + 1
        queue: asyncio.Queue[frames.Frame] = asyncio.Queue(QUEUE_FRAMES)
        if self._lost.is_set():
            raise SandboxLost
        self._queues[number] = queue
        self._windows[number] = Window()
        sender = asyncio.create_task(self._send(number, ask, data))
        finished = False
        try:
            while not finished:
                kind, payload = await self._next(queue, patience_s)
                finished = kind == frames.RESULT
                yield kind, payload
        finally:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError, OSError):
                await sender
            if not finished:
                await self._drain(number, queue)
            self._queues.pop(number, None)
            self._windows.pop(number, None)

    async def _next(self, queue: asyncio.Queue[frames.Frame], patience_s: float) -> tuple[int, bytes]:
        try:
            async with asyncio.timeout(patience_s):
                frame = await self._receive(queue)
        except TimeoutError:
            self._lose()
            raise SandboxLost("The sandbox does not answer any more. Run the task again.") from None
        return frame[0], frame[2]

    async def _receive(self, queue: asyncio.Queue[frames.Frame]) -> frames.Frame:
        """The next frame; SandboxLost when the stream has ended and every frame before its end was given."""
        while queue.empty():
            if self._lost.is_set():
                raise SandboxLost
            self._news.clear()
            await self._news.wait()
        return queue.get_nowait()

    def _lose(self) -> None:
        self._lost.set()
        self._news.set()

    async def _send(self, number: int, ask: dict[str, Any], data: bytes | AsyncIterable[bytes]) -> None:
        *parts, last = [piece async for piece in _pieces(json.dumps(ask).encode())]
        for part in parts:
            await self._stream.write(frames.encode(frames.PART, number, part))
        await self._stream.write(frames.encode(frames.REQUEST, number, last))
        try:
            async for piece in _pieces(data):
                await self._windows[number].take(len(piece))
                await self._stream.write(frames.encode(frames.DATA, number, piece))
        except BaseException:
            # Whoever gives the data cannot go on: the program must not wait for the rest of it.
            with contextlib.suppress(OSError):
                await self._stream.write(frames.encode(frames.CANCEL, number))
            raise
        await self._stream.write(frames.encode(frames.END, number))

    async def _drain(self, number: int, queue: asyncio.Queue[frames.Frame]) -> None:
        with contextlib.suppress(OSError, SandboxLost):
            await self._stream.write(frames.encode(frames.CANCEL, number))
            while (await self._receive(queue))[0] != frames.RESULT:
                pass

    async def _read(self) -> None:
        decoder = frames.Decoder()
        try:
            while data := await self._stream.read():
                for frame in decoder.feed(data):
                    await self._sort(frame)
        except (OSError, frames.FrameError, asyncio.IncompleteReadError):
            pass
        finally:
            self._lose()

    async def _sort(self, frame: frames.Frame) -> None:
        kind, number, payload = frame
        if kind == frames.CREDIT:
            if window := self._windows.get(number):
                window.give(int.from_bytes(payload[:4], "big"))
        elif queue := self._queues.get(number):
            await queue.put(frame)
            self._news.set()

    async def close(self) -> None:
        """Ends the conversation; the runner ends with it."""
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._stream.close()


class Window:
    """How many bytes may be sent before the runner has taken some."""

    def __init__(self) -> None:
        self._left = frames.WINDOW
        self._changed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Waits until ``size`` bytes may be sent."""
        while self._left < size:
            self._changed.clear()
            await self._changed.wait()
        self._left -= size

    def give(self, size: int) -> None:
        """The runner has taken ``size`` bytes."""
        self._left += size
        self._changed.set()


async def _pieces(data: bytes | AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    """The data in pieces that fit into frames."""
    if isinstance(data, bytes):
        for at in range(0, len(data), frames.MAX_FRAME):
            yield data[at : at + frames.MAX_FRAME]
        return
    async for larger in data:
        for at in range(0, len(larger), frames.MAX_FRAME):
            yield larger[at : at + frames.MAX_FRAME]
