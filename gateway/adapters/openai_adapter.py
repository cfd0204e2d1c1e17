"""Any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, LM Studio.

Requests go through the SDK's own general ``post``, not through its typed methods: those walk every message of a request
and build an object of every part of an answer, which takes several times as long as all the rest together.
"""

from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager
from math import ceil
from typing import Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest, Usage
from gateway.adapters.answer import Answer
from gateway.adapters.openai_wire import request_body, take_chunk, take_whole, usage_of
from gateway.adapters.sdk_errors import sdk_errors
from gateway.adapters.statuses import Service
from gateway.base import Delta, Endpoint
from gateway.pricing import BYTES_PER_TOKEN

OFFICIAL_URL = "https://api.openai.com/v1"


class OpenAIProvider:
    """Sends requests with the official SDK, its retries switched off."""

    announcement = ""
    path = ""
    """What stands between the SDK's base URL and the names of the API's calls."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._service = Service(endpoint=endpoint, key_variable="OPENAI_API_KEY", url_variable="OPENAI_BASE_URL")
        self._limit_name = limit_name(endpoint.base_url)
        self._client: Any = None
        self._streams: Any = None

    @property
    def name(self) -> str:
        """The name in ledger entries and prices."""
        return self._service.endpoint.name

    @property
    def local(self) -> bool:
        """Whether the endpoint is."""
        return self._service.endpoint.local

    def _connect(self, endpoint: Endpoint) -> tuple[Any, Any]:
        """A client of the SDK, and its class for streams."""
        import httpx2
        from openai import AsyncOpenAI, AsyncStream

        timeout = httpx2.Timeout(endpoint.read_s, connect=endpoint.connect_s)
        key = endpoint.api_key.get_secret_value()
        return AsyncOpenAI(api_key=key, base_url=endpoint.base_url, timeout=timeout, max_retries=0), AsyncStream[object]

    def _errors(self, model: str) -> AbstractContextManager[None]:
        import httpx2
        import openai

        return sdk_errors(openai, httpx2, self._service, model)

    @property
    def _sdk(self) -> Any:
        if self._client is None:
            self._client, self._streams = self._connect(self._service.endpoint)
        return self._client

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        body = request_body(request, self._limit_name, stream=False)
        with self._errors(request.model):
            found = await self._sdk.post(f"{self.path}/chat/completions", cast_to=object, body=body)
            with self._service.reading():
                self._take_error(found)
                return take_whole(Answer(request), found)

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends without a finish reason raises ModelProtocolError."""
        answer = Answer(request)
        body = request_body(request, self._limit_name, stream=True)
        with self._errors(request.model):
            sending = self._sdk.post(
                f"{self.path}/chat/completions", cast_to=object, body=body, stream=True, stream_cls=self._streams
            )
            async with await sending as chunks:
                async for chunk in chunks:
                    with self._service.reading():
                        self._take_error(chunk)
                        delta = take_chunk(answer, chunk)
                    yield delta
            with self._service.reading():
                reply = answer.reply()
        yield reply

    def _take_error(self, found: Any) -> None:
        if error := found.get("error"):
            raise self._service.reported(str(error))

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text."""
        body = {"model": request.model, "input": request.texts, "encoding_format": "float"}
        with self._errors(request.model):
            found = await self._sdk.post(f"{self.path}/embeddings", cast_to=object, body=body)
            with self._service.reading():
                self._take_error(found)
                return embedded(request, found)

    async def models(self) -> list[str]:
        """The ids that the server lists."""
        with self._errors(""):
            listing = await self._sdk.get(f"{self.path}/models", cast_to=object)
            with self._service.reading():
                return [str(model["id"].strip()) for model in listing["data"]]

    async def close(self) -> None:
        """Closes the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()


def limit_name(base_url: str) -> str:
    """The name of the most tokens of an answer: OpenAI's newer models refuse the old one, other servers the new one."""
    return "max_completion_tokens" if base_url.rstrip("/") == OFFICIAL_URL else "max_tokens"


def embedded(request: EmbeddingRequest, found: Any) -> EmbeddingReply:
    """The vectors of OpenAI's answer, in the order of the texts."""
    placed = {item["index"]: item["embedding"] for item in found["data"]}
    vectors = tuple(placed[place] for place in range(len(request.texts)))
    if len({len(vector) for vector in vectors}) > 1:
        raise ValueError("vectors of different lengths")
    size = sum(len(text.encode()) for text in request.texts)
    usage = usage_of(found.get("usage")) or Usage(input_tokens=ceil(size / BYTES_PER_TOKEN), estimated=True)
    return EmbeddingReply(vectors=vectors, usage=usage)
