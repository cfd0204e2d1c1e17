"""Recording what a provider is asked and says."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from app.cassettes import cassette
from domain.chat import Delta, EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import SoundstageError
from gateway.base import Provider

R = TypeVar("R", ModelReply, EmbeddingReply)
Pieces = Sequence[tuple[float, Delta]]


class Recorder:
    """Another provider, whose exchanges are in a cassette before anybody acts on them.

    ``redact`` takes secrets out of a text. An exchange that its caller leaves in the middle is not recorded.
    """

    def __init__(self, provider: Provider, path: Path, redact: Callable[[str], str]) -> None:
        self._provider = provider
        self._path = path
        self._redact = redact
        self._turn = asyncio.Lock()
        self.name, self.local, self.announcement = provider.name, provider.local, provider.announcement
        self.streams_schemas = provider.streams_schemas

    async def start(self) -> None:
        """Makes the file. OutputRefused where it is there already, or cannot be made."""
        await asyncio.to_thread(cassette.begin, self._path, self.name)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The provider's reply."""
        return await self._whole(request, self._provider.complete(request))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """The provider's vectors."""
        return await self._whole(request, self._provider.embed(request))

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
                    await self._add(request, started, error, pieces)
                    raise
                if isinstance(piece, Delta):
                    pieces.append((time.monotonic() - started, piece))
                else:
                    await self._add(request, started, piece, pieces)
                yield piece

    async def models(self) -> list[str]:
        """The provider's models; that is not recorded."""
        return await self._provider.models()

    async def close(self) -> None:
        """Closes the provider."""
        await self._provider.close()

    async def _whole(self, request: ModelRequest | EmbeddingRequest, asking: Awaitable[R]) -> R:
        started = time.monotonic()
        try:
            reply = await asking
        except SoundstageError as error:
            await self._add(request, started, error)
            raise
        await self._add(request, started, reply)
        return reply

    async def _add(
        self,
        request: ModelRequest | EmbeddingRequest,
        started: float,
        end: ModelReply | EmbeddingReply | SoundstageError,
        pieces: Pieces = (),
    ) -> None:
        ended: dict[str, Any] = (
            {"fault": cassette.Fault.of(end)} if isinstance(end, SoundstageError) else {"reply": end}
        )
        exchange = cassette.Exchange(
            request=request, pieces=self._joined(pieces), seconds=time.monotonic() - started, **ended
        )
        redacted = self._redacted(exchange.model_dump(mode="json"))
        async with self._turn:
            await asyncio.to_thread(cassette.add, self._path, redacted)

    def _joined(self, pieces: Pieces) -> tuple[tuple[float, Delta], ...]:
        """The pieces, or one in their place where they spell a secret only together."""
        text = "".join(piece.text for _, piece in pieces)
        reasoning = "".join(piece.reasoning for _, piece in pieces)
        if (self._redact(text), self._redact(reasoning)) == (text, reasoning):
            return tuple(pieces)
        return ((pieces[-1][0], Delta(text=text, reasoning=reasoning)),)

    def _redacted(self, value: Any) -> Any:
        match value:
            case str():
                return self._redact(value)
            case list():
                return [self._redacted(item) for item in value]
            case dict():
                return {self._redact(name): self._redacted(item) for name, item in value.items()}
            case _:
                return value
