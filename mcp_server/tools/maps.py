"""The map of the workspace: its most important symbols."""

import asyncio
from functools import partial
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.errors import ParserUnavailable
from domain.tokens import estimate_text
from mcp_server.caller import Permission
from mcp_server.registry import AnyTool
from mcp_server.repo_map.mentioned import Mentioned, mentioned_in
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from mcp_server.untrusted import untrusted

UNREADABLE = "Source code cannot be mapped here. Use search and read_file."
MOST_TOKENS = 4_500
"""Less than what is shown of an answer at once."""


class DrawMap(BaseModel):
    """Arguments of repo_map."""

    model_config = ConfigDict(extra="forbid")

    budget_tokens: int = Field(default=2_000, ge=100, le=MOST_TOKENS, description="the most tokens that it may take")
    mentioned: list[Annotated[str, Field(max_length=300)]] = Field(
        default_factory=list, max_length=50, description="paths and names that the work is about; they come first"
    )


class DrawnMap(BaseModel):
    """How many files the workspace has, and about how many tokens the map takes."""

    files: int
    tokens: int


async def _draw(repo_map: RepoMap | None, session: ToolSession, arguments: DrawMap) -> ToolOutcome:
    if repo_map is None:
        raise ToolRefused(UNREADABLE)
    tree = dict(session.tree)
    about = await asyncio.to_thread(mentioned_in, " ".join(f"`{word}`" for word in arguments.mentioned), tree)
    changed = frozenset(path for path in session.changed if path in tree)
    mentioned = Mentioned(files=about.files, identifiers=about.identifiers, changed=changed)
    try:
        drawn = await repo_map.show(tree, arguments.budget_tokens, mentioned)
    except ParserUnavailable:
        raise ToolRefused(UNREADABLE) from None
    if not drawn:
        raise ToolRefused("There is nothing to map, or too little room for anything.")
    text = untrusted("the workspace's code", drawn)
    return ToolOutcome(text=text, data=DrawnMap(files=len(tree), tokens=estimate_text(drawn)))


def map_tools(repo_map: RepoMap | None = None) -> tuple[AnyTool, ...]:
    """The tool; without ``repo_map`` it can read no source."""
    return (
        Tool(
            name="repo_map",
            description=(
                "Shows a map of the workspace: the files and signatures that matter most, those first that you mention."
            ),
            session=ToolSession,
            arguments=DrawMap,
            permission=Permission.READ,
            handler=partial(_draw, repo_map),
            example={"budget_tokens": 2000, "mentioned": ["src/app.py", "parse_order"]},
            data=DrawnMap,
            read_only=True,
            idempotent=True,
            limits=ToolLimits(timeout_s=120),
        ),
    )
