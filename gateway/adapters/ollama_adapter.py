"""Ollama by its own API: models that run on this machine or in this house.

Requests go through the SDK's general request, not through its typed methods: those drop half of the schema of a tool,
and take the text of an image for the path of a file where there is one of that name.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, aclosing
from typing import Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from gateway.adapters.answer import Answer
from gateway.adapters.ollama_errors import ollama_errors
from gateway.adapters.ollama_wire import request_body, take
from gateway.adapters.openai_adapter import OpenAIProvider, embedded
from gateway.adapters.statuses import Service
from gateway.base import Delta, Endpoint

LOCAL = Endpoint(name="ollama", base_url="http://127.0.0.1:11434", local=True)


class OllamaProvider(OpenAIProvider):
    """Sends requests with the official SDK, which never retries. Only what is about no wire format is OpenAI's.

    ``context_tokens`` is how much context the server is to keep. Where it is None the server chooses, often 4096
    tokens, and drops the beginning of a longer conversation without a word.
    """

    def __init__(self, endpoint: Endpoint = LOCAL, context_tokens: int | None = None) -> None:
        super().__init__(endpoint)
        self._service = Service(endpoint=endpoint, url_variable="OLLAMA_HOST")
        self._context_tokens = context_tokens

    def _connect(self, endpoint: Endpoint) -> tuple[Any, Any]:
        import httpx
        from ollama import AsyncClient

        url = endpoint.base_url.rstrip("/").removesuffix("/v1")
        timeout = httpx.Timeout(endpoint.read_s, connect=endpoint.connect_s)
        # A key is sent in any case: without one, the SDK sends a key that it finds in the environment.
        headers = {"authorization": f"Bearer {endpoint.api_key.get_secret_value()}"}
        return AsyncClient(host=url, timeout=timeout, headers=headers), None

    def _errors(self, model: str) -> AbstractContextManager[None]:
        return ollama_errors(self._service, model)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        answer = Answer(request)
        body = request_body(request, self._context_tokens, stream=False)
        with self._service.reading(), self._errors(request.model):
            found = await self._sdk._request(dict, "POST", "/api/chat", json=body)
            self._take_error(found)
            take(answer, found)
            return answer.reply()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends before it is done raises ModelProtocolError."""
        answer = Answer(request)
        body = request_body(request, self._context_tokens, stream=True)
        with self._service.reading(), self._errors(request.model):
            async with aclosing(await self._sdk._request(dict, "POST", "/api/chat", json=body, stream=True)) as parts:
                async for part in parts:
                    yield take(answer, part)
            reply = answer.reply()
        yield reply

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text. ContextTooLong for a text that is longer than the model takes."""
        body = {"model": request.model, "input": request.texts, "truncate": False}
        with self._service.reading(), self._errors(request.model):
            found = await self._sdk._request(dict, "POST", "/api/embed", json=body)
            self._take_error(found)
            data = [{"index": index, "embedding": vector} for index, vector in enumerate(found["embeddings"])]
            return embedded(request, {"data": data, "usage": {"prompt_tokens": found.get("prompt_eval_count")}})

    async def models(self) -> list[str]:
        """The models that were pulled."""
        with self._service.reading(), self._errors(""):
            listing = await self._sdk._request(dict, "GET", "/api/tags")
            return [str(model["model"].strip()) for model in listing["models"]]
