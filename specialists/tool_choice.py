"""Which tools a model is offered, and how they are described, where its context is small."""

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

from pydantic import JsonValue

from domain.chat import ToolSchema
from domain.tokens import estimate_tools

SHARE = 4
"""One part in so many of the context is the most that the tools may take."""

ESSENTIAL = frozenset(
    {"shell", "read_file", "write_file", "edit_file", "run_tests", "search", "report_findings", "submit"}
)
BARE = frozenset({"type", "properties", "required", "items", "enum", "anyOf", "additionalProperties", "$ref", "$defs"})
"""What is left of a terse schema: a call that breaks what is left out is answered with the whole schema."""


class Offer(StrEnum):
    """How the tools are offered: all with all that is said of them, all in short, the essential ones in short, or none,
    so that the model acts in plain text."""

    ALL = "all"
    TERSE = "terse"
    FEWER = "fewer"
    NONE = "none"


class Offered(NamedTuple):
    """The tools as they are offered, and how many tokens they would take otherwise."""

    offer: Offer
    tools: tuple[ToolSchema, ...]
    tokens: int


def choose(tools: Sequence[ToolSchema], context_tokens: int) -> Offered:
    """The fullest offer that takes at most its share of the context."""
    most = context_tokens // SHARE
    terse = tuple(map(_terse, tools))
    offers = (
        (Offer.ALL, tuple(tools)),
        (Offer.TERSE, terse),
        (Offer.FEWER, tuple(tool for tool in terse if tool.name in ESSENTIAL)),
    )
    full = estimate_tools(tools)
    for offer, offered in offers:
        if estimate_tools(offered) <= most:
            return Offered(offer, offered, full)
    return Offered(Offer.NONE, (), full)


def _terse(tool: ToolSchema) -> ToolSchema:
    said = tool.description.split(". ", 1)[0].rstrip(".") + "."
    parameters = _bare(tool.parameters)
    assert isinstance(parameters, dict)
    return ToolSchema(name=tool.name, description=said, parameters=parameters)


def _bare(schema: JsonValue) -> JsonValue:
    """The schema with nothing but names and types."""
    if isinstance(schema, list):
        return [_bare(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    made: dict[str, JsonValue] = {}
    for key, value in schema.items():
        if key in {"properties", "$defs"} and isinstance(value, dict):
            made[key] = {name: _bare(part) for name, part in value.items()}
        elif key in {"required", "enum"}:
            made[key] = value
        elif key in BARE:
            made[key] = _bare(value)
    return made
