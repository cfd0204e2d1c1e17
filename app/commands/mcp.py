"""``soundstage mcp``."""

import contextlib
import ipaddress
import socket
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from app.bootstrap import Soundstage, build
from app.folders import RepositoryFolders
from app.http_server import serve_http
from app.models import choose
from app.settings import Settings
from domain.base import Value
from domain.errors import UsageError
from domain.text import plain
from mcp_server.ide.callers import key_holder, person_here
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import Folders, IdeSession
from mcp_server.ide.updates import Context
from mcp_server.transports.callers import LOOPBACK
from mcp_server.transports.http import PATH, http_app
from mcp_server.transports.stdio import serve_stdio


class McpOptions(Value):
    """What the user typed."""

    http: str | None = None
    model: str | None = None
    folders: Path | None = None
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()


async def serve(settings: Settings, options: McpOptions) -> None:
    """Serves MCP clients until the one on standard input leaves, or until it is interrupted. UsageError."""
    if options.folders is not None and not options.folders.is_dir():
        raise UsageError(f"{options.folders} is no folder. Name one that is there with --folders.")
    if options.http is None:
        if options.hosts or options.origins:
            raise UsageError("--host and --origin are about HTTP. Add --http HOST:PORT, or leave them out.")
        await _over_stdio(settings, options)
        return
    with listen(options.http, options.hosts) as listening:
        await _over_http(settings, options, listening)


async def _over_stdio(settings: Settings, options: McpOptions) -> None:
    folders = RepositoryFolders(options.folders)
    async with _product(settings, options) as product:
        if sys.stdin.isatty():
            _say("an MCP client speaks here, not a person: see docs/mcp.md for how an IDE starts it; Ctrl-C ends it")

        def sessions(context: Context) -> IdeSession:
            return IdeSession(person_here(context), product.tasks, folders, product.context)

        await serve_stdio(build_ide_server(sessions, product.dispatcher))


async def _over_http(settings: Settings, options: McpOptions, listening: socket.socket) -> None:
    folders: Folders | None = RepositoryFolders(options.folders) if options.folders is not None else None
    async with _product(settings, options) as product:

        def sessions(context: Context) -> IdeSession:
            return IdeSession(key_holder(context), product.tasks, folders, product.context)

        server = build_ide_server(sessions, product.dispatcher)
        now = datetime.now(UTC)
        app = http_app(server, product.store.access, (*LOOPBACK, *options.hosts), options.origins)
        if not any(key.works(now) for key in await product.store.access.known()):
            _say("no access key works yet: make one with: soundstage access add --scope tasks:read --scope tasks:write")
        host, port = listening.getsockname()[:2]
        _say(f"listening at http://{f'[{host}]' if ':' in host else host}:{port}{PATH}")
        await serve_http(app, listening)


@contextlib.asynccontextmanager
async def _product(settings: Settings, options: McpOptions) -> AsyncIterator[Soundstage]:
    models = await choose(settings, options.model)
    if models.first.announcement:
        _say(models.first.announcement)
    async with build(settings, models) as product:
        yield product


def listen(address: str, hosts: tuple[str, ...]) -> socket.socket:
    """A socket that listens at ``HOST:PORT``. UsageError where nobody can, or where clients would all be refused."""
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if host is None or port is None or parts.path or parts.username is not None:
        raise UsageError(f"--http takes HOST:PORT, such as 127.0.0.1:8765, and not {plain(address)!r}.")
    if not hosts and not _is_loopback(host):
        raise UsageError(
            f"{host} can be reached from other machines. Name what clients call this one by with --host NAME. Keys and "
            "files travel unencrypted then, unless a proxy in front of it speaks TLS."
        )
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"Nothing can listen at {address} ({error.strerror}). Choose another port.") from error


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _say(text: str) -> None:
    """Standard output belongs to the protocol."""
    print(f"soundstage: {plain(text)}", file=sys.stderr, flush=True)
