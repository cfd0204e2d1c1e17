"""What passes between an external server and the SDK: answers to what was asked, and nothing else."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from types import TracebackType

import anyio
import mcp.types as types
from anyio.streams.memory import MemoryObjectReceiveStream
from mcp.shared.dispatcher import coerce_request_id
from mcp.shared.message import SessionMessage

WAITING = 64
"""Messages to the server that may wait until it takes them."""
NOISE_BYTES = 4 * 2**20
NOISE_BYTES_PER_S = 128 * 1024
MESSAGE_COST = 512
"""What a message counts for besides its bytes."""
REFUSED = "Soundstage offers nothing of that kind to servers."

Incoming = SessionMessage | Exception


class Flooded(Exception):
    """The server sends far more than it was asked for. It was cut off."""


class Allowance:
    """How much noise a server may make: a supply of bytes that fills up again with time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._left = float(NOISE_BYTES)
        self._at = clock()

    def take(self, size: int) -> None:
        """Counts a message that nobody asked for. Flooded when there was too much of it."""
        now = self._clock()
        self._left = min(NOISE_BYTES, self._left + (now - self._at) * NOISE_BYTES_PER_S) - size - MESSAGE_COST
        self._at = now
        if self._left < 0:
            raise Flooded


class Gate:
    """The SDK's end of a connection: ``incoming`` is what it reads, and it writes to the gate itself.

    An answer to a request passes, once. A server that asks for something (sampling, elicitation, roots) is refused,
    a ping is answered, a changed list of tools is noted in ``changed``, and the rest is dropped: progress, logging,
    answers to ids that nobody gave out.
    """

    def __init__(self, allowance: Allowance | None = None) -> None:
        self._deliver, self.incoming = anyio.create_memory_object_stream[Incoming](WAITING)
        self._outgoing: asyncio.Queue[SessionMessage | None] = asyncio.Queue(WAITING)
        self._asked: set[int | str] = set()
        self._allowance = allowance or Allowance()
        self._closed = False
        self.changed = False

    async def send(self, item: SessionMessage, /) -> None:
        """Takes a message for the server; never waits for it. BrokenResourceError when it takes none."""
        try:
            if self._closed:
                raise asyncio.QueueFull
            self._outgoing.put_nowait(item)
        except asyncio.QueueFull:
            raise anyio.BrokenResourceError from None
        if isinstance(item.message, types.JSONRPCRequest):
            self._asked.add(coerce_request_id(item.message.id))

    async def outgoing(self) -> AsyncGenerator[SessionMessage]:
        """The messages for the server, as they come."""
        while (item := await self._outgoing.get()) is not None:
            yield item

    async def deliver(self, item: SessionMessage, size: int) -> None:
        """Takes a message of the server, which has so many bytes. Flooded."""
        message = item.message
        if isinstance(message, types.JSONRPCResponse | types.JSONRPCError):
            asked = coerce_request_id(message.id) if message.id is not None else None
            if asked in self._asked:
                self._asked.discard(asked)
                await self._deliver.send(item)
                return
        self.noise(size)
        if isinstance(message, types.JSONRPCNotification):
            self.changed |= message.method == "notifications/tools/list_changed"
        elif isinstance(message, types.JSONRPCRequest):
            self._reply(message)

    def noise(self, size: int) -> None:
        """Counts bytes that mean nothing. Flooded."""
        self._allowance.take(size)

    def _reply(self, request: types.JSONRPCRequest) -> None:
        reply: types.JSONRPCMessage
        if request.method == "ping":
            reply = types.JSONRPCResponse(jsonrpc="2.0", id=request.id, result={})
        else:
            error = types.ErrorData(code=types.METHOD_NOT_FOUND, message=REFUSED)
            reply = types.JSONRPCError(jsonrpc="2.0", id=request.id, error=error)
        if not self._outgoing.full():
            self._outgoing.put_nowait(SessionMessage(reply))

    def end(self) -> None:
        """Nothing more comes from the server: whoever waits for an answer is told."""
        self._closed = True
        self._deliver.close()

    def dispose(self) -> None:
        """It is of no use any more."""
        self.end()
        self.incoming.close()

    async def aclose(self) -> None:
        """Nothing more goes to the server."""
        self._closed = True
        if self._outgoing.full():
            self._outgoing.get_nowait()
        self._outgoing.put_nowait(None)

    async def __aenter__(self) -> "Gate":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


class GatedStreams:
    """The two streams of a gate, as the SDK's client takes a transport."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    async def __aenter__(self) -> tuple[MemoryObjectReceiveStream[Incoming], Gate]:
        return self._gate.incoming, self._gate

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._gate.dispose()
