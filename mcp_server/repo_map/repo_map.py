"""The map of a repository, for a model that is to work on it."""

import asyncio
from collections.abc import Iterable
from pathlib import Path

from domain.files import FileTree
from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.drawing import Drawing
from mcp_server.repo_map.file_tags import FileTags, Outline, outline
from mcp_server.repo_map.mentioned import NOTHING, Mentioned
from mcp_server.repo_map.ranking import rank
from mcp_server.repo_map.selection import Selection
from mcp_server.repo_map.source import Blobs, Source
from mcp_server.repo_map.tag_cache import TagCache
from mcp_server.repo_map.tag_store import TagStore


class RepoMap:
    """Draws maps of trees. One may serve many trees at once: what it remembers belongs to contents, not to trees.

    ``cache`` is a file for what was read, shared by processes; without it, each process reads anew. The parsers are
    closed by whoever made them.
    """

    def __init__(self, parsers: Parsers, cache: Path | None = None) -> None:
        self._blobs = Blobs()
        self._tags = TagStore(parsers, TagCache(cache) if cache is not None else None)

    async def show(self, files: FileTree | Iterable[Source], budget_tokens: int, mentioned: Mentioned = NOTHING) -> str:
        """Files with the signatures of their most important symbols, in at most ``budget_tokens`` by our estimate.

        Empty when there is no room for anything. ParserUnavailable.
        """
        if isinstance(files, dict):
            sources = await asyncio.to_thread(self._blobs.sources, list(files.items()))
        else:
            sources = list(files)
        tags = await self._tags.tags(sources)
        paths = [source.path for source in sources]
        return await asyncio.to_thread(draw, paths, tags, budget_tokens, mentioned)

    async def outlines(self, files: FileTree) -> dict[str, Outline]:
        """Path -> symbols, for those of the files that can be read. ParserUnavailable."""
        sources = await asyncio.to_thread(Blobs().sources, list(files.items()))
        tags = await self._tags.tags(sources)
        return await asyncio.to_thread(lambda: {path: outline(each) for path, each in tags.items()})


def draw(paths: list[str], files: dict[str, FileTags], budget_tokens: int, mentioned: Mentioned) -> str:
    """The map of files whose tags are known; ``paths`` are all that there are."""
    drawing = Drawing(Selection(paths, files, rank(files, mentioned), mentioned), budget_tokens)
    drawing.fill()
    return drawing.text()
