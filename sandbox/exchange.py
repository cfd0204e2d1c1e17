"""One request to a runner, and its answer."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable
from typing import Any

from domain.errors import SandboxLost
from sandbox.channel import Channel
from sandbox.runner import frames

AT_ONCE = 1 << 16
"""Data up to this many bytes goes out with its request."""
LAST_WORD_S = 10.0
"""How long a runner that was told to end a work may take over it, before it counts as lost."""


class Exchange:
    """Sends a request with its data, and gives the answer's frames.

    Data that comes bit by bit is sent while the answer is read already.
    """

    def __init__(
        self,
        channel: Channel,
        ask: dict[str, Any],
        data: bytes | AsyncIterable[bytes],
        last_word_s: float = LAST_WORD_S,
    ) -> None:
        self._channel = channel
        self._last_word_s = last_word_s
        self._ask = ask
        self._data = data
        self._number, self._inbox, self._window = channel.open()
        self._sender: asyncio.Task[None] | None = None
        self._finished = False

    async def __aenter__(self) -> "Exchange":
        try:
            await self._begin()
        except BaseException:
            # The request may be on its way already: nobody else could end what it started.
            await self.__aexit__()
            raise
        return self

    async def _begin(self) -> None:
        start = self._channel.ask(self._number, self._ask)
        if isinstance(self._data, bytes) and len(self._data) <= AT_ONCE:
            if self._data:
                start += frames.encode(frames.DATA, self._number, self._data)
            await self._channel.send(start + frames.encode(frames.END, self._number))
        else:
            await self._channel.send(start)
            self._sender = self._channel.spawn(self._send(self._data))

    async def frames(self, patience_s: float | None) -> AsyncGenerator[tuple[int, bytes]]:
        """Kind and payload of each frame of the answer; RESULT is the last.

        SandboxLost when the runner is gone, or when nothing comes for ``patience_s`` seconds (None: ever).
        """
        while not self._finished:
            try:
                kind, payload = await self._inbox.take(patience_s)
            except TimeoutError:
                self._channel.lose()
                raise SandboxLost("The sandbox does not answer any more. Run the task again.") from None
            self._finished = kind == frames.RESULT
            yield kind, payload
            await self._grant()

    async def _grant(self) -> None:
        if taken := self._inbox.credit():
            await self._channel.send(frames.encode(frames.GRANT, self._number, taken.to_bytes(4, "big")))

    async def signal(self, number: int) -> None:
        """Sends a signal to the process group of the command."""
        await self._channel.send(frames.encode(frames.SIGNAL, self._number, bytes([number])))

    async def _send(self, data: bytes | AsyncIterable[bytes]) -> None:
        try:
            async with contextlib.aclosing(_pieces(data)) as pieces:
                async for piece in pieces:
                    await self._window.take(len(piece))
                    await self._channel.send(frames.encode(frames.DATA, self._number, piece))
        except BaseException:
            # Whoever gives the data cannot go on: the program must not wait for the rest of it.
            await self._channel.send(frames.encode(frames.CANCEL, self._number))
            raise
        await self._channel.send(frames.encode(frames.END, self._number))

    async def __aexit__(self, *_: object) -> None:
        """Before the answer's end, the runner is told to end the work, and does."""
        try:
            if not self._finished:
                await self._channel.send(frames.encode(frames.CANCEL, self._number))
            await self._stop_sending()
            if not self._finished:
                await self._last_word()
        finally:
            self._channel.forget(self._number)
        if self._sender is not None and not self._sender.cancelled():
            error = self._sender.exception()
            if error is not None and not isinstance(error, SandboxLost):
                raise error

    async def _stop_sending(self) -> None:
        if self._sender is not None:
            self._sender.cancel()
            await asyncio.wait([self._sender])

    async def _last_word(self) -> None:
        try:
            while True:
                kind, payload = await self._inbox.take(self._last_word_s)
                if kind == frames.OPENED:
                    self._channel.forget(int.from_bytes(payload[:4], "big"))
                if kind == frames.RESULT:
                    return
                await self._grant()
        except TimeoutError:
            self._channel.lose()
        except SandboxLost:
            pass


async def ask_for(channel: Channel, ask: dict[str, Any], patience_s: float) -> bytes:
    """The result of a request that has nothing else to say. A runner that does not give it is given up."""
    result = b""
    async with (
        Exchange(channel, ask, b"", last_word_s=0.0) as exchange,
        contextlib.aclosing(exchange.frames(patience_s)) as answer,
    ):
        async for _, payload in answer:
            result += payload
    return result


async def _pieces(data: bytes | AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """The data in pieces that fit into frames. A source that can be closed is closed when no more is wanted."""
    if isinstance(data, bytes):
        for at in range(0, len(data), frames.MAX_FRAME):
            yield data[at : at + frames.MAX_FRAME]
        return
    closing = contextlib.aclosing(data) if isinstance(data, AsyncGenerator) else contextlib.nullcontext(data)
    async with closing as source:
        async for larger in source:
            for at in range(0, len(larger), frames.MAX_FRAME):
                yield larger[at : at + frames.MAX_FRAME]
