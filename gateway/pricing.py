"""What a call costs. Source: the offline price list of the ``genai-prices`` package."""

import json
import math
from decimal import Decimal

from domain.chat import ModelRequest, Usage
from domain.money import FREE, NanoUsd, from_usd

BYTES_PER_TOKEN = 3
MESSAGE_OVERHEAD_TOKENS = 8
FREE_PROVIDERS = frozenset({"scripted", "ollama", "replay"})
"""Providers that run on the person's own machine, or not at all: their calls cost nothing."""

PRICED_PROVIDERS = frozenset({"openai"})
"""Providers whose price list we have. Another server may ask anything for a model of the same name."""


def price(provider: str, model: str, usage: Usage) -> NanoUsd | None:
    """The cost of a call in nano-USD, rounded up; None when no price is known. Never a guess."""
    if provider in FREE_PROVIDERS:
        return FREE
    if provider not in PRICED_PROVIDERS:
        return None
    import genai_prices

    tokens = genai_prices.Usage(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=min(usage.cached_tokens, usage.input_tokens),
    )
    try:
        found = genai_prices.calc_price(tokens, model_ref=model, provider_id=provider)
    except LookupError:
        return None
    return from_usd(Decimal(found.total_price))


def estimate_input_tokens(request: ModelRequest) -> int:
    """About how many tokens a request is, rather too many than too few: three bytes to a token."""
    size = sum(len(message.model_dump_json().encode()) for message in request.messages)
    size += sum(len(tool.model_dump_json().encode()) for tool in request.tools)
    size += len(json.dumps(request.json_schema)) if request.json_schema is not None else 0
    return math.ceil(size / BYTES_PER_TOKEN) + MESSAGE_OVERHEAD_TOKENS * len(request.messages)


def estimate_usage(request: ModelRequest, text: str) -> Usage:
    """The usage of a call whose provider did not tell it."""
    return Usage(
        input_tokens=estimate_input_tokens(request),
        output_tokens=math.ceil(len(text.encode()) / BYTES_PER_TOKEN),
        estimated=True,
    )
