"""Groq's fast models: OpenAI's wire format, an SDK of Groq's own, and some manners that differ."""

from collections.abc import AsyncGenerator
from typing import Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelRequest
from domain.errors import ModelRequestRejected
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.adapters.openai_wire import request_body

OFFICIAL_URL = "https://api.groq.com"


class GroqProvider(OpenAIProvider):
    """Sends requests with the official SDK, its retries switched off."""

    sdk, http = "groq", "httpx"
    key_variable, url_variable = "GROQ_API_KEY", ""
    path = "/openai/v1"
    streams_schemas = False

    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        from groq import AsyncGroq

        return AsyncGroq(api_key=key, base_url=url, timeout=timeout, max_retries=0)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        return request_body(request, "max_completion_tokens")

    def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        return super()._pieces(request) if request.json_schema is None else self._one_piece(request)

    async def _one_piece(self, request: ModelRequest) -> AsyncGenerator[Any]:
        yield await self._whole(request)

    def _check(self, found: Any) -> None:
        super()._check(found)
        # A stream that Groq itself breaks off says so in a corner of its own.
        if error := (found.get("x_groq") or {}).get("error"):
            raise self._service.reported(str(error))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """Groq offers no embeddings: ModelRequestRejected."""
        raise ModelRequestRejected("Groq offers no embeddings. Name a model of another provider.")
