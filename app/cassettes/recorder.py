"""Recording what a provider is asked and says."""

import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import TypeVar

from app.cassettes.cassette import Embedding, Fault, Talk
from app.cassettes.tape import Tape
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import SoundstageError
from gateway.base import Provider

R = TypeVar("R", ModelReply, EmbeddingReply)
Request = ModelRequest | EmbeddingRequest
Kind = Callable[..., Talk | Embedding]


class Recorder:
    """Another provider, whose exchanges are on a tape before anybody acts on them.

    An exchange that its caller leaves in the middle is not recorded.
    """

    def __init__(self, provider: Provider, tape: Tape) -> None:
        self._provider = provider
        self._tape = tape
        self.name, self.local, self.announcement = provider.name, provider.local, provider.announcement
        self.streams_schemas = provider.streams_schemas
        tape.join(self.name)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The provider's reply."""
        return await self._whole(Talk, request, self._provider.complete(request))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """The provider's vectors."""
        return await self._whole(Embedding, request, self._provider.embed(request))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """The provider's pieces."""
        started = time.monotonic()
        pieces: list[tuple[float, Delta]] = []
        async with contextlib.aclosing(self._provider.stream(request)) as stream:
            while True:
                try:
                    piece = await anext(stream)
                except StopAsyncIteration:
                    return
                except SoundstageError as error:
                    await self._add(Talk, request, started, error, pieces=self._tape.joined(pieces))
                    raise
                if isinstance(piece, Delta):
                    pieces.append((time.monotonic() - started, piece))
                else:
                    await self._add(Talk, request, started, piece, pieces=self._tape.joined(pieces))
                yield piece

    async def models(self) -> list[str]:
        """The provider's models; that is not recorded."""
        return await self._provider.models()

    async def close(self) -> None:
        """Closes the provider."""
        await self._provider.close()

    async def _whole(self, kind: Kind, request: Request, asking: Awaitable[R]) -> R:
        started = time.monotonic()
        try:
            reply = await asking
        except SoundstageError as error:
            await self._add(kind, request, started, error)
            raise
        await self._add(kind, request, started, reply)
        return reply

    async def _add(
        self,
        kind: Kind,
        request: Request,
        started: float,
        end: ModelReply | EmbeddingReply | SoundstageError,
        **more: object,
    ) -> None:
        ended = {"fault": Fault.of(end)} if isinstance(end, SoundstageError) else {"reply": end}
        seconds = time.monotonic() - started
        await self._tape.add(kind(provider=self.name, request=request, seconds=seconds, **ended, **more))
