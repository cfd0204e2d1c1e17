"""All that is known of a project, within one budget of tokens."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from domain.base import Value
from domain.errors import SoundstageError
from domain.files import FileTree
from domain.tokens import estimate_text
from mcp_server.context.provider import ContextProvider, Topic

PROVIDER_S = 90.0
"""Longer than reading a whole repository may take."""


class Gathered(Value):
    """Context as text, and notes on what could not be told."""

    text: str = ""
    notes: tuple[str, ...] = ()


class Part(NamedTuple):
    """A provider with its share of a budget, from 0 to 1; the last one gets all that is left."""

    provider: ContextProvider
    share: float


class ProjectContext:
    """Asks providers in their order: what stays the same from task to task goes before what changes, so that model
    servers can keep what they made of it. A provider that fails becomes a note, and the work goes on."""

    def __init__(self, parts: Sequence[Part] = (), provider_s: float = PROVIDER_S) -> None:
        self._parts = tuple(parts)
        self._provider_s = provider_s

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the providers."""
        return tuple(part.provider.name for part in self._parts)

    async def gather(self, files: FileTree, topic: Topic, budget_tokens: int) -> Gathered:
        """What every provider knows of a tree, in at most ``budget_tokens`` by our estimate."""
        texts: list[str] = []
        notes: list[str] = []
        for at, part in enumerate(self._parts):
            left = budget_tokens - estimate_text("\n\n".join([*texts, ""]))
            last = at == len(self._parts) - 1
            found = await self._ask(
                part.provider, files, topic, left if last else min(left, int(budget_tokens * part.share))
            )
            texts += [found.text] if found.text else []
            notes += found.notes
        return Gathered(text="\n\n".join(texts), notes=tuple(notes))

    async def one(self, name: str, files: FileTree, topic: Topic, budget_tokens: int) -> Gathered:
        """What the provider of that name knows. KeyError."""
        providers = {part.provider.name: part.provider for part in self._parts}
        return await self._ask(providers[name], files, topic, budget_tokens)

    async def _ask(self, provider: ContextProvider, files: FileTree, topic: Topic, budget_tokens: int) -> Gathered:
        try:
            async with asyncio.timeout(self._provider_s):
                text = await provider.give(files, topic, budget_tokens)
        except TimeoutError:
            return Gathered(notes=(f"The {provider.name} could not be told in {self._provider_s:.0f} s.",))
        except Exception as error:  # noqa: BLE001 - a tree may hold anything, and the work does not depend on this
            why = str(error) if isinstance(error, SoundstageError) else repr(error)[:200]
            return Gathered(notes=(f"The {provider.name} could not be told: {why}",))
        return Gathered(text=text)
