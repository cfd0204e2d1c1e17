"""``soundstage servers``: external MCP servers, and which of their tools are approved."""

import asyncio
import contextlib
import json
import re
import sys
from collections.abc import AsyncIterator, Iterable

from app.instances import InstanceLock
from app.sandboxes import docker_sandboxes
from app.servers import approvals, external_servers
from app.servers_file import read_servers
from app.settings import Settings
from app.store import open_store
from app.terminal import PERSON, yes_or_no
from domain.audit import AuditEntry, AuditVerdict
from domain.base import Value
from domain.errors import InfrastructureError, UsageError
from domain.text import one_line, plain
from mcp_server.external.config import SERVER_NAME, ServerConfig
from mcp_server.external.definition import Definition, Listing
from mcp_server.external.link import Unreachable
from mcp_server.external.server import ExternalServer
from mcp_server.external.servers import MOST_DESCRIPTION
from mcp_server.registry import Registry
from sandbox.container import Instance

NEW, APPROVED, CHANGED, GONE = "new", "approved", "changed", "gone"
SHORT = 12
SHOWN = 300
LEAST_DIGEST = 8


class ToolState(Value):
    """A tool that is offered or was approved."""

    name: str
    state: str
    digest: str
    description: str
    input_schema: dict[str, object]


async def list_servers(settings: Settings, as_json: bool) -> None:
    """Prints each server and how many of its tools are approved. UsageError."""
    kept = approvals(settings)
    servers = read_servers(settings)
    for config in servers:
        found = kept.find(config.name)
        approved = sorted(kept.read(config))
        state = "not approved" if found is None else f"{len(approved)} tools approved"
        if found is not None and found.origin != config.origin:
            state = "approved for another command or url; approve it anew"
        if as_json:
            print(json.dumps({"name": config.name, "where": _where(config), "state": state, "approved": approved}))
        else:
            print(f"{config.name:<20} {state:<22} {_where(config)}")
    if not servers and not as_json:
        print(f"No external server is configured. Name one in {settings.home / 'servers.toml'}.")


async def check_server(settings: Settings, name: str, as_json: bool) -> int:
    """Prints what a server offers. UsageError, InfrastructureError."""
    async with _server(settings, name) as server:
        listing = await _listing(server)
    tools = _states(listing, approvals(settings).read(server.config))
    _show(listing, tools, as_json)
    return 0 if all(tool.state == APPROVED for tool in tools) else 1


async def approve_server(settings: Settings, name: str, digest: str | None) -> int:
    """Shows what a server offers, asks, and approves exactly that. UsageError, InfrastructureError."""
    asked = sys.stdin.isatty() and sys.stdout.isatty()
    if digest is None and not asked:
        raise UsageError(
            f"There is no terminal to ask on. Look at the tools with: soundstage servers check {name}, then give the "
            "digest that it shows with --digest."
        )
    if digest is not None and len(digest) < LEAST_DIGEST:
        raise UsageError(f"--digest has {LEAST_DIGEST} characters or more. See: soundstage servers check {name}")
    async with _server(settings, name) as server:
        listing = await _listing(server)
    if digest is None:
        _show(listing, _states(listing, approvals(settings).read(server.config)), as_json=False)
        if not await yes_or_no("May specialists use these tools, as they are? [y/n] "):
            print("Nothing was approved.")
            return 1
    elif not listing.digest.startswith(digest.lower()):
        raise UsageError(
            f"The tools of {name} have another digest now ({listing.digest}), so nothing was approved. Look at them "
            f"again: soundstage servers check {name}"
        )
    approvals(settings).approve(server.config, listing.tools)
    await _note(settings, "servers/approve", f"{name}: {len(listing.tools)} tools, digest {listing.digest}")
    print(f"{len(listing.tools)} tools of {name} are approved.")
    return 0


async def revoke_server(settings: Settings, name: str) -> None:
    """Takes an approval back, also of a server that is not configured any more. UsageError."""
    if not re.fullmatch(SERVER_NAME, name) or not approvals(settings).revoke(name):
        raise UsageError(f"Nothing was approved of {one_line(name)}. See: soundstage servers list")
    await _note(settings, "servers/revoke", name)
    print(f"No tool of {name} is approved any more.")


async def _note(settings: Settings, what: str, about: str) -> None:
    """Writes into the audit log what the person at the terminal did."""
    async with open_store(settings) as store:
        store.audit.record(
            AuditEntry(actor=PERSON, tool=what, verdict=AuditVerdict.DONE, reason=one_line(about), duration_s=0)
        )


@contextlib.asynccontextmanager
async def _server(settings: Settings, name: str) -> AsyncIterator[ExternalServer]:
    """A server that can be started; nothing of it is left at the end."""
    known = {config.name for config in read_servers(settings)}
    if name not in known:
        raise UsageError(_unknown(name, known))
    lock = InstanceLock(settings.home / "instances")
    lock.acquire()
    try:
        sandboxes = docker_sandboxes(settings, Instance(id=lock.id, home=settings.home_id), warm=False)
        try:
            async with contextlib.aclosing(external_servers(settings, sandboxes, Registry())) as servers:
                yield servers.all[name]
        finally:
            await asyncio.shield(sandboxes.close())
    finally:
        lock.release()


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"There is no server {one_line(name)!r}. Use one of: {', '.join(sorted(known)) or 'none is configured'}."


async def _listing(server: ExternalServer) -> Listing:
    try:
        return await server.listing()
    except Unreachable as reason:
        raise InfrastructureError(
            f"The external server {server.config.name} cannot be used: {plain(str(reason))}. Correct servers.toml, or "
            "the server."
        ) from reason


def _states(listing: Listing, approved: dict[str, Definition]) -> list[ToolState]:
    offered = {tool.name: tool for tool in listing.tools}
    found = []
    for name in sorted(offered.keys() | approved.keys()):
        tool = offered.get(name, approved.get(name))
        assert tool is not None
        state = NEW if name not in approved else CHANGED
        if name not in offered:
            state = GONE
        elif approved.get(name) == tool:
            state = APPROVED
        found.append(
            ToolState(
                name=name, state=state, digest=tool.digest, description=tool.description,
                input_schema=tool.input_schema,
            )
        )  # fmt: skip
    return found


def _show(listing: Listing, tools: Iterable[ToolState], as_json: bool) -> None:
    if as_json:
        print(
            json.dumps(
                {
                    "digest": listing.digest,
                    "tools": [tool.model_dump(mode="json") for tool in tools],
                    "left_out": listing.left_out,
                }
            )
        )
        return
    for tool in tools:
        print(f"{tool.state:<9} {tool.digest[:SHORT]}  {tool.name}: {one_line(tool.description, MOST_DESCRIPTION)}")
        print(f"          {json.dumps(tool.input_schema)}")
    for why in listing.left_out:
        print(f"left out  {one_line(why, SHOWN)}")
    print(f"digest of all: {listing.digest}")


def _where(config: ServerConfig) -> str:
    return one_line(config.url or " ".join(config.command), 100)
