from datetime import UTC, date, datetime, time
from decimal import Decimal

import genai_prices
import pytest
from genai_prices.data_snapshot import get_snapshot
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.chat import MOST_TOKENS, Usage
from domain.money import NanoUsd, from_usd
from gateway.published import PUBLISHED_PROVIDERS, published, published_tariff

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SOLD_BY_TOKENS = [
    (provider, model)
    for provider in get_snapshot().providers
    if provider.id in PUBLISHED_PROVIDERS
    for model in provider.models
    if published_tariff(model, NOW) is not None
]
COUNTS = st.integers(0, 2_000_000) | st.sampled_from([271_999, 272_000, 272_001, 10**9])
USAGES = st.builds(Usage, input_tokens=COUNTS, cached_tokens=COUNTS, cache_write_tokens=COUNTS, output_tokens=COUNTS)
TIMES = st.datetimes(datetime(2025, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC))


def reference(model: ModelInfo, usage: Usage, at: datetime) -> NanoUsd:
    """What genai-prices itself makes of it."""
    cached = min(usage.cached_tokens, usage.input_tokens)
    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        cache_read_tokens=cached,
        cache_write_tokens=min(usage.cache_write_tokens, usage.input_tokens - cached),
        output_tokens=usage.output_tokens,
    )
    return from_usd(model.get_prices(at).calc_price(tokens)["total_price"])


def test_most_of_the_published_models_are_sold_by_tokens() -> None:
    assert len(SOLD_BY_TOKENS) > 150
    assert {provider.id for provider, _ in SOLD_BY_TOKENS} == PUBLISHED_PROVIDERS


@pytest.mark.parametrize(
    "model", [model for _, model in SOLD_BY_TOKENS], ids=[f"{seller.id}-{model.id}" for seller, model in SOLD_BY_TOKENS]
)
@settings(deadline=None, max_examples=15)
@example(usage=Usage(input_tokens=272_001, cached_tokens=7, output_tokens=3), at=NOW)
@given(USAGES, TIMES)
def test_every_published_price_is_what_genai_prices_makes_of_it(model: ModelInfo, usage: Usage, at: datetime) -> None:
    tariff = published_tariff(model, at)
    assert tariff is not None
    assert tariff.cost(usage) == reference(model, usage, at)


def test_the_most_tokens_that_a_call_can_have_cost_no_more_than_a_ledger_can_hold() -> None:
    most = Usage(input_tokens=MOST_TOKENS, output_tokens=MOST_TOKENS)
    costs = [tariff.cost(most) for _, model in SOLD_BY_TOKENS if (tariff := published_tariff(model, NOW)) is not None]

    assert 0 < max(costs) < 2**63


SUMMER = StartDateConstraint(date(2026, 6, 1))
MORNING = TimeOfDateConstraint(start_time=time(6), end_time=time(12, 30))
TIERED = TieredPrices(base=Decimal("0.3"), tiers=[Tier(start=0, price=Decimal(1)), Tier(start=100, price=Decimal(2))])
INVENTED = ModelInfo(
    id="invented",
    match=ClauseEquals("invented"),
    prices=[
        ConditionalPrice(prices=ModelPrice(input_mtok=Decimal(10), output_mtok=TIERED)),
        ConditionalPrice(SUMMER, prices=ModelPrice(input_mtok=TIERED, output_mtok=TIERED)),
        ConditionalPrice(MORNING, prices=ModelPrice(input_mtok=TIERED, cache_read_mtok=Decimal(0))),
    ],
)


@settings(deadline=None)
@example(usage=Usage(input_tokens=10, cached_tokens=10), at=datetime(2026, 1, 1, 7, tzinfo=UTC))
@given(USAGES | st.builds(Usage, input_tokens=st.integers(0, 200), output_tokens=st.integers(0, 200)), TIMES)
def test_prices_by_date_by_the_hour_and_by_the_length_of_the_input_are_too(usage: Usage, at: datetime) -> None:
    tariff = published_tariff(INVENTED, at)
    assert tariff is not None
    assert tariff.cost(usage) == reference(INVENTED, usage, at)


@pytest.mark.parametrize(("provider", "model"), [("groq", "whisper-large-v3"), ("openai", "tts-1")])
def test_what_is_sold_by_the_hour_or_by_characters_has_no_price_in_tokens(provider: str, model: str) -> None:
    listed = published(provider, model)
    assert listed is not None
    assert published_tariff(listed, NOW) is None


def test_only_a_provider_with_a_price_list_has_published_prices() -> None:
    assert published("openai", "gpt-4o-mini") is not None
    assert published("openai", "unheard-of") is None
    assert published("anthropic", "claude-sonnet-5") is None
    assert published("openai-compatible", "gpt-4o-mini") is None
