"""What a model's tokens cost."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Self

from pydantic import Field, model_validator

from domain.base import Value
from domain.chat import Usage
from domain.money import NanoUsd, from_usd

MILLION = Decimal(1_000_000)
NOTHING = Decimal(0)
PerMillion = Annotated[Decimal, Field(ge=0, le=MILLION, decimal_places=9)]


class Rates(Value):
    """USD for a million tokens: of input, of input from the provider's cache, of input written to it, of output."""

    input: PerMillion
    cached_input: PerMillion
    cache_write: PerMillion
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
        written = min(usage.cache_write_tokens, usage.input_tokens - cached)
        total = (usage.input_tokens - cached - written) * rates.input
        total += cached * rates.cached_input + written * rates.cache_write
        return from_usd((total + usage.output_tokens * rates.output) / MILLION)


FREE_OF_CHARGE = Tariff(Rates(input=NOTHING, cached_input=NOTHING, cache_write=NOTHING, output=NOTHING))


class WrittenPrice(Value):
    """A price that a person wrote down, in USD per million tokens. ``id`` is a model's, or a glob for a family."""

    provider: str = Field(min_length=1)
    id: str = Field(min_length=1)
    input: PerMillion
    cached_input: PerMillion | None = None
    cache_write: PerMillion | None = None
    output: PerMillion

    @model_validator(mode="after")
    def _check_cache_write(self) -> Self:
        if self.cache_write is not None and self.cache_write < self.input:
            raise ValueError("cache_write is the whole price of input that is written to the cache, so at least input")
        return self

    def tariff(self) -> Tariff:
        """The same, to reckon with. Input from a cache, or to it, costs what input costs, unless it was said."""
        cached = self.input if self.cached_input is None else self.cached_input
        written = self.input if self.cache_write is None else self.cache_write
        return Tariff(Rates(input=self.input, cached_input=cached, cache_write=written, output=self.output))
