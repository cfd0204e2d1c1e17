"""A specialist's working place whose tools read source code with real workers."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.tools import Means, specialist_tools
from tests.mcp_server.place import Place, open_place


@contextlib.asynccontextmanager
async def reading_place(folder: Path, files: Mapping[str, str]) -> AsyncIterator[Place]:
    """A place with these files."""
    async with Parsers() as parsers:
        tools = specialist_tools(Means(syntax=parsers, repo_map=RepoMap(parsers, folder / "tags.db")))
        async with open_place(folder / "work", files, tools=tools) as place:
            yield place
