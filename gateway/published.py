"""Published prices and lengths of models. Source: the offline list of ``genai-prices``."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.tariff import NOTHING, Rates, Tariff

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo as Published
    from genai_prices.types import TieredPrices

PUBLISHED_PROVIDERS = frozenset({"openai", "groq", "mistral"})
"""Providers whose price list we have, by its ids. Another server may ask anything for a model of the same name."""


def published(provider: str, model: str) -> "Published | None":
    """What ``genai-prices`` knows of a model, or None."""
    if provider not in PUBLISHED_PROVIDERS:
        return None
    from genai_prices.data_snapshot import get_snapshot

    try:
        return get_snapshot().find_provider_model(model, None, provider, None)[1]
    except LookupError:
        return None


def published_context(provider: str, model: str) -> int | None:
    """How many tokens a model takes, where that is published."""
    listed = published(provider, model)
    return listed.context_window if listed is not None else None


def published_tariff(listed: "Published", at: datetime) -> Tariff | None:
    """A published price at a time; None when the model's tokens have none: it is sold by the hour or by the page."""
    from genai_prices.types import TieredPrices

    prices = listed.get_prices(at)
    if prices.input_mtok is None and any(price is not None for price in vars(prices).values()):
        return None
    cached = prices.input_mtok if prices.cache_read_mtok is None else prices.cache_read_mtok
    written = prices.input_mtok if prices.cache_write_mtok is None else prices.cache_write_mtok
    four = (prices.input_mtok, cached, written, prices.output_mtok)
    starts = {tier.start for price in four if isinstance(price, TieredPrices) for tier in price.tiers}

    def rates(above: int) -> Rates:
        of_input, of_cached, of_written, of_output = (_rate(price, above) for price in four)
        return Rates(input=of_input, cached_input=of_cached, cache_write=of_written, output=of_output)

    return Tariff(rates(-1), tuple((start, rates(start)) for start in sorted(starts)))


def _rate(price: "Decimal | TieredPrices | None", above: int) -> Decimal:
    if price is None or isinstance(price, Decimal):
        return price or NOTHING
    return next((tier.price for tier in reversed(price.tiers) if above >= tier.start), price.base)
