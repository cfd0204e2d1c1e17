"""Groq's fast models: OpenAI's wire format, an SDK of Groq's own, and some manners that differ."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from domain.errors import ModelRequestRejected
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.adapters.openai_wire import request_body
from gateway.base import Delta

OFFICIAL_URL = "https://api.groq.com"


class GroqProvider(OpenAIProvider):
    """Sends requests with the official SDK, its retries switched off."""

    sdk, http = "groq", "httpx"
    key_variable, url_variable = "GROQ_API_KEY", ""
    path = "/openai/v1"

    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        from groq import AsyncGroq

        return AsyncGroq(api_key=key, base_url=url, timeout=timeout, max_retries=0)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        return request_body(request, "max_completion_tokens")

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

    def _check(self, found: Any) -> None:
        super()._check(found)
        # A stream that Groq itself breaks off says so in a corner of its own.
        if error := (found.get("x_groq") or {}).get("error"):
            raise self._service.reported(str(error))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """Groq offers no embeddings: ModelRequestRejected."""
        raise ModelRequestRejected("Groq offers no embeddings. Name a model of another provider.")
