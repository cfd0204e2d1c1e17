"""What a call costs."""

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from domain.chat import Usage
from domain.money import NanoUsd
from domain.patterns import best_fit
from domain.tariff import FREE_OF_CHARGE, Tariff, WrittenPrice
from gateway.published import published, published_tariff

FREE_PROVIDERS = frozenset({"scripted", "ollama"})
"""Providers that run on the person's own machine, or not at all: their calls cost nothing."""


class Prices:
    """The prices of models: those that were written down go first. A model's price is looked for once in a minute."""

    def __init__(self, written: Iterable[WrittenPrice] = ()) -> None:
        self._written: dict[str, dict[str, WrittenPrice]] = {}
        for price in written:
            self._written.setdefault(price.provider, {})[price.id] = price
        self._found = lru_cache(maxsize=4096)(self._find)

    def cost(self, provider: str, model: str, usage: Usage, local: bool = False) -> NanoUsd | None:
        """What a call costs, rounded up; None when no price is known. Never a guess. ``local`` endpoints are free."""
        tariff = self.tariff(provider, model, local)
        return None if tariff is None else tariff.cost(usage)

    def tariff(self, provider: str, model: str, local: bool = False) -> Tariff | None:
        """What the model's tokens cost now; None when no price is known."""
        return self._found(provider, model, local, int(time.time()) // 60)

    def _find(self, provider: str, model: str, local: bool, minute: int) -> Tariff | None:
        """What they cost in a minute since 1970: published prices change at a date, or with the time of day."""
        written = self._written.get(provider, {})
        pattern = best_fit(written, model)
        if pattern is not None:
            return written[pattern].tariff()
        if local or provider in FREE_PROVIDERS:
            return FREE_OF_CHARGE
        listed = published(provider, model)
        return published_tariff(listed, datetime.fromtimestamp(minute * 60, UTC)) if listed is not None else None
