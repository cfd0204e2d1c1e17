"""Replaying a cassette: the same replies to the same requests, without a provider."""

import asyncio
import collections
from collections.abc import AsyncGenerator
from pathlib import Path

from app.cassettes.cassette import Cassette, Exchange
from app.cassettes.request_form import Form, alike, difference, form_of
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import NotRecorded
from domain.text import one_line


class Player:
    """A provider that says again what was recorded. Equal requests get their replies in the order of the recording.

    A request is found by its form, see ``request_form``. ``pace`` 1 takes the time that it took, and 0 none.
    """

    name = "replay"
    local = True
    streams_schemas = False  # not every one that was recorded did

    def __init__(self, path: Path, cassette: Cassette, pace: float = 0.0) -> None:
        self._path = path
        self._exchanges = cassette.exchanges
        self._pace = pace
        self._forms = [form_of(exchange.request) for exchange in self._exchanges]
        self._left: dict[Form, collections.deque[Exchange]] = collections.defaultdict(collections.deque)
        for form, exchange in zip(self._forms, self._exchanges, strict=True):
            self._left[form].append(exchange)
        self.announcement = (
            f"This is a replay of {path}: what the model says was recorded with {cassette.provider}. No key is needed, "
            "nothing is sent and nothing is spent. The containers, the tests and the verification are real."
        )

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded reply. NotRecorded, or the error that was recorded."""
        *_, reply = [piece async for piece in self.stream(request)]
        assert isinstance(reply, ModelReply)
        return reply

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """The recorded pieces and the reply. NotRecorded, or the error that was recorded."""
        exchange, started = self._take(request), asyncio.get_running_loop().time()
        for at, piece in exchange.pieces:
            await self._wait(started, at)
            yield piece
        reply = await self._end(exchange, started)
        assert isinstance(reply, ModelReply)
        yield reply

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """The recorded vectors. NotRecorded, or the error that was recorded."""
        reply = await self._end(self._take(request), asyncio.get_running_loop().time())
        assert isinstance(reply, EmbeddingReply)
        return reply

    async def models(self) -> list[str]:
        """The models that were asked."""
        return list(dict.fromkeys(exchange.request.model for exchange in self._exchanges))

    async def close(self) -> None:
        """Nothing is open."""

    def _take(self, request: ModelRequest | EmbeddingRequest) -> Exchange:
        form = form_of(request)
        if left := self._left.get(form):
            return left.popleft()
        raise NotRecorded(f"{self._unknown(request, form)} Record it anew with --record.")

    def _unknown(self, request: ModelRequest | EmbeddingRequest, form: Form) -> str:
        asked = f"The replay met a request that {self._path} has no answer to ({_described(request)})."
        if not self._exchanges:
            return f"{asked} Nothing at all was recorded."
        if times := self._forms.count(form):
            return f"{asked} It was recorded {times} times, and now it came once more."
        number = max(range(len(self._forms)), key=lambda at: alike(self._forms[at], form))
        nearest = f"exchange {number + 1} ({_described(self._exchanges[number].request)})"
        return f"{asked} The nearest is {nearest}. They differ first in {difference(self._forms[number], form)}."

    async def _wait(self, started: float, until: float) -> None:
        if self._pace:
            passed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(0.0, until * self._pace - passed))

    async def _end(self, exchange: Exchange, started: float) -> ModelReply | EmbeddingReply:
        await self._wait(started, exchange.seconds)
        if exchange.fault is not None:
            raise exchange.fault.restored()
        assert exchange.reply is not None
        return exchange.reply


def _described(request: ModelRequest | EmbeddingRequest) -> str:
    if isinstance(request, EmbeddingRequest):
        return f"to {request.model}: {len(request.texts)} texts to embed"
    said = request.messages[-1].content if request.messages else ""
    return f"to {request.model}: {len(request.messages)} messages, the last one {one_line(said, 60)!r}"
