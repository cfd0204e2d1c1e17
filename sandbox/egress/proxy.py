"""The allowlisting HTTP proxy: what package clients in a sandbox reach the outside through.

It takes CONNECT, and GET or HEAD with a whole http URL; one request a connection. It runs in the service, and the
sandbox's connections come to it as byte streams: the sandbox itself has no network.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import h11

from domain.errors import SandboxLost, TransferFailed
from domain.text import one_line
from sandbox.base import ByteStream
from sandbox.egress import relay
from sandbox.egress.allowlist import Allowlist
from sandbox.egress.contact import UNKNOWN, Contact, ContactBook, Outcome
from sandbox.egress.ending import cut, let_go
from sandbox.egress.endpoint import Endpoint
from sandbox.egress.limits import Allowance, EgressLimits, Meter
from sandbox.egress.outside import Line, Outside, UpstreamProxies
from sandbox.egress.refusal import BadRequest, HostUnreachable, LimitReached, Refusal
from sandbox.egress.request import HEAD_END, ProxyRequest, parse_head

PHRASES = {
    400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 408: "Request Timeout", 413: "Content Too Large",
    431: "Request Header Fields Too Large", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
}  # fmt: skip
ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"
PHRASE_CHARACTERS = 200


class EgressProxy:
    """Serves connections of one phase, and keeps the book of what it decided."""

    def __init__(
        self, allowlist: Allowlist, upstream: UpstreamProxies | None = None, limits: EgressLimits | None = None
    ) -> None:
        self._limits = limits or EgressLimits()
        self._outside = Outside(allowlist, upstream, self._limits.connect_s)
        self._allowance = Allowance(self._limits.bytes_in_all)
        self._book = ContactBook()
        self._open = self._seen = 0

    @property
    def contacts(self) -> tuple[Contact, ...]:
        """Every decision, added up by host and outcome."""
        return self._book.contacts()

    @property
    def exhausted(self) -> bool:
        """Whether more bytes were wanted than the limit lets through."""
        return self._allowance.exhausted

    @contextlib.asynccontextmanager
    async def serving(self, streams: AsyncIterator[ByteStream]) -> AsyncIterator["EgressProxy"]:
        """Serves ``streams`` while the context is open; whatever is still open at its end is cut."""
        task = asyncio.create_task(self.serve(streams))
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def serve(self, streams: AsyncIterator[ByteStream]) -> None:
        """Serves every stream that comes, each at its own pace, until there are no more."""
        async with asyncio.TaskGroup() as group:
            # A sandbox that is lost is said by the command that runs in it.
            with contextlib.suppress(SandboxLost):
                async for stream in streams:
                    self._seen += 1
                    group.create_task(self._serve_one(stream))

    async def _serve_one(self, stream: ByteStream) -> None:
        conversation = Conversation(stream, self._outside, self._limits, Meter(self._allowance))
        self._open += 1
        outcome, why = Outcome.CUT, "The phase ended first."
        try:
            outcome, why = await self._hold(conversation)
        except asyncio.CancelledError:
            await cut(stream)
            raise
        finally:
            self._open -= 1
            self._note(conversation, outcome, why)
        await let_go(stream)

    def _note(self, conversation: "Conversation", outcome: Outcome, why: str) -> None:
        if outcome is Outcome.PASSED and conversation.endpoint is UNKNOWN:
            return  # it ended before it asked for anything
        meter = conversation.meter
        self._book.add(conversation.endpoint, outcome, why, meter.sent, meter.received)

    async def _hold(self, conversation: "Conversation") -> tuple[Outcome, str]:
        try:
            async with asyncio.timeout(self._limits.connection_s):
                self._check_room()
                await conversation.hold()
        except TimeoutError:
            return Outcome.CUT, f"The connection lasted longer than {self._limits.connection_s:.0f} s."
        except Refusal as refusal:
            await conversation.answer(refusal)
            return _judged(refusal), str(refusal)
        except (OSError, SandboxLost, TransferFailed):
            # Either side may leave in the middle of a tunnel; that is theirs to notice.
            if conversation.endpoint is UNKNOWN:
                return Outcome.CUT, "The connection broke off."
        return Outcome.PASSED, ""

    def _check_room(self) -> None:
        limits = self._limits
        if self._seen > limits.connections_in_all:
            raise LimitReached(f"More than {limits.connections_in_all} connections were opened.")
        if self._open > limits.connections:
            raise LimitReached(f"More than {limits.connections} connections are open at once. Close some first.")


def _judged(refusal: Refusal) -> Outcome:
    match refusal:
        case HostUnreachable():
            return Outcome.UNREACHABLE
        case LimitReached():
            return Outcome.CUT
        case _:
            return Outcome.REFUSED


class Conversation:
    """One connection of the sandbox: its request, and what is made of it."""

    def __init__(self, stream: ByteStream, outside: Outside, limits: EgressLimits, meter: Meter) -> None:
        self._stream = stream
        self._outside = outside
        self._limits = limits
        self._answered = False
        self.meter = meter
        self.endpoint: Endpoint = UNKNOWN

    async def hold(self) -> None:
        """Reads the request and carries it out. Refusal, OSError."""
        try:
            async with asyncio.timeout(self._limits.head_s):
                head, early = await self._head()
        except TimeoutError:
            raise BadRequest(f"No whole request came within {self._limits.head_s:.0f} s.", 408) from None
        if not head:
            return
        request, client = parse_head(head, self._limits.headers)
        self.endpoint = request.endpoint
        if early and not request.tunnel:
            raise BadRequest("More than one request on a connection is refused.")
        line = await self._outside.open(request.endpoint, request.tunnel)
        try:
            await self._pass_on(request, client, line, early)
        finally:
            await line.close()

    async def _pass_on(self, request: ProxyRequest, client: h11.Connection, line: Line, early: bytes) -> None:
        watch = relay.Watch(self._limits.idle_s)
        if request.tunnel:
            self._answered = True
            await self._stream.write(ESTABLISHED)
            await relay.tunnel(self._stream, line, early, self.meter, watch)
        else:
            await relay.fetch(self._stream, line, request, client, self.meter, watch)

    async def _head(self) -> tuple[bytes, bytes]:
        """The request's head, and what came after it; both empty when the stream ends before anything came."""
        buffer = b""
        while (end := buffer.find(HEAD_END)) < 0:
            if len(buffer) > self._limits.head_bytes:
                break
            data = await self._stream.read()
            if not data:
                if buffer:
                    raise BadRequest("The request ends in the middle.")
                return b"", b""
            buffer += data
        end += len(HEAD_END)
        if not len(HEAD_END) <= end <= self._limits.head_bytes:
            raise BadRequest(f"The request's head is longer than {self._limits.head_bytes} bytes.", 431)
        return buffer[:end], buffer[end:]

    async def answer(self, refusal: Refusal) -> None:
        """Tells the client why it is refused, where it has had no answer yet."""
        if self._answered or self.meter.received:
            return
        # Clients show the phrase and not the body, when CONNECT is refused.
        phrase = one_line(f"{PHRASES[refusal.status]}: {refusal}", PHRASE_CHARACTERS)
        body = f"{refusal}\n".encode("ascii", "replace")
        head = (
            f"HTTP/1.1 {refusal.status} {phrase}\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        )
        with contextlib.suppress(OSError, SandboxLost, TransferFailed):
            async with asyncio.timeout(self._limits.head_s):
                await self._stream.write(head.encode("ascii", "replace") + body)
