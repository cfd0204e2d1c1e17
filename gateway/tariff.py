"""What a model's tokens cost. Sources: prices that a person wrote down, and the offline list of ``genai-prices``."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from domain.base import Value
from domain.chat import Usage
from domain.money import NanoUsd, from_usd

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo as Published
    from genai_prices.types import TieredPrices

PUBLISHED_PROVIDERS = frozenset({"openai", "groq", "mistral"})
"""Providers whose price list we have, by its ids. Another server may ask anything for a model of the same name."""

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)
PerMillion = Annotated[Decimal, Field(ge=0, le=MILLION, decimal_places=9)]


class Rates(Value):
    """USD for a million tokens: of input, of input from the provider's cache, of output."""

    input: PerMillion
    cached_input: PerMillion
    output: PerMillion


@dataclass(frozen=True, slots=True)
class Tariff:
    """Rates, and the rates for all tokens of a call with more than so many tokens of input, the longest call last."""

    base: Rates
    steps: tuple[tuple[int, Rates], ...] = ()

    def cost(self, usage: Usage) -> NanoUsd:
        """Nano-USD, exact and then rounded up once."""
        rates = self.base
        for above, dearer in self.steps:
            if usage.input_tokens > above:
                rates = dearer
        cached = min(usage.cached_tokens, usage.input_tokens)
        total = (usage.input_tokens - cached) * rates.input + cached * rates.cached_input
        return from_usd((total + usage.output_tokens * rates.output) / MILLION)


FREE_OF_CHARGE = Tariff(Rates(input=NOTHING, cached_input=NOTHING, output=NOTHING))


def published(provider: str, model: str) -> "Published | None":
    """What ``genai-prices`` knows of a model, or None."""
    if provider not in PUBLISHED_PROVIDERS:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def published_tariff(listed: "Published", at: datetime) -> Tariff | None:
    """A published price at a time; None when the model's tokens have none: it is sold by the hour or by the page."""
    from genai_prices.types import TieredPrices

    prices = listed.get_prices(at)
    if prices.input_mtok is None and any(price is not None for price in vars(prices).values()):
        return None
    cached = prices.input_mtok if prices.cache_read_mtok is None else prices.cache_read_mtok
    three = (prices.input_mtok, cached, prices.output_mtok)
    starts = {tier.start for price in three if isinstance(price, TieredPrices) for tier in price.tiers}

    def rates(above: int) -> Rates:
        of_input, of_cached, of_output = (_rate(price, above) for price in three)
        return Rates(input=of_input, cached_input=of_cached, output=of_output)

    return Tariff(rates(-1), tuple((start, rates(start)) for start in sorted(starts)))


def _rate(price: "Decimal | TieredPrices | None", above: int) -> Decimal:
    if price is None or isinstance(price, Decimal):
        return price or NOTHING
    return next((tier.price for tier in reversed(price.tiers) if above >= tier.start), price.base)
