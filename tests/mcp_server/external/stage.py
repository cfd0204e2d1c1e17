"""An external server for tests: the program of ``programs/`` with a trick, and the tools that come of it."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from domain.files import File, FileTree
from mcp_server.external.approvals import Approvals
from mcp_server.external.config import ServerConfig
from mcp_server.external.definition import Listing
from mcp_server.external.link import Way
from mcp_server.external.server import ExternalServer
from mcp_server.external.servers import ExternalServers
from mcp_server.external.stdio import SandboxedServer
from mcp_server.registry import Registry
from sandbox.base import Sandboxes
from sandbox.fake import FakeSandboxes

PROGRAM = (Path(__file__).parent / "programs" / "speaker.py").read_bytes()
PATIENT_S = 60.0
"""Deadlines for what should not come to them."""


def config(name: str = "speaker", trick: str = "", **more: Any) -> ServerConfig:
    """A server that plays a trick."""
    argv = ("python3", "-u", "speaker.py", trick)
    settings = {"connect_s": PATIENT_S, "call_s": PATIENT_S, "command": argv} | more
    return ServerConfig(name=name, **settings)


async def program() -> FileTree:
    """The files of the server."""
    return {"speaker.py": File(content=PROGRAM)}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@contextlib.asynccontextmanager
async def one(
    trick: str = "", sandboxes: Sandboxes | None = None, clock: Clock | None = None, **more: Any
) -> AsyncIterator[ExternalServer]:
    """A server on its own."""
    wanted = config(trick=trick, **more)
    way = SandboxedServer(wanted, sandboxes or FakeSandboxes(), "runc", program)
    server = ExternalServer(wanted, way, clock=clock or Clock())
    try:
        yield server
    finally:
        await server.close()


@dataclass(frozen=True)
class Stage:
    """Servers whose tools are in a registry."""

    servers: ExternalServers
    registry: Registry
    approvals: Approvals
    clock: Clock

    async def approve(self, name: str) -> Listing:
        """Approves all that a server offers now."""
        server = self.servers.all[name]
        listing = await server.listing()
        self.approvals.approve(server.config, listing.tools)
        await self.servers.refresh()
        return listing

    @property
    def names(self) -> list[str]:
        """The external tools that are offered."""
        return [tool.name for tool in self.registry.all() if "__" in tool.name]


@contextlib.asynccontextmanager
async def staged(
    folder: Path,
    *configs: ServerConfig,
    registry: Registry | None = None,
    sandboxes: Sandboxes | None = None,
    clock: Clock | None = None,
) -> AsyncIterator[Stage]:
    """These servers, of which nothing is approved yet but what ``folder`` holds."""
    leasing, table, approvals = sandboxes or FakeSandboxes(), registry or Registry(), Approvals(folder)

    def way(wanted: ServerConfig) -> Way:
        return SandboxedServer(wanted, leasing, "runc", program)

    clock = clock or Clock()
    servers = ExternalServers(configs, way, approvals, table, clock)
    async with contextlib.aclosing(servers):
        await servers.refresh()
        yield Stage(servers, table, approvals, clock)
