"""Serving an ASGI application over HTTP."""

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

from app.http_protocol import BoundedProtocol

GRACE_S = 2
"""How long requests may go on after the end was asked for."""


class _Server(uvicorn.Server):
    """Leaves signals alone: they cancel the command, as everywhere."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Captures none."""
        yield


async def serve_http(app: ASGIApp, listening: socket.socket) -> None:
    """Serves until it is cancelled; then requests have ``GRACE_S`` to end."""
    config = uvicorn.Config(
        app, http=BoundedProtocol, ws="none", lifespan="on", log_level="warning", access_log=False,
        proxy_headers=False, timeout_graceful_shutdown=GRACE_S,
    )  # fmt: skip
    server = _Server(config)
    # Else the body of an answer waits up to 40 ms until the client has confirmed the head.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # What is loaded stays: the collector need not look through it for garbage at every turn.
    gc.freeze()
    serving = asyncio.create_task(server.serve([listening]))
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
