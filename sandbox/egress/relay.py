"""Moving bytes between a stream of the sandbox and a connection to the outside, in bounded memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any

import h11

from sandbox.base import ByteStream
from sandbox.egress.ending import LINGER_S, end
from sandbox.egress.limits import Meter
from sandbox.egress.outside import Line
from sandbox.egress.refusal import HostUnreachable, LimitReached
from sandbox.egress.request import ProxyRequest, end_to_end, host_header

CHUNK = 64 * 1024
MOST_HINTS = 8
"""Informational answers (1xx) that a server may send before its real one."""
RESPONSE_HEAD = 64 * 1024


class Watch:
    """Ends a conversation in which nothing moves for ``idle_s`` seconds."""

    def __init__(self, idle_s: float) -> None:
        self._idle_s = idle_s
        self._timeout = asyncio.timeout(idle_s)

    def moved(self) -> None:
        """Something was moved."""
        if not self._timeout.expired():
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._idle_s)

    @contextlib.asynccontextmanager
    async def over(self) -> AsyncIterator[None]:
        """Watches over a block, once; LimitReached when it is idle for too long."""
        try:
            async with self._timeout:
                yield
        except TimeoutError:
            if not self._timeout.expired():
                raise
            raise LimitReached(f"Nothing moved for {self._idle_s:.0f} s.") from None


async def tunnel(stream: ByteStream, line: Line, early: bytes, meter: Meter, watch: Watch) -> None:
    """Passes bytes both ways until both sides have said all, or a limit is reached. ``early`` was read from the
    sandbox already. Either side may end first and still hear the other; but a sandbox that goes on talking to an
    outside that has ended is cut after some seconds."""

    async def out() -> None:
        await _forward(early, meter.send, lambda data: _write(line, data), watch)
        while data := await stream.read():
            await _forward(data, meter.send, lambda data: _write(line, data), watch)
        with contextlib.suppress(OSError, NotImplementedError):
            line.writer.write_eof()

    async def back() -> None:
        while data := await line.reader.read(CHUNK):
            await _forward(data, meter.receive, stream.write, watch)
        await end(stream)

    async with watch.over():
        await _both(back(), out())


async def _both(leading: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> None:
    """Runs both; an error in either ends both. After the end of the first the second has some seconds left."""
    first, second = asyncio.create_task(leading), asyncio.create_task(other)
    try:
        await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        if not first.done():
            await second
        await first
        await asyncio.wait({second}, timeout=LINGER_S)
    finally:
        for task in (first, second):
            task.cancel()
        await asyncio.gather(first, second, return_exceptions=True)


async def _forward(
    data: bytes, count: Callable[[int], None], write: Callable[[bytes], Awaitable[None]], watch: Watch
) -> None:
    for at in range(0, len(data), CHUNK):
        piece = data[at : at + CHUNK]
        count(len(piece))
        await write(piece)
        watch.moved()


async def _write(line: Line, data: bytes) -> None:
    line.writer.write(data)
    await line.writer.drain()


async def fetch(
    stream: ByteStream, line: Line, request: ProxyRequest, client: h11.Connection, meter: Meter, watch: Watch
) -> None:
    """Carries a plain request out and its answer back, both framed anew; one request, then the end.

    ``client`` is the state of the sandbox's side. HostUnreachable when the outside speaks no HTTP/1.1.
    """
    server = h11.Connection(h11.CLIENT, max_incomplete_event_size=RESPONSE_HEAD)
    async with watch.over():
        head = server.send(_onward(line, request)) or b""
        await _forward(head, meter.send, lambda data: _write(line, data), watch)
        server.send(h11.EndOfMessage())
        try:
            async for event in events(line, server):
                if data := client.send(event):
                    await _forward(data, meter.receive, stream.write, watch)
        except h11.ProtocolError as error:
            raise HostUnreachable(f"{request.endpoint} does not speak HTTP/1.1.") from error


def _onward(line: Line, request: ProxyRequest) -> h11.Request:
    host = host_header(request.endpoint)
    headers = [(b"Host", host), *request.headers, (b"Connection", b"close")]
    target = request.path.encode()
    if line.whole_urls:
        target = b"http://" + host + target
        if line.credentials:
            headers.append((b"Proxy-Authorization", line.credentials))
    return h11.Request(method=request.method, target=target, headers=headers)


async def events(line: Line, server: h11.Connection) -> AsyncIterator[h11.Response | h11.Data | h11.EndOfMessage]:
    """What the outside answers, with end-to-end headers only, as it comes. h11.RemoteProtocolError."""
    hints = 0
    while True:
        event = server.next_event()
        if event is h11.NEED_DATA:
            server.receive_data(await line.reader.read(CHUNK))
        elif isinstance(event, h11.InformationalResponse):
            hints += 1
            if hints > MOST_HINTS:
                raise h11.RemoteProtocolError("too many informational answers")
        elif isinstance(event, h11.Response):
            yield _back(event)
        elif isinstance(event, h11.Data):
            yield h11.Data(data=event.data)
        elif isinstance(event, h11.EndOfMessage):
            yield h11.EndOfMessage()
            return
        else:
            raise h11.RemoteProtocolError("the connection ended in the middle")


def _back(response: h11.Response) -> h11.Response:
    headers = tuple(response.headers)
    chunked = any(name == b"transfer-encoding" for name, _ in headers)
    kept = end_to_end(headers, drop=b"content-length" if chunked else b"")
    return h11.Response(
        status_code=response.status_code, headers=[*kept, (b"Connection", b"close")], reason=response.reason
    )
