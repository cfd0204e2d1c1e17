"""Ollama: where it is, whether it answers, and how much it can be asked."""

import asyncio
import contextlib
import urllib.parse
from collections.abc import AsyncGenerator
from typing import Any

from app.settings import Settings
from domain.catalogue import Catalogue
from domain.chat import ModelRequest
from domain.errors import ContextTooLong, UsageError
from domain.tokens import estimate_most
from gateway.adapters.ollama_adapter import OllamaProvider
from gateway.base import Endpoint

OLLAMA = "ollama"
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
    name = f"[{name}]" if name is not None and ":" in name else name
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


class FittingOllama(OllamaProvider):
    """Ollama, asked only what fits into the context that it keeps: of anything longer it drops the beginning, and says
    nothing.

    The context is the same for all requests, since Ollama loads a model anew for another one.
    """

    def __init__(self, endpoint: Endpoint, context_tokens: int, catalogue: Catalogue) -> None:
        super().__init__(endpoint, context_tokens)
        self._most = context_tokens
        self._catalogue = catalogue

    async def _whole(self, request: ModelRequest) -> Any:
        self._check_length(request)
        return await super()._whole(request)

    def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        self._check_length(request)
        return super()._pieces(request)

    def _check_length(self, request: ModelRequest) -> None:
        """ContextTooLong where the request and its answer are more than the model takes, or than Ollama keeps."""
        info = self._catalogue.find(self.name, request.model)
        most = min(self._most, info.context_tokens) if info.known else self._most
        if (size := estimate_most(request).total_tokens) > most:
            raise ContextTooLong(
                f"{self.name}/{request.model} takes {most:,} tokens, and the conversation with its answer may be "
                f"{size:,}. Ollama keeps as many as SOUNDSTAGE_OLLAMA_CONTEXT says, where the model takes them."
            )
