"""Where Ollama is, and whether it answers."""

import asyncio
import contextlib
import urllib.parse

from app.settings import Settings
from domain.errors import UsageError

PORT = 11434
PROBE_S = 0.5


def ollama_url(settings: Settings) -> str:
    """The URL that OLLAMA_HOST means. UsageError."""
    host = settings.ollama_host or "127.0.0.1"
    host = host if "://" in host else f"http://{host}"
    try:
        parts = urllib.parse.urlsplit(host)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"OLLAMA_HOST is no address: {error}. Set it to something like 127.0.0.1:11434.") from error
    name = "127.0.0.1" if parts.hostname in {None, "0.0.0.0"} else parts.hostname  # noqa: S104 - read, not bound
    port = port or (PORT if parts.scheme == "http" else 443)
    return f"{parts.scheme}://{name}:{port}"


async def answers(url: str) -> bool:
    """Whether somebody listens there."""
    parts = urllib.parse.urlsplit(url)
    try:
        async with asyncio.timeout(PROBE_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
    except (OSError, TimeoutError):
        return False
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return True
