"""Paths as models write them."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from domain.errors import HostileOutput
from domain.files import vet_path
from domain.text import one_line
from mcp_server.session import ToolSession
from mcp_server.tool import ToolRefused

HERE = frozenset({"", ".", "./", "/workspace", "/workspace/"})


def _plain(path: str) -> str:
    try:
        return vet_path(path.removeprefix("/workspace/").removeprefix("./"))
    except HostileOutput as error:
        raise ValueError(str(error)) from error


def _plain_or_here(path: str) -> str:
    return "." if path in HERE else _plain(path.rstrip("/"))


FilePath = Annotated[str, AfterValidator(_plain)]
"""A plain path relative to the workspace."""
FolderPath = Annotated[str, AfterValidator(_plain_or_here)]
"""Such a path, or ``.`` for the whole workspace."""


class PathArguments(BaseModel):
    """A path in the workspace."""

    model_config = ConfigDict(extra="forbid")

    path: FilePath = Field(description="path relative to the workspace, for example src/app.py")


async def check_inside(session: ToolSession, path: str) -> None:
    """ToolRefused unless a file or folder is at the path in the sandbox, and no link leads there: links can lead out,
    and whoever reads a pipe waits for ever."""
    if path == ".":
        return
    parts = path.split("/")
    ways = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
    entries = await session.sandbox.stat(ways)
    for way, entry in zip(ways, entries, strict=True):
        if entry is None:
            raise ToolRefused(f"There is nothing at {one_line(path)}. {session.near(path)}")
        if entry.kind == "link":
            raise ToolRefused(f"{one_line(way)} is a link. Name what it leads to.")
        if entry.kind == "other":
            raise ToolRefused(f"{one_line(way)} is neither a file nor a folder.")
