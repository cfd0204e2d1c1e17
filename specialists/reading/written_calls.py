"""Tool calls that a model writes as text, in the forms of many model families."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from specialists.reading import call_syntax, json_calls, tagged_calls
from specialists.reading.action import Action
from specialists.reading.known_tools import KnownTools

MOST_CALLS = 50
FENCED = re.compile(r"([|｜]tool[_▁]sep[|｜]>[ ]?[\w.-]{1,64})\s{0,4}```json\n([^`]*)\n```(?=\s{0,4}<)")
"""Arguments in a fence that belongs to a mark before it."""


@dataclass(frozen=True)
class Found:
    """Calls that stand from ``start`` to ``end`` in a text."""

    start: int
    end: int
    actions: tuple[Action, ...]


def written_calls(text: str, tools: KnownTools) -> list[Found]:
    """The calls in a text without fenced blocks, in order. What overlaps a call before it is no call of its own."""
    every = sorted(_each(text, tools), key=lambda found: (found.start, -found.end))
    kept: list[Found] = []
    for found in every:
        if not kept or found.start >= kept[-1].end:
            kept.append(found)
    return kept[:MOST_CALLS]


def unfenced(text: str) -> str:
    """The text without fences around arguments whose tool is named by a mark before them."""
    return FENCED.sub(r"\1 \2", text)


def whole_block(body: str, tools: KnownTools) -> tuple[Action, ...]:
    """The calls of which a block consists, and of nothing else; none for a block that holds anything besides."""
    return json_calls.whole(body, tools) or call_syntax.whole(body, tools) or tagged_calls.whole(body, tools)


def _each(text: str, tools: KnownTools) -> Iterator[Found]:
    for reader in (json_calls.calls, tagged_calls.calls, call_syntax.calls):
        for start, end, actions in reader(text, tools):
            yield Found(start, end, actions)
