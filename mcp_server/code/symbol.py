"""What a source file defines and refers to. Tuples, because a repository has a hundred thousand of them."""

from typing import NamedTuple

CONTAINERS = frozenset({"namespace", "impl"})
"""Kinds that hold definitions and define nothing that others refer to by that name."""

CALLABLES = frozenset({"function", "method", "constructor"})


class Symbol(NamedTuple):
    """A definition. ``kind`` is a word such as class or method; lines are counted from 1, the last one inclusive.

    ``signature`` is what stands before its body, on one line. ``parent`` is the index of the symbol around it.
    """

    kind: str
    name: str
    signature: str
    start_line: int
    end_line: int
    parent: int | None


class Tags(NamedTuple):
    """A file's definitions in the order of the text, and how often it refers to names: by themselves in
    ``references``, as a part of something else (``x.name``) in ``members``."""

    symbols: tuple[Symbol, ...]
    references: dict[str, int]
    members: dict[str, int]


class Problem(NamedTuple):
    """A place where the syntax is broken: its line, from 1, and the lines around it with their numbers."""

    line: int
    region: str
