"""MCP over streamable HTTP, in both eras of the protocol."""

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp, StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.routing import Route

from domain.access import AccessKeys
from mcp_server.transports.key_gate import KeyGate
from mcp_server.transports.recent_keys import RecentKeys
from mcp_server.transports.session_events import SessionEvents

PATH = "/mcp"
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
MOST_BODY_BYTES = 16 * 2**20
"""Twice what ``run_task`` takes of files, as JSON escapes some characters."""

MOST_SESSIONS = 1000
IDLE_S = 30 * 60.0
RETRY_MS = 1000
"""After how long a client whose connection broke is asked to come back."""


class _Manager(StreamableHTTPSessionManager):
    """Gives each session a memory of its own: it asks for the store once for each."""

    @property
    def event_store(self) -> SessionEvents:
        """A new one."""
        return SessionEvents()

    @event_store.setter
    def event_store(self, shared: object) -> None:
        """What sessions would share is not used."""


def http_app(
    server: Server[Any], keys: AccessKeys, hosts: Iterable[str] = LOOPBACK, origins: Iterable[str] = ()
) -> Starlette:
    """An ASGI application with the server at ``PATH``, for holders of access keys.

    ``hosts`` are the names that clients may call it by, with any port, and ``origins`` the web pages (such as
    ``https://ide.example``) whose scripts may: a page of another origin is refused, also where a browser was led here
    by a name that changed its address.
    """
    names = tuple(hosts)
    manager = _Manager(
        app=server,
        security_settings=TransportSecuritySettings(
            allowed_hosts=[form for name in names for form in (name, f"{name}:*")],
            allowed_origins=[*(f"http://{name}:*" for name in names if name in LOOPBACK), *origins],
        ),
        max_request_body_size=MOST_BODY_BYTES,
        max_sessions=MOST_SESSIONS,
        session_idle_timeout=IDLE_S,
        retry_interval=RETRY_MS,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with manager.run():
            yield

    gate = KeyGate(StreamableHTTPASGIApp(manager), RecentKeys(keys))
    return Starlette(routes=[Route(PATH, endpoint=gate)], lifespan=lifespan)
