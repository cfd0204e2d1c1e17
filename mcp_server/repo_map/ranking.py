"""Which files and which of their symbols matter most.

Files are the places of a graph. A file that uses a name leads to the files that define it. The idea of ranking them by
PageRank, with what the work is about as the places to begin at, is that of the repository map of aider (Paul Gauthier,
2023); weights and code are our own.
"""

import math
from collections.abc import Collection, Mapping
from typing import NamedTuple

from mcp_server.repo_map.file_tags import FileTags
from mcp_server.repo_map.mentioned import Mentioned
from mcp_server.repo_map.page_rank import page_rank

MOST_DEFINERS = 10
"""A name that more files define, such as ``main``, tells nothing about where it leads."""

RESTING = 3.0
"""The weight of going nowhere: a file with a single weak link does not hand all of its rank on."""

FAINT = 0.005
"""Links that hardly anybody takes are left out: they are half of all, and lead 1 to 3 % of the walkers."""

FOCUS = 0.7
"""How often the walker begins at what was mentioned, where anything was; else anywhere."""


Uses = list[tuple[str, float]]


class Ranking(NamedTuple):
    """The rank of each file, and of each name that files define and others use: how much of the walk leads over it."""

    files: dict[str, float]
    names: dict[str, float]


def rank(files: Mapping[str, FileTags], mentioned: Mentioned) -> Ranking:
    """The ranks. Equal files give equal ranks, in whatever order they come."""
    paths = sorted(files)
    definers = _definers(files, paths)
    uses = _uses(files, paths, definers)
    totals = [RESTING + sum(weight * len(definers[name]) for name, weight in row) for row in uses]
    links = [_links(row, definers, total) for row, total in zip(uses, totals, strict=True)]
    ranks = page_rank(links, _base(paths, definers, mentioned))
    names: dict[str, float] = {}
    for row, total, here in zip(uses, totals, ranks, strict=True):
        for name, weight in row:
            names[name] = names.get(name, 0.0) + here * weight / total
    return Ranking(dict(zip(paths, ranks, strict=True)), names)


def _definers(files: Mapping[str, FileTags], paths: list[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, path in enumerate(paths):
        for name in files[path].defined:
            found.setdefault(name, []).append(place)
    return found


def _uses(files: Mapping[str, FileTags], paths: list[str], definers: Mapping[str, Collection[int]]) -> list[Uses]:
    """What each file uses, with what it counts for each of the definers: the less, the more define it or use it."""
    users: dict[str, int] = {}
    for path in paths:
        for name, _ in files[path].uses:
            if name in definers:
                users[name] = users.get(name, 0) + 1
    factors = {
        name: math.log(1 + len(paths) / count) / len(definers[name]) ** 1.5
        for name, count in users.items()
        if len(definers[name]) <= MOST_DEFINERS
    }
    return [[(name, weight * factors[name]) for name, weight in files[path].uses if name in factors] for path in paths]


def _links(uses: Uses, definers: Mapping[str, list[int]], total: float) -> dict[int, float]:
    row: dict[int, float] = {}
    for name, weight in uses:
        share = weight / total
        for place in definers[name]:
            row[place] = row.get(place, 0.0) + share
    return {place: share for place, share in row.items() if share > FAINT}


def _base(paths: list[str], definers: Mapping[str, list[int]], mentioned: Mentioned) -> list[float]:
    weights = [float((path in mentioned.files) + (path in mentioned.changed)) for path in paths]
    for name in sorted(mentioned.identifiers):
        for place in definers.get(name, ()):
            weights[place] += 1 / len(definers[name])
    total = sum(weights)
    if not total:
        return [1 / len(paths) for _ in paths]
    return [(1 - FOCUS) / len(paths) + FOCUS * weight / total for weight in weights]
