"""What a call costs, and about how many tokens it will be."""

import json
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import lru_cache

from domain.chat import AssistantMessage, Message, ModelRequest, SystemMessage, ToolMessage, Usage, UserMessage
from domain.money import NanoUsd
from domain.patterns import best_fit
from domain.tariff import FREE_OF_CHARGE, Tariff, WrittenPrice
from gateway.published import published, published_tariff

FREE_PROVIDERS = frozenset({"scripted", "ollama", "replay"})
"""Providers that run on the person's own machine, or not at all: their calls cost nothing."""

BYTES_PER_TOKEN = 3
OVERHEAD_TOKENS = 8
"""For what frames a message, a tool or a call of one."""

IMAGE_TOKENS = 4096
"""For an image of any size: what hungry models make of a large one."""


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


def estimate_input_tokens(request: ModelRequest) -> int:
    """About how many tokens a request is, rather too many than too few: three bytes to a token."""
    said = sum(_message_tokens(message) for message in request.messages)
    tools = sum(_bytes_as_tokens(tool.size_bytes) for tool in request.tools)
    return said + tools + (_tokens(json.dumps(request.json_schema)) if request.json_schema is not None else 0)


def _message_tokens(message: Message) -> int:
    match message:
        case AssistantMessage():
            calls = (_tokens(call.id, call.name, call.arguments) for call in message.tool_calls)
            return _tokens(message.content) + sum(calls)
        case UserMessage():
            return _tokens(message.content) + IMAGE_TOKENS * len(message.images)
        case ToolMessage():
            return _tokens(message.content, message.tool_call_id)
        case SystemMessage():
            return _tokens(message.content)


def _tokens(*texts: str) -> int:
    # An ASCII text is as many bytes as characters, and knows that it is one.
    return _bytes_as_tokens(
        sum(len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")) for text in texts)
    )


def _bytes_as_tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN) + OVERHEAD_TOKENS


def estimate_usage(request: ModelRequest, text: str) -> Usage:
    """The usage of a call whose provider did not tell it."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return Usage(input_tokens=estimate_input_tokens(request), output_tokens=-(-size // BYTES_PER_TOKEN), estimated=True)
