"""In which order files and symbols are shown, as long as there is room."""

from collections.abc import Collection, Iterator, Mapping

from mcp_server.repo_map.file_tags import FileTags
from mcp_server.repo_map.mentioned import Mentioned
from mcp_server.repo_map.ranking import Ranking

SYMBOLS_OF_MENTIONED = 12
"""So many of a mentioned file come before those of others: whoever mentions it will read it."""

Choice = tuple[str, int | None]
"""A symbol of a file, or the file without one."""


def choices(
    paths: Collection[str], files: Mapping[str, FileTags], ranking: Ranking, mentioned: Mentioned
) -> Iterator[Choice]:
    """Mentioned files, mentioned symbols, the best symbols of mentioned files, all that are used by their rank, and
    then whatever there is, file by file. A choice may come twice."""
    ordered = sorted(paths, key=lambda path: (-ranking.files.get(path, 0.0), path))
    first = [path for path in ordered if path in mentioned.files]
    yield from ((path, None) for path in first)
    if mentioned.identifiers:
        readable = [path for path in ordered if path in files]
        yield from _named(readable, files, ranking, mentioned.identifiers)
    used = _used(files, ranking)
    for path in first:
        if path in files:
            best = [choice for choice in used if choice[0] == path]
            yield from (best + [(path, index) for index in files[path].outer])[:SYMBOLS_OF_MENTIONED]
    yield from used
    for path in ordered:
        if path in files:
            yield from ((path, index) for index in files[path].outer)
    yield from ((path, None) for path in ordered)


def _named(
    paths: list[str], files: Mapping[str, FileTags], ranking: Ranking, names: frozenset[str]
) -> list[tuple[str, int]]:
    """Symbols by their names, whether they are used or not."""

    def name(choice: tuple[str, int]) -> str:
        path, index = choice
        return files[path].symbols[index].name

    found = [(path, index) for path in paths for index in files[path].outer]
    return sorted(
        (choice for choice in found if name(choice) in names),
        key=lambda choice: -ranking.names.get(name(choice), 0.0),
    )


def _used(files: Mapping[str, FileTags], ranking: Ranking) -> list[tuple[str, int]]:
    """Symbols whose names other files use, the most important one first."""
    found = [
        (-ranking.names[name], path, index)
        for path, tags in files.items()
        for name, index in tags.defined.items()
        if name in ranking.names
    ]
    return [(path, index) for _, path, index in sorted(found)]
