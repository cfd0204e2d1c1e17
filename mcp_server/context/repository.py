"""The repository map as context."""

import asyncio

from domain.files import FileTree
from domain.text import excerpt
from domain.tokens import estimate_text
from mcp_server.context.provider import Topic
from mcp_server.repo_map.mentioned import Mentioned, mentioned_in
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.untrusted import untrusted

ORIGIN = "the repository's code"
LOOKED_AT = 8_000
"""Characters of a topic that are looked at for names."""


class Repository:
    """Implements ``mcp_server.context.provider.ContextProvider``."""

    name = "repository"

    def __init__(self, repo_map: RepoMap) -> None:
        self._map = repo_map

    async def give(self, files: FileTree, topic: Topic, budget_tokens: int) -> str:
        """The map, what the topic mentions first."""
        tree = dict(files)
        named = await asyncio.to_thread(mentioned_in, excerpt(topic.text, LOOKED_AT), tree)
        about = named.files | frozenset(path for path in topic.paths if path in tree)
        room = budget_tokens - estimate_text(untrusted(ORIGIN, ""))
        drawn = await self._map.show(tree, room, Mentioned(files=about, identifiers=named.identifiers))
        return untrusted(ORIGIN, drawn) if drawn else ""
