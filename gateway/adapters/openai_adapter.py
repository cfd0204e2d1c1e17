"""Any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, LM Studio.

Requests go through the SDK's own general ``post``, not through its typed methods: those walk every message of a request
and build an object of every part of an answer, which takes several times as long as all the rest together.
"""

from collections.abc import AsyncGenerator
from importlib import import_module
from typing import Any

from domain.answer import Answer
from domain.chat import Delta, EmbeddingRequest, ModelRequest
from domain.errors import ModelUnavailable, SoundstageError
from gateway.adapters.adapter import Adapter
from gateway.adapters.openai_wire import STREAMED, request_body, take
from gateway.adapters.statuses import told

OFFICIAL_URL = "https://api.openai.com/v1"


class OpenAIProvider(Adapter):
    """Sends requests with the SDK ``openai``, or with ``groq``, which one generator made: their names are the same."""

    sdk, http = "openai", "httpx2"
    key_variable, url_variable = "OPENAI_API_KEY", "OPENAI_BASE_URL"

    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        from openai import AsyncOpenAI

        return AsyncOpenAI(api_key=key, base_url=url, timeout=timeout, max_retries=0)

    def _body(self, request: ModelRequest) -> dict[str, Any]:
        return request_body(request, limit_name(self._service.endpoint.base_url))

    async def _post(self, call: str, body: dict[str, Any], **more: Any) -> Any:
        return await self._client.post(f"{self.path}/{call}", cast_to=object, body=body, **more)

    async def _whole(self, request: ModelRequest) -> Any:
        return await self._post("chat/completions", self._body(request))

    async def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        manner = {"stream": True, "stream_cls": import_module(self.sdk).AsyncStream[object]}
        async with await self._post("chat/completions", self._body(request) | STREAMED, **manner) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _vectors(self, request: EmbeddingRequest) -> Any:
        body = {"model": request.model, "input": request.texts, "encoding_format": "float"}
        return await self._post("embeddings", body)

    async def _names(self) -> list[str]:
        listing = await self._client.get(f"{self.path}/models", cast_to=object)
        return [model["id"] for model in listing["data"]]

    def _take(self, answer: Answer, found: Any) -> Delta:
        return take(answer, found)

    def _ours(self, error: Exception, model: str) -> SoundstageError | None:
        sdk, service = import_module(self.sdk), self._service
        match error:
            case sdk.APIStatusError():
                return service.status(error.status_code, told(error.body, error.message), error.response.headers, model)
            case sdk.APIResponseValidationError():
                return service.malformed()
            case sdk.APIConnectionError():
                return service.unreachable(error)
            case sdk.APIError():
                return service.reported(told(error.body, error.message))
        if isinstance(error, sdk.APIError.__base__):
            return ModelUnavailable(f"The provider's client refused: {service.said(str(error))}")
        return super()._ours(error, model)


def limit_name(base_url: str) -> str:
    """The name of the most tokens of an answer: OpenAI's newer models refuse the old one, other servers the new one."""
    return "max_completion_tokens" if base_url.rstrip("/") == OFFICIAL_URL else "max_tokens"
