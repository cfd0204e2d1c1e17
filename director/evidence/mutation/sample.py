"""Choosing among mutants: the same ones for the same tree, spread over operators and lines."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from typing import NamedTuple

from domain.files import FileTree
from mcp_server.code.mutant import Mutant
from mcp_server.parsers.parsers import Parsers


class Candidate(NamedTuple):
    """A mutant of a file, with the file's content once it is made."""

    path: str
    mutant: Mutant
    content: bytes


async def sample(
    parsers: Parsers, tree: FileTree, lines: dict[str, Collection[int]], most: int, seed: str
) -> list[Candidate]:
    """Up to ``most`` mutants of the given lines of files; each of them parses. ``seed`` is the tree's hash.

    ParserUnavailable.
    """
    found: list[tuple[str, Mutant]] = []
    for path in sorted(set(lines) & set(tree)):
        if tree[path].link is None:
            wanted = lines[path]
            made = await parsers.mutants(path, tree[path].content)
            found += [(path, mutant) for mutant in made if mutant.line in wanted]
    chosen: list[Candidate] = []
    for path, mutant in spread(found, seed):
        if len(chosen) == most:
            break
        before = tree[path].content
        after = mutant.applied(before)
        if after != before and not await parsers.broken_by(path, before, after):
            chosen.append(Candidate(path, mutant, after))
    return chosen


def spread(found: Iterable[tuple[str, Mutant]], seed: str) -> list[tuple[str, Mutant]]:
    """The mutants in an order of which every beginning holds as many operators and lines as it can."""
    groups: dict[str, list[tuple[str, Mutant]]] = defaultdict(list)
    for path, mutant in sorted(found, key=lambda one: _draw(seed, *one)):
        groups[mutant.operator].append((path, mutant))
    used: Counter[tuple[str, int]] = Counter()
    ordered: list[tuple[str, Mutant]] = []
    while groups:
        for operator in sorted(groups):
            chosen = min(groups[operator], key=lambda one: used[one[0], one[1].line])
            groups[operator].remove(chosen)
            used[chosen[0], chosen[1].line] += 1
            ordered.append(chosen)
        groups = {operator: left for operator, left in groups.items() if left}
    return ordered


def _draw(seed: str, path: str, mutant: Mutant) -> bytes:
    return hashlib.sha256(repr((seed, path, *mutant)).encode()).digest()
