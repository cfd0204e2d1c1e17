"""Replaying a cassette: the same replies to the same requests, without a provider."""

import asyncio
from collections.abc import AsyncGenerator

from app.cassettes.cassette import Embedding, Talk
from app.cassettes.playback import Playback
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest

REPLAYED = "replay-"
"""Stands before the name of a provider that is replayed: in the ledger it is none that was paid."""


class Player:
    """A provider that says again what was recorded of it. ``pace`` 1 takes the time that it took, and 0 none."""

    local = True
    streams_schemas = False  # not every one that was recorded did

    def __init__(self, provider: str, playback: Playback, pace: float = 0.0) -> None:
        self.name = f"{REPLAYED}{provider}"
        self._provider = provider
        self._playback = playback
        self._pace = pace
        self.announcement = (
            f"This is a replay of {playback.path}: what the model says was recorded with "
            f"{', '.join(playback.providers)}. No key is needed, nothing is sent and nothing is spent. "
            "The containers, the tests and the verification are real."
        )

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The recorded reply. NotRecorded, or the error that was recorded."""
        *_, reply = [piece async for piece in self.stream(request)]
        assert isinstance(reply, ModelReply)
        return reply

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """The recorded pieces and the reply. NotRecorded, or the error that was recorded."""
        exchange, started = self._playback.take(self._provider, request), asyncio.get_running_loop().time()
        assert isinstance(exchange, Talk)
        for at, piece in exchange.pieces:
            await self._wait(started, at)
            yield piece
        reply = await self._end(exchange, started)
        assert isinstance(reply, ModelReply)
        yield reply

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """The recorded vectors. NotRecorded, or the error that was recorded."""
        exchange = self._playback.take(self._provider, request)
        reply = await self._end(exchange, asyncio.get_running_loop().time())
        assert isinstance(reply, EmbeddingReply)
        return reply

    async def models(self) -> list[str]:
        """The models that were asked of this provider."""
        asked = [one for one in self._playback.exchanges if one.provider == self._provider]
        return list(dict.fromkeys(exchange.request.model for exchange in asked))

    async def close(self) -> None:
        """Nothing is open."""

    async def _wait(self, started: float, until: float) -> None:
        if self._pace:
            passed = asyncio.get_running_loop().time() - started
            await asyncio.sleep(max(0.0, until * self._pace - passed))

    async def _end(self, exchange: Talk | Embedding, started: float) -> ModelReply | EmbeddingReply:
        await self._wait(started, exchange.seconds)
        if exchange.fault is not None:
            raise exchange.fault.restored()
        assert exchange.reply is not None
        return exchange.reply
