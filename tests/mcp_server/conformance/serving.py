"""Serving an MCP server over our HTTP transport to a client that shows no key: this shows one for it."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from typing import Any

from mcp.server import Server
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http_server import serve_http
from domain.access import AccessKeys, AccessScope
from mcp_server.transports.http import PATH, http_app
from tests.mcp_server.transports.keys import GOOD, Keys, key

ALL = Keys(**{GOOD: key("local", *AccessScope)})


class KeyBearer:
    """An ASGI application before another one, which sees requests with a key."""

    def __init__(self, app: ASGIApp, shown: str) -> None:
        self._app = app
        self._header = (b"authorization", f"Bearer {shown}".encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes one request on."""
        if scope["type"] == "http":
            scope = {**scope, "headers": [*scope["headers"], self._header]}
        await self._app(scope, receive, send)


@contextlib.asynccontextmanager
async def served(server: Server[Any], keys: AccessKeys = ALL, shown: str = GOOD) -> AsyncIterator[str]:
    """The URL of the server, on a port of this machine, while it is served."""
    app = KeyBearer(http_app(server, keys), shown)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(serve_http(app, listening))
            yield f"http://127.0.0.1:{listening.getsockname()[1]}{PATH}"
            serving.cancel()
