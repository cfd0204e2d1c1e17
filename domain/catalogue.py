"""What is known of models: how much they take, what they can do, and what they are good for."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Self

from pydantic import Field, field_serializer, model_validator

from domain.base import Value
from domain.patterns import best_fit, is_family


class Capability(StrEnum):
    """What a model can do besides answering in text."""

    TOOLS = "tools"
    JSON_SCHEMA = "json_schema"
    IMAGES = "images"
    REASONING = "reasoning"
    EMBEDDINGS = "embeddings"


class ModelInfo(Value):
    """A model, or with a glob for an ``id`` a family of them. Lengths are tokens.

    The defaults are careful, and hold for a model of which nothing is known (``known`` is False): nothing is
    promised then, and whoever can find out by trying may try. ``strength`` is 1 for small models and 5 for the
    strongest. ``roles`` are those of specialists that it suits, and ``embed``; they are shown to people. ``default``:
    it is taken where none is named.
    """

    provider: str = Field(min_length=1)
    id: str = Field(min_length=1)
    context_tokens: int = Field(default=8192, gt=0)
    output_tokens: int = Field(default=4096, gt=0)
    capabilities: frozenset[Capability] = frozenset()
    strength: int = Field(default=2, ge=1, le=5)
    roles: tuple[str, ...] = ()
    default: bool = False
    known: bool = True

    @field_serializer("capabilities")
    def _sorted(self, capabilities: frozenset[Capability]) -> list[str]:
        return sorted(capabilities)

    @model_validator(mode="after")
    def _a_default_is_one_model(self) -> Self:
        if self.default and is_family(self.id):
            raise ValueError("a family of models cannot be the default; give the id of one")
        return self


class Catalogue:
    """Models by provider and id. Of two entries for the same, the later one holds. ``published_context`` says how
    many tokens a model takes whose entry does not tell."""

    def __init__(
        self, entries: Iterable[ModelInfo], published_context: Callable[[str, str], int | None] = lambda *_: None
    ) -> None:
        self._published_context = published_context
        self._entries: dict[str, dict[str, ModelInfo]] = {}
        for entry in entries:
            known = self._entries.setdefault(entry.provider, {})
            if entry.default:
                known |= {name: one.model_copy(update={"default": False}) for name, one in known.items()}
            known[entry.id] = entry
        self._found = lru_cache(maxsize=4096)(self._find)

    def find(self, provider: str, model: str) -> ModelInfo:
        """What is known of a model: the entry for its id goes before the longest glob that fits."""
        return self._found(provider, model)

    def all(self) -> tuple[ModelInfo, ...]:
        """Every entry, in the order in which they were given."""
        return tuple(entry for known in self._entries.values() for entry in known.values())

    def default(self, provider: str) -> ModelInfo | None:
        """The provider's model that is taken where none is named."""
        return next((entry for entry in self._entries.get(provider, {}).values() if entry.default), None)

    def _find(self, provider: str, model: str) -> ModelInfo:
        known = self._entries.get(provider, {})
        pattern = best_fit(known, model)
        info = ModelInfo(provider=provider, id=model, known=False) if pattern is None else known[pattern]
        changes: dict[str, object] = {"id": model}
        if "context_tokens" not in info.model_fields_set:
            length = self._published_context(provider, model)
            changes |= {"context_tokens": length} if length else {}
        return info.model_copy(update=changes)
