"""One connection to a server of the tests: requests in, replies out, and the ways in which a connection breaks."""

import asyncio
import socket
import struct
from collections.abc import Callable, Mapping, Sequence
from typing import assert_never

from tests.wire.dialect import Dialect
from tests.wire.replies import Break, Embed, Json, Raw, Refuse, Reply, Request, Say, Trouble

FRAGMENT_BYTES = 30
DROP_S = 0.01
RESET_S = 0.02
Answers = Callable[[Request], tuple[Reply | Sequence[str], Json]]


class Connection(asyncio.Protocol):
    """Answers one request after the other; a caller that leaves ends the answer to it."""

    def __init__(self, dialect: Dialect, answers: Answers, open_ones: "set[Connection]") -> None:
        self._dialect = dialect
        self._answers = answers
        self._open_ones = open_ones
        self._came = bytearray()
        self._transport: asyncio.Transport | None = None
        self.answering: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody called."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._open_ones.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """The caller has left, or the answer was one that breaks."""
        if self.answering is not None:
            self.answering.cancel()
        else:
            self._open_ones.discard(self)

    def abort(self) -> None:
        """Ends the connection at once."""
        self._wire.abort()

    def data_received(self, data: bytes) -> None:
        """A part of a request, or of several."""
        self._came += data
        self._next()

    @property
    def _wire(self) -> asyncio.Transport:
        assert self._transport is not None
        return self._transport

    def _next(self) -> None:
        request = _taken(self._came) if self.answering is None and not self._wire.is_closing() else None
        if request is not None:
            self.answering = asyncio.get_running_loop().create_task(self._answer(request))
            self.answering.add_done_callback(self._answered)

    def _answered(self, task: asyncio.Task[None]) -> None:
        self.answering = None
        if not task.cancelled() and task.exception() is not None:
            self._wire.abort()
            task.result()
        if self._wire.is_closing():
            self._open_ones.discard(self)
        self._next()

    async def _answer(self, request: Request) -> None:
        reply, body = self._answers(request)
        match reply:
            case Say() if self._dialect.streams(body):
                await self._stream(self._dialect.pieces(reply, body), self._dialect.stream_type)
            case Say():
                self._send(200, self._dialect.whole(reply, body))
            case Embed():
                self._send(200, self._dialect.vectors(reply, body))
            case Refuse():
                found = self._dialect.error(reply) if reply.body is None else reply.body
                self._send(reply.status, found, reply.headers)
            case Raw():
                kind = self._dialect.stream_type if self._dialect.streams(body) else "application/json"
                self._send(200, reply.body, {"content-type": reply.content_type or kind})
            case Break():
                await self._break(reply, body)
            case Sequence():
                self._send(200, self._dialect.listing(reply))
            case _:
                assert_never(reply)
        if request.headers.get("connection", "").lower() == "close":
            self._wire.close()

    def _send(self, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        fields = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        self._wire.write(f"HTTP/1.1 {status} Test\r\n{lines}\r\n".encode() + body)

    async def _stream(self, pieces: Sequence[bytes], content_type: str) -> None:
        await self._begin(pieces, content_type)
        self._wire.write(b"0\r\n\r\n")

    async def _begin(self, pieces: Sequence[bytes], content_type: str) -> None:
        fields = f"content-type: {content_type}\r\ntransfer-encoding: chunked\r\n"
        self._wire.write(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode())
        for piece in pieces:
            self._piece(piece)
            await asyncio.sleep(0)

    def _piece(self, piece: bytes) -> None:
        self._wire.write(b"%x\r\n%s\r\n" % (len(piece), piece))

    async def _break(self, reply: Break, body: Json) -> None:
        if self._dialect.streams(body):
            pieces, kind, drop = self._dialect.pieces(reply.reply, body), self._dialect.stream_type, self._dialect.drop
        else:
            whole, kind, drop = self._dialect.whole(reply.reply, body), "application/json", b" "
            pieces = [whole[start : start + FRAGMENT_BYTES] for start in range(0, len(whole), FRAGMENT_BYTES)]
        if reply.after is not None:
            await self._begin(pieces[: reply.after], kind)
        match reply.trouble:
            case Trouble.HANG:
                await asyncio.Event().wait()
            case Trouble.DRIP:
                while True:
                    self._piece(drop)
                    await asyncio.sleep(DROP_S)
            case Trouble.RESET:
                # What was written may be on its way still; with a reset it could be lost, which no test wants.
                await asyncio.sleep(RESET_S)
                linger = struct.pack("ii", 1, 0)
                self._wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self._wire.abort()
            case Trouble.CUT:
                self._wire.close()


def _taken(came: bytearray) -> Request | None:
    """The request at the beginning, taken away from there, or None when it is not whole yet."""
    end = came.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = came[:end].decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    size = int(headers.get("content-length", "0"))
    start = end + len(b"\r\n\r\n")
    if len(came) < start + size:
        return None
    body = bytes(came[start : start + size])
    del came[: start + size]
    return Request(method, path, headers, body)
