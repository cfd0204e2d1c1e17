"""What the map keeps of a file."""

import math
from typing import NamedTuple

from mcp_server.code.symbol import CALLABLES, CONTAINERS, Symbol
from mcp_server.parsers.parsers import decode_tags

NOT_REFERRED_TO = CONTAINERS | {"constructor", "field", "property"}
"""Kinds of symbols that no reference is taken for: a constructor has the name of its class, fields are no calls."""

MEMBER_WEIGHT = 0.1
"""``x.name`` may be the member of anything, ``name`` is one of few."""


class FileTags(NamedTuple):
    """The names that a file defines, and those that it uses of others, with weights.

    A name that a file defines itself is not used of others. The weight grows with the square root of how often. The
    symbols stay in the worker's reply until they are to be shown: few are, and so many objects would slow everything.
    """

    reply: bytes
    defined: tuple[str, ...]
    uses: tuple[tuple[str, float], ...]


class Outline(NamedTuple):
    """A file's symbols; the indices of those outside of functions; and the first of each name that others may use."""

    symbols: tuple[Symbol, ...]
    outer: tuple[int, ...]
    defined: dict[str, int]


def file_tags(reply: bytes | None) -> FileTags | None:
    """What a worker replied, prepared for ranking; None when it is no answer."""
    tags = decode_tags(reply)
    if tags is None or reply is None:
        return None
    defined = _outline(tags.symbols).defined
    uses = {name: math.sqrt(count) for name, count in tags.references.items() if name not in defined}
    for name, count in tags.members.items():
        if name not in defined:
            uses[name] = uses.get(name, 0.0) + MEMBER_WEIGHT * math.sqrt(count)
    return FileTags(reply, tuple(defined), tuple(uses.items()))


def outline(tags: FileTags) -> Outline:
    """A file's symbols."""
    found = decode_tags(tags.reply)
    return _outline(found.symbols if found is not None else ())


def _outline(symbols: tuple[Symbol, ...]) -> Outline:
    hidden: set[int] = set()
    defined: dict[str, int] = {}
    for index, symbol in enumerate(symbols):
        if symbol.parent is not None and (symbol.parent in hidden or symbols[symbol.parent].kind in CALLABLES):
            hidden.add(index)
        elif symbol.kind not in NOT_REFERRED_TO:
            defined.setdefault(symbol.name, index)
    return Outline(symbols, tuple(index for index in range(len(symbols)) if index not in hidden), defined)
