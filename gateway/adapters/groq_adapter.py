"""Groq's fast models: OpenAI's wire format, an SDK of Groq's own, and some manners that differ."""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import ModelRequestRejected
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.adapters.sdk_errors import sdk_errors
from gateway.adapters.statuses import Service
from gateway.base import Delta, Endpoint

OFFICIAL_URL = "https://api.groq.com"


class GroqProvider(OpenAIProvider):
    """Sends requests with the official SDK, its retries switched off."""

    path = "/openai/v1"

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._service = Service(endpoint=endpoint, key_variable="GROQ_API_KEY")
        self._limit_name = "max_completion_tokens"

    def _connect(self, endpoint: Endpoint) -> tuple[Any, Any]:
        import httpx
        from groq import AsyncGroq, AsyncStream

        timeout = httpx.Timeout(endpoint.read_s, connect=endpoint.connect_s)
        url = endpoint.base_url.rstrip("/").removesuffix(self.path)
        key = endpoint.api_key.get_secret_value()
        return AsyncGroq(api_key=key, base_url=url, timeout=timeout, max_retries=0), AsyncStream[object]

    def _errors(self, model: str) -> AbstractContextManager[None]:
        import groq
        import httpx

        return sdk_errors(groq, httpx, self._service, model)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. An answer that follows a schema comes in one piece: Groq streams none."""
        if request.json_schema is not None:
            reply = await self.complete(request)
            yield Delta(text=reply.message.content, reasoning=reply.reasoning)
            yield reply
            return
        async with aclosing(super().stream(request)) as pieces:
            async for piece in pieces:
                yield piece

    def _take_error(self, found: Any) -> None:
        super()._take_error(found)
        # A stream that Groq itself breaks off says so in a corner of its own.
        if error := (found.get("x_groq") or {}).get("error"):
            raise self._service.reported(str(error))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """Groq offers no embeddings: ModelRequestRejected."""
        raise ModelRequestRejected("Groq offers no embeddings. Name a model of another provider.")
