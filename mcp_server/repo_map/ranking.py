"""Which files and which of their symbols matter most.

Files are the places of a graph. A file that uses a name leads to the files that define it. The idea of ranking them by
PageRank, with what the work is about as the places to begin at, is that of the repository map of aider (Paul Gauthier,
2023); weights and code are our own.
"""

import math
from collections import Counter
from collections.abc import Container, Mapping
from typing import NamedTuple

from mcp_server.repo_map.file_tags import FileTags
from mcp_server.repo_map.mentioned import Mentioned
from mcp_server.repo_map.page_rank import page_rank

MOST_DEFINERS = 10
"""A name that more files define, such as ``main``, tells nothing about where it leads."""

RESTING = 3.0
"""The weight of going nowhere: a file with a single weak link does not hand all of its rank on."""

FOCUS = 0.7
"""How often the walker begins at what was mentioned, where anything was; else anywhere."""


Uses = dict[str, float]
"""Names with what a use of each counts."""


class Ranking(NamedTuple):
    """The rank of each file, and of each name that files define and others use: how much of the walk leads over it."""

    files: dict[str, float]
    names: dict[str, float]


def rank(files: Mapping[str, FileTags], mentioned: Mentioned) -> Ranking:
    """The ranks. Equal files give equal ranks, in whatever order they come.

    This runs for every map. What it makes are mostly dictionaries of numbers: the garbage collector passes them by.
    """
    paths = sorted(files)
    users = Counter(name for path in paths for name, _ in files[path].uses)
    definers = _definers(files, paths, users.keys() | mentioned.identifiers)
    factors = {
        name: math.log(1 + len(paths) / users[name]) / len(places) ** 1.5
        for name, places in definers.items()
        if len(places) <= MOST_DEFINERS and name in users
    }
    uses = [_uses(files[path], factors) for path in paths]
    totals = [RESTING + sum(weight * len(definers[name]) for name, weight in row.items()) for row in uses]
    links = [_links(row, definers, total) for row, total in zip(uses, totals, strict=True)]
    ranks = page_rank(links, _base(paths, definers, mentioned))
    names = dict.fromkeys(factors, 0.0)
    for row, total, here in zip(uses, totals, ranks, strict=True):
        for name, weight in row.items():
            names[name] += here * weight / total
    return Ranking(dict(zip(paths, ranks, strict=True)), names)


def _definers(files: Mapping[str, FileTags], paths: list[str], users: Container[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        for name in files[path].defined:
            if name in users:
                found.setdefault(name, []).append(place)
    return found


def _uses(tags: FileTags, factors: Mapping[str, float]) -> Uses:
    """What a file uses, with what that counts for each of the definers: the less, the more define it or use it."""
    return {name: weight * factors[name] for name, weight in tags.uses if name in factors}


def _links(uses: Uses, definers: Mapping[str, list[int]], total: float) -> dict[int, float]:
    row: dict[int, float] = {}
    for name, weight in uses.items():
        share = weight / total
        for place in definers[name]:
            row[place] = row.get(place, 0.0) + share
    return row


def _base(paths: list[str], definers: Mapping[str, list[int]], mentioned: Mentioned) -> list[float]:
    weights = [float((path in mentioned.files) + (path in mentioned.changed)) for path in paths]
    for name in sorted(mentioned.identifiers):
        for place in definers.get(name, ()):
            weights[place] += 1 / len(definers[name])
    total = sum(weights)
    if not total:
        return [1 / len(paths) for _ in paths]
    return [(1 - FOCUS) / len(paths) + FOCUS * weight / total for weight in weights]
