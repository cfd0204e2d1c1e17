"""MCP over streamable HTTP, in both eras of the protocol."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPASGIApp
from mcp.server.transport_security import TransportSecuritySettings
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp

from domain.access import AccessKeys
from mcp_server.transports.callers import LOOPBACK, AllowedCallers
from mcp_server.transports.key_gate import REVIEW_EVERY_S, KeyGate
from mcp_server.transports.recent_keys import RecentKeys
from mcp_server.transports.sessions import Sessions

PATH = "/mcp"
MOST_BODY_BYTES = 16 * 2**20
"""Twice what ``run_task`` takes of files, as JSON escapes some characters."""

METHODS = ("GET", "POST", "DELETE")
ASKED = (
    "authorization", "content-type", "last-event-id", "mcp-method", "mcp-name", "mcp-protocol-version",
    "mcp-session-id",
)  # fmt: skip
TOLD = ("mcp-session-id", "www-authenticate")
"""The headers that scripts of an allowed origin may send, and read."""

MOST_SESSIONS = 1000
IDLE_S = 30 * 60.0
RETRY_MS = 1000
"""After how long a client whose connection broke is asked to come back."""


def http_app(
    server: Server[Any], keys: AccessKeys, hosts: Iterable[str] = LOOPBACK, origins: Iterable[str] = ()
) -> Starlette:
    """An ASGI application with the server at ``PATH``, for holders of access keys.

    ``hosts`` are the names that clients may call it by, with any port, and ``origins`` the web pages (such as
    ``https://ide.example``) whose scripts may.
    """
    sessions = Sessions(
        app=server,
        # Who calls is checked before the keys are.
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
        max_request_body_size=MOST_BODY_BYTES,
        max_sessions=MOST_SESSIONS,
        session_idle_timeout=IDLE_S,
        retry_interval=RETRY_MS,
    )

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with sessions.run():
            reviewing = asyncio.create_task(sessions.review(keys, REVIEW_EVERY_S))
            try:
                yield
            finally:
                reviewing.cancel()
                await asyncio.gather(reviewing, return_exceptions=True)

    allowed = tuple(origins)
    gate: ASGIApp = KeyGate(StreamableHTTPASGIApp(sessions), RecentKeys(keys))
    if allowed:
        # Browsers ask first, without a key.
        gate = CORSMiddleware(gate, allowed, METHODS, ASKED, expose_headers=TOLD)
    return Starlette(routes=[Route(PATH, endpoint=AllowedCallers(gate, hosts, allowed))], lifespan=lifespan)
