"""The tools of specialists."""

from dataclasses import dataclass, field

from domain.database import Databases
from mcp_server.kept_files import KeptFiles
from mcp_server.registry import AnyTool
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.syntax import SyntaxCheck
from mcp_server.tools.artifacts import artifact_tools
from mcp_server.tools.colleagues import COLLEAGUE_TOOLS
from mcp_server.tools.commands import COMMAND_TOOLS
from mcp_server.tools.databases import database_tools
from mcp_server.tools.documents import DOCUMENT_TOOLS
from mcp_server.tools.files import file_tools
from mcp_server.tools.findings import FINDING_TOOLS
from mcp_server.tools.formatting import FORMAT_TOOLS
from mcp_server.tools.history import HISTORY_TOOLS
from mcp_server.tools.http import http_tools
from mcp_server.tools.maps import map_tools
from mcp_server.tools.outlines import outline_tools
from mcp_server.tools.search import SEARCH_TOOLS
from mcp_server.tools.test_runs import TEST_TOOLS
from mcp_server.web.web import Web


@dataclass(frozen=True)
class Means:
    """What tools work with besides a session. ``syntax`` and ``repo_map`` are None where nothing can parse, ``kept``
    where nothing is, ``databases`` where none is held; ``web`` reaches the hosts that it was told, and where it is None
    nobody is offered a tool for that."""

    syntax: SyntaxCheck | None = None
    repo_map: RepoMap | None = None
    kept: KeptFiles | None = None
    databases: Databases | None = None
    web: Web | None = field(default_factory=Web)


def specialist_tools(means: Means | None = None) -> tuple[AnyTool, ...]:
    """Every tool of specialists; without ``means`` none of them reaches beyond its session."""
    means = means or Means()
    return (
        *COMMAND_TOOLS,
        *TEST_TOOLS,
        *FINDING_TOOLS,
        *COLLEAGUE_TOOLS,
        *FORMAT_TOOLS,
        *SEARCH_TOOLS,
        *HISTORY_TOOLS,
        *DOCUMENT_TOOLS,
        *outline_tools(means.repo_map),
        *map_tools(means.repo_map),
        *file_tools(means.syntax),
        *artifact_tools(means.kept),
        *(http_tools(means.web) if means.web is not None else ()),
        *database_tools(means.databases),
    )


SPECIALIST_TOOLS = specialist_tools()
