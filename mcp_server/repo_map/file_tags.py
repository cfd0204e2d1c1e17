"""What the map keeps of a file."""

import math
from typing import NamedTuple

from mcp_server.code.symbol import CALLABLES, CONTAINERS, Symbol, Tags

NOT_REFERRED_TO = CONTAINERS | {"constructor", "field", "property"}
"""Kinds of symbols that no reference is taken for: a constructor has the name of its class, fields are no calls."""

MEMBER_WEIGHT = 0.1
"""``x.name`` may be the member of anything, ``name`` is one of few."""


class FileTags(NamedTuple):
    """A file's symbols; the index of the symbol that a name defines; the names that it uses of others, with weights.

    A name that a file defines itself is not used of others. The weight grows with the square root of how often.
    """

    symbols: tuple[Symbol, ...]
    outer: tuple[int, ...]
    defined: dict[str, int]
    uses: tuple[tuple[str, float], ...]


def file_tags(tags: Tags) -> FileTags:
    """What a worker found, prepared for ranking."""
    outer = _outside_of_functions(tags.symbols)
    defined: dict[str, int] = {}
    for index in outer:
        symbol = tags.symbols[index]
        if symbol.kind not in NOT_REFERRED_TO:
            defined.setdefault(symbol.name, index)
    uses = {name: math.sqrt(count) for name, count in tags.references.items() if name not in defined}
    for name, count in tags.members.items():
        if name not in defined:
            uses[name] = uses.get(name, 0.0) + MEMBER_WEIGHT * math.sqrt(count)
    return FileTags(tags.symbols, outer, defined, tuple(uses.items()))


def _outside_of_functions(symbols: tuple[Symbol, ...]) -> tuple[int, ...]:
    hidden: set[int] = set()
    for index, symbol in enumerate(symbols):
        if symbol.parent is not None and (symbol.parent in hidden or symbols[symbol.parent].kind in CALLABLES):
            hidden.add(index)
    return tuple(index for index in range(len(symbols)) if index not in hidden)
