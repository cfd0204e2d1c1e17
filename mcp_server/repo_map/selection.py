"""In which order files and symbols are shown, as long as there is room."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from mcp_server.repo_map.file_tags import FileTags, Outline, outline
from mcp_server.repo_map.mentioned import Mentioned
from mcp_server.repo_map.ranking import Ranking

SYMBOLS_OF_MENTIONED = 12
"""So many of a mentioned file come before those of others: whoever mentions it will read it."""

Choice = tuple[str, int | None]
"""A symbol of a file, or the file without one."""


class Selection:
    """Files with their ranks, and the outlines of those that were looked at."""

    def __init__(
        self, paths: Collection[str], files: Mapping[str, FileTags], ranking: Ranking, mentioned: Mentioned
    ) -> None:
        self._files = files
        self._names = ranking.names
        self._mentioned = mentioned
        self._paths = sorted(paths, key=lambda path: (-ranking.files.get(path, 0.0), path))
        self.outline = cache(self._outline)

    def choices(self) -> Iterator[Choice]:
        """Mentioned files, mentioned symbols, the best symbols of mentioned files, all that are used by their rank, and
        then whatever there is, file by file. A choice may come twice."""
        first = [path for path in self._paths if path in self._mentioned.files]
        readable = [path for path in self._paths if path in self._files]
        yield from ((path, None) for path in first)
        yield from self._named(readable)
        for path in first:
            yield from self._best(path)
        for _, path, name in sorted(self._used()):
            yield path, self.outline(path).defined[name]
        for path in readable:
            yield from ((path, index) for index in self.outline(path).outer)
        yield from ((path, None) for path in self._paths)

    def _outline(self, path: str) -> Outline:
        return outline(self._files[path])

    def _named(self, paths: list[str]) -> Iterable[Choice]:
        """Symbols with mentioned names, whether they are used or not."""
        wanted = self._mentioned.identifiers
        found = []
        for place, path in enumerate(paths):
            if not wanted.isdisjoint(self._files[path].defined):
                symbols, outer, _ = self.outline(path)
                named = (index for index in outer if symbols[index].name in wanted)
                found += [(-self._names.get(symbols[index].name, 0.0), place, index) for index in named]
        return [(paths[place], index) for _, place, index in sorted(found)]

    def _best(self, path: str) -> Iterable[Choice]:
        """What others use of a file, then the rest in the order of the text."""
        if path not in self._files:
            return []
        symbols, outer, defined = self.outline(path)
        used = sorted(
            (index for name, index in defined.items() if name in self._names),
            key=lambda index: (-self._names[symbols[index].name], index),
        )
        return [(path, index) for index in (*used, *outer)][:SYMBOLS_OF_MENTIONED]

    def _used(self) -> list[tuple[float, str, str]]:
        """Names that other files use, with the files that define them."""
        names = self._names
        return [
            (-names[name], path, name) for path, tags in self._files.items() for name in tags.defined if name in names
        ]
