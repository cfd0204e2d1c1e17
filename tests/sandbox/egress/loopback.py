"""The proxy over loopback sockets, and servers that it may lead to."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from domain.errors import TransferFailed
from sandbox.base import ByteStream
from sandbox.egress.allowlist import AllowedHost, Allowlist
from sandbox.egress.endpoint import endpoint
from sandbox.egress.limits import EgressLimits
from sandbox.egress.outside import UpstreamProxies
from sandbox.egress.proxy import EgressProxy

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class SocketStream:
    """A connection as the proxy sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def read(self) -> bytes:
        """Some bytes, b"" at the end."""
        return await self._reader.read(1 << 16)

    async def write(self, data: bytes) -> None:
        """Hands bytes over; a side that has gone is said as a real sandbox's connection says it."""
        try:
            self._writer.write(data)
            await self._writer.drain()
        except OSError as error:
            raise TransferFailed("The program in the sandbox has closed the connection.") from error

    async def end(self) -> None:
        """Says that no more will be written."""
        self._writer.write_eof()

    async def close(self) -> None:
        """Ends it."""
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()


class Client:
    """A connection to the proxy, as a package client has one."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def say(self, data: bytes) -> None:
        """Sends bytes."""
        self.writer.write(data)
        await self.writer.drain()

    async def all(self) -> bytes:
        """Everything until the proxy closes."""
        return await self.reader.read()

    async def head(self) -> bytes:
        """The head of an answer."""
        return await self.reader.readuntil(b"\r\n\r\n")


class Place:
    """A proxy on a loopback port."""

    def __init__(self, proxy: EgressProxy, port: int) -> None:
        self.proxy, self.port = proxy, port

    @contextlib.asynccontextmanager
    async def client(self) -> AsyncIterator[Client]:
        """A connection to the proxy."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield Client(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def ask(self, request: bytes) -> bytes:
        """The whole answer to a request."""
        async with self.client() as client:
            await client.say(request)
            return await client.all()


@contextlib.asynccontextmanager
async def server(serve: Serve) -> AsyncIterator[int]:
    """A server on a loopback port of its own."""

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield listening.sockets[0].getsockname()[1]
    finally:
        listening.close()


def allow(*places: tuple[str, int], named: bool = True) -> Allowlist:
    """An allowlist of hosts and ports."""
    return Allowlist(AllowedHost(endpoint=endpoint(host, port), named=named) for host, port in places)


@contextlib.asynccontextmanager
async def proxy_place(
    allowlist: Allowlist, limits: EgressLimits | None = None, upstream: UpstreamProxies | None = None
) -> AsyncIterator[Place]:
    """A proxy whose connections come by loopback sockets."""
    streams: asyncio.Queue[ByteStream] = asyncio.Queue()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await streams.put(SocketStream(reader, writer))

    async def coming() -> AsyncIterator[ByteStream]:
        while True:
            yield await streams.get()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        async with EgressProxy(allowlist, upstream, limits).serving(coming()) as proxy:
            yield Place(proxy, listening.sockets[0].getsockname()[1])
    finally:
        listening.close()
