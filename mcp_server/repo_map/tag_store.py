"""What sources hold: from memory, from the disk, or else read by workers. Known by content, so that what was read once
is known in every tree, branch and process."""

import asyncio
from collections import OrderedDict
from collections.abc import Iterable

from mcp_server.code.fingerprint import fingerprint
from mcp_server.code.languages import language_of
from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.file_tags import FileTags, file_tags
from mcp_server.repo_map.source import Source
from mcp_server.repo_map.tag_cache import TagCache

MEMORY_BYTES = 32 * 2**20
"""Of what workers sent; with what is made of it, it is about three times as much."""

UNREADABLE_BYTES = 200
Entry = tuple[int, FileTags | None]
"""A size, and what a source holds; None for one that cannot be read."""


class TagStore:
    """The tags of sources. What could not be read is remembered in memory only: the next process may have more luck."""

    def __init__(self, parsers: Parsers, cache: TagCache | None) -> None:
        self._parsers = parsers
        self._cache = cache
        self._memory: OrderedDict[str, Entry] = OrderedDict()
        self._size = 0

    async def tags(self, sources: Iterable[Source]) -> dict[str, FileTags]:
        """Path -> tags, for the sources that can be read. ParserUnavailable."""
        keyed = await asyncio.to_thread(_keyed, list(sources))
        entries = {key: self._memory[key] for key in keyed if key in self._memory}
        missing = {key: sources[0] for key, sources in keyed.items() if key not in entries}
        if missing:
            entries |= await self._fetch(missing)
        self._remember(entries)
        found = {source.path: entries[key][1] for key, sources in keyed.items() if key in entries for source in sources}
        return {path: tags for path, tags in found.items() if tags is not None}

    async def _fetch(self, missing: dict[str, Source]) -> dict[str, Entry]:
        kept = await asyncio.to_thread(self._cache.find, missing) if self._cache is not None else {}
        entries = await asyncio.to_thread(_entries, kept)
        unread = [key for key in missing if entries.get(key, (0, None))[1] is None]
        replies = await self._parsers.read([(missing[key].path, missing[key].content) for key in unread])
        read = {unread[number]: reply for number, reply in replies.items()}
        entries |= await asyncio.to_thread(_entries, read)
        fresh = {key: reply for key, reply in read.items() if reply is not None and entries[key][1] is not None}
        if self._cache is not None:
            await asyncio.to_thread(self._cache.keep, fresh)
        return entries

    def _remember(self, entries: dict[str, Entry]) -> None:
        for key, entry in entries.items():
            if key not in self._memory:
                self._size += entry[0]
                self._memory[key] = entry
            self._memory.move_to_end(key)
        while self._size > MEMORY_BYTES:
            _, (size, _) = self._memory.popitem(last=False)
            self._size -= size


def _keyed(sources: list[Source]) -> dict[str, list[Source]]:
    found: dict[str, list[Source]] = {}
    for source in sources:
        language = language_of(source.path)
        if language is not None:
            found.setdefault(f"{fingerprint(language)} {source.blob}", []).append(source)
    return found


def _entries(replies: dict[str, bytes] | dict[str, bytes | None]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for key, reply in replies.items():
        found[key] = (len(reply or b"") + UNREADABLE_BYTES, file_tags(reply))
    return found
