"""Connections into and out of a sandbox, carried over its runner's stdio."""

import contextlib
from collections.abc import AsyncIterator

from domain.errors import SandboxLost, TransferFailed
from sandbox.base import ByteStream
from sandbox.channel import Channel
from sandbox.exchange import Exchange
from sandbox.inbox import Inbox, Window
from sandbox.runner import frames
from sandbox.told import read_told
from sandbox.vetting import printable

PATIENCE_S = 30.0


class Connection:
    """One connection: bytes in both directions. Reading after the other side's end gives b""."""

    def __init__(self, channel: Channel, number: int, inbox: Inbox, window: Window) -> None:
        self._channel = channel
        self._number, self._inbox, self._window = number, inbox, window
        self._ended = False
        self.closed = False

    async def read(self) -> bytes:
        """Some bytes, or b"" at the end; SandboxLost."""
        while not self._ended:
            kind, payload = await self._inbox.take(None)
            if taken := self._inbox.credit():
                await self._channel.send(frames.encode(frames.GRANT, self._number, taken.to_bytes(4, "big")))
            if kind == frames.BYTES:
                return payload
            self._ended = True
        return b""

    async def write(self, data: bytes) -> None:
        """Hands bytes over, waiting while the other side is busy.

        TransferFailed when the other side has closed the connection; SandboxLost.
        """
        for at in range(0, len(data), frames.MAX_FRAME):
            piece = data[at : at + frames.MAX_FRAME]
            try:
                await self._window.take(len(piece))
            except SandboxLost:
                if self._channel.lost:
                    raise
                raise TransferFailed("The program in the sandbox has closed the connection. Make a new one.") from None
            await self._channel.send(frames.encode(frames.DATA, self._number, piece))

    async def end(self) -> None:
        """Says that no more will be written; reading goes on."""
        await self._channel.send(frames.encode(frames.END, self._number))

    async def close(self) -> None:
        """Ends both directions."""
        if not self.closed:
            self.closed = True
            await self._channel.send(frames.encode(frames.CANCEL, self._number))
            self._channel.forget(self._number)


@contextlib.asynccontextmanager
async def listen(channel: Channel, token: int, port: int) -> AsyncIterator[AsyncIterator[ByteStream]]:
    """Connections that programs of the sandbox make to a loopback port of theirs, until the context ends.

    TransferFailed when the port cannot be listened on; LeaseEnded when the sandbox is somebody else's.
    """
    async with Exchange(channel, {"op": "listen", "port": port, "token": token}, b"") as exchange:
        async with contextlib.aclosing(exchange.frames(PATIENCE_S)) as answer:
            kind, payload = await anext(answer)
            if kind != frames.OPENED:
                raise TransferFailed(f"The sandbox cannot listen on port {port}: {_why(payload)}. Use another one.")
        made: list[Connection] = []

        async def connections() -> AsyncIterator[ByteStream]:
            async with contextlib.aclosing(exchange.frames(None)) as answer:
                async for kind, payload in answer:
                    if kind == frames.OPENED:
                        made[:] = [connection for connection in made if not connection.closed]
                        made.append(Connection(channel, *channel.open(int.from_bytes(payload[:4], "big"))))
                        yield made[-1]

        try:
            yield connections()
        finally:
            for connection in made:
                await connection.close()


async def connect(channel: Channel, token: int, port: int) -> ByteStream:
    """A connection to a loopback port of the sandbox. TransferFailed when nobody listens there; LeaseEnded."""
    number, inbox, window = channel.open()
    try:
        await channel.send(channel.ask(number, {"op": "connect", "port": port, "token": token}))
        kind, payload = await inbox.take(PATIENCE_S)
        if kind != frames.OPENED:
            raise TransferFailed(f"Nothing answers on port {port} of the sandbox: {_why(payload)}. Start it first.")
    except TimeoutError:
        await _give_up(channel, number)
        raise TransferFailed(f"Port {port} of the sandbox did not answer in {PATIENCE_S:.0f} s. Try again.") from None
    except BaseException:
        await _give_up(channel, number)
        raise
    return Connection(channel, number, inbox, window)


async def _give_up(channel: Channel, number: int) -> None:
    channel.forget(number)
    await channel.send(frames.encode(frames.CANCEL, number))


def _why(payload: bytes) -> str:
    return printable(read_told(payload).error or "no answer")
