"""Which models may answer, and in which order they are asked."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from pydantic import Field

from domain.base import Value
from domain.errors import ModelRequestRejected, UsageError


class Policy(StrEnum):
    """How the order of the candidates comes about.

    As they are named; by price, the cheapest first; by measured time to the first token; or the cheapest of those
    that are strong enough for the difficulty of the call, then the stronger ones.
    """

    ORDERED = "ordered"
    CHEAPEST = "cheapest"
    FASTEST = "fastest"
    DIFFICULTY = "difficulty"


class Candidate(Value):
    """A model of a provider."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}"


class Route(Value):
    """Candidates and a policy."""

    candidates: tuple[Candidate, ...] = Field(min_length=1)
    policy: Policy = Policy.ORDERED


@lru_cache(maxsize=1024)
def parse_route(text: str, providers: tuple[str, ...]) -> Route:
    """The route that ``[POLICY:]MODEL[,MODEL...]`` names; UsageError.

    A model is ``PROVIDER/ID``, or the id alone of a model of the first provider.
    """
    policy, colon, rest = text.partition(":")
    policy, text = (policy, rest) if colon and policy in set(Policy) else (Policy.ORDERED, text)
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise UsageError(
            f"{text!r} names no models. Write one, or several with commas between them, as PROVIDER/MODEL; "
            f"before them may stand one of {', '.join(Policy)} and a colon."
        )
    return Route(candidates=tuple(_candidate(name, providers) for name in names), policy=Policy(policy))


def _candidate(name: str, providers: tuple[str, ...]) -> Candidate:
    provider, slash, model = name.partition("/")
    if slash and model and provider in providers:
        return Candidate(provider=provider, model=model)
    return Candidate(provider=providers[0], model=name)


class Choice(NamedTuple):
    """Those that are able to answer a call, the first one first, and what the others would say to it."""

    able: Sequence[Candidate]
    unable: Mapping[Candidate, ModelRequestRejected]
