"""A cassette that is being written: by all providers of a run, one exchange after the other."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from app.cassettes import cassette
from app.cassettes.cassette import Embedding, Head, Talk
from domain.chat import Delta
from domain.redaction import Redactor


class Tape:
    """What is recorded in one file. ``secrets`` are taken out of it: those that are known when it starts."""

    def __init__(self, path: Path, secrets: list[SecretStr]) -> None:
        self._path = path
        self._secrets = secrets
        self._redactor = Redactor(())
        self._providers: Counter[str] = Counter()
        self._turn = asyncio.Lock()

    def join(self, provider: str) -> None:
        """Takes note of a provider, once for each of its keys."""
        self._providers[provider] += 1

    async def start(self, route: str) -> None:
        """Makes the file. OutputRefused where it is there already, or cannot be made."""
        self._redactor = Redactor(self._secrets)
        head = Head(route=route, providers=self._providers)
        await asyncio.to_thread(cassette.begin, self._path, head)

    async def add(self, exchange: Talk | Embedding) -> None:
        """Writes an exchange down, durably. OutputRefused."""
        redacted = self._redacted(exchange.model_dump(mode="json"))
        async with self._turn:
            await asyncio.to_thread(cassette.add, self._path, redacted)

    def joined(self, pieces: list[tuple[float, Delta]]) -> tuple[tuple[float, Delta], ...]:
        """The pieces, or one in their place where they spell a secret only together."""
        text = "".join(piece.text for _, piece in pieces)
        reasoning = "".join(piece.reasoning for _, piece in pieces)
        if (self._redactor.text(text), self._redactor.text(reasoning)) == (text, reasoning):
            return tuple(pieces)
        return ((pieces[-1][0], Delta(text=text, reasoning=reasoning)),)

    def _redacted(self, value: Any) -> Any:
        match value:
            case str():
                return self._redactor.text(value)
            case list():
                return [self._redacted(item) for item in value]
            case dict():
                return {self._redactor.text(name): self._redacted(item) for name, item in value.items()}
            case _:
                return value
