"""By what name a server is called over HTTP, and by whose web pages."""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class AllowedCallers:
    """An ASGI application before another one, which sees only requests that name this server, and that no web page of
    another origin makes: a browser may be led here by a name that changed its address (DNS rebinding)."""

    def __init__(self, app: ASGIApp, hosts: Iterable[str], origins: Iterable[str]) -> None:
        """``hosts`` are names without a port, ``origins`` such as ``https://ide.example``. Pages that this machine
        serves to itself may call."""
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)
        self._origins = frozenset(origin.lower() for origin in origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request."""
        hosts, origins = _values(scope, b"host"), _values(scope, b"origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            why = "This server is not called so. Whoever starts it names what it is called by with --host."
            await refuse(send, 421, "misdirected_request", why)
        elif origins and not (len(origins) == 1 and self._may(origins[0])):
            why = "Web pages of this origin may not call. Whoever starts the server allows one with --origin."
            await refuse(send, 403, "origin_not_allowed", why)
        else:
            await self._app(scope, receive, send)

    def _may(self, origin: str) -> bool:
        if origin in self._origins:
            return True
        scheme, _, rest = origin.partition("://")
        return scheme == "http" and _name(rest) in self._hosts and _name(rest) in LOOPBACK


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1").lower() for header, value in scope["headers"] if header == name]


def _name(host: str) -> str:
    """A host without its port; nothing where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname or "", parts.port
    except ValueError:
        return ""
    if parts.netloc != host or parts.username is not None:
        return ""
    return f"[{name}]" if ":" in name else name


async def refuse(send: Send, status: int, error: str, why: str, *headers: tuple[bytes, bytes]) -> None:
    """An answer that says why there is none."""
    body = json.dumps({"error": error, "error_description": why}).encode()
    plain = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*plain, *headers]})
    await send({"type": "http.response.body", "body": body})
