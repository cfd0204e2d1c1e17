"""Mistral's own API, which serves Codestral and Devstral too."""

import json
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from domain.chat import EmbeddingReply, EmbeddingRequest, ModelReply, ModelRequest
from gateway.adapters.answer import Answer
from gateway.adapters.mistral_errors import mistral_errors
from gateway.adapters.mistral_wire import in_openai_words, request_body
from gateway.adapters.openai_adapter import OpenAIProvider, embedded
from gateway.adapters.openai_wire import take_chunk, take_whole
from gateway.adapters.statuses import Service
from gateway.base import Delta, Endpoint

if TYPE_CHECKING:
    import httpx2

OFFICIAL_URL = "https://api.mistral.ai"
DONE = "[DONE]"
DEPRECATION = "x-model-deprecation-timestamp"


class MistralProvider(OpenAIProvider):
    """Sends requests with the official SDK, its retries switched off."""

    def __init__(self, endpoint: Endpoint) -> None:
        super().__init__(endpoint)
        self._service = Service(endpoint=endpoint, key_variable="MISTRAL_API_KEY")

    def _connect(self, endpoint: Endpoint) -> tuple[Any, Any]:
        from mistralai.client import Mistral
        from mistralai.client.utils.eventstreaming import EventStreamAsync

        sdk = Mistral(
            api_key=endpoint.api_key.get_secret_value(),
            server_url=endpoint.base_url.rstrip("/").removesuffix("/v1"),
            async_client=_http_client(endpoint),
            retry_config=None,
        )
        # A variable of the environment would have it send all that is said to Mistral's telemetry as well.
        vars(sdk.sdk_configuration)["telemetry"] = False
        return sdk, EventStreamAsync

    def _errors(self, model: str) -> AbstractContextManager[None]:
        return mistral_errors(self._service, model)

    async def _plain(self, call: Awaitable[Any]) -> Any:
        """What Mistral answers, as it came; also where it is of another shape than the SDK knows."""
        from mistralai.client.errors import ResponseValidationError

        try:
            found = await call
        except ResponseValidationError as error:
            return json.loads(error.body)
        return found.model_dump(exclude_unset=True)

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        body = request_body(request)
        with self._errors(request.model):
            found = await self._plain(self._sdk.chat.complete_async(**body))
            with self._service.reading():
                self._take_error(found)
                return take_whole(Answer(request), in_openai_words(found))

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends without a finish reason raises ModelProtocolError."""
        answer = Answer(request)
        body = request_body(request)
        with self._errors(request.model):
            async with await self._sdk.chat.stream_async(**body) as typed:
                # To read an event the SDK makes a class of its own each time, and hides an error that is told in one.
                async for event in self._streams(typed.response, json.loads):
                    with self._service.reading():
                        if event["data"] == DONE:
                            # Only a connection that was read to its end serves another request.
                            continue
                        self._take_error(event["data"])
                        delta = take_chunk(answer, in_openai_words(event["data"]))
                    yield delta
            with self._service.reading():
                reply = answer.reply()
        yield reply

    def _take_error(self, found: Any) -> None:
        super()._take_error(found)
        if found.get("object") == "error":
            raise self._service.reported(f"{found.get('message')} {found.get('code') or ''}")
        if any(choice.get("finish_reason") == "error" for choice in found.get("choices") or ()):
            raise self._service.reported("it ended with an error")

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text."""
        with self._errors(request.model):
            made = self._sdk.embeddings.create_async(model=request.model, inputs=list(request.texts))
            found = await self._plain(made)
            with self._service.reading():
                self._take_error(found)
                return embedded(request, found)

    async def models(self) -> list[str]:
        """The ids that Mistral lists for the key."""
        with self._errors(""):
            listing = await self._plain(self._sdk.models.list_async())
            with self._service.reading():
                # A model of a form that the SDK does not know it keeps as it came.
                return [str((model.get("raw") or model)["id"].strip()) for model in listing["data"]]

    async def close(self) -> None:
        """Closes the connections."""
        sdk, self._client = self._client, None
        if sdk is not None:
            await sdk.sdk_configuration.async_client.aclose()


def _http_client(endpoint: Endpoint) -> "httpx2.AsyncClient":
    import httpx2

    timeout = httpx2.Timeout(endpoint.read_s, connect=endpoint.connect_s).as_dict()

    async def be_patient(request: httpx2.Request) -> None:
        # The SDK knows but one number for all of it, and sets it on every request.
        request.extensions["timeout"] = timeout

    async def smooth(response: httpx2.Response) -> None:
        # To warn of an old model the SDK looks into the answer, and fails where that comes in pieces.
        response.headers.pop(DEPRECATION, None)
        # It fails, too, to tell of an error without a body that it has not read.
        if response.is_error:
            await response.aread()

    return httpx2.AsyncClient(follow_redirects=True, event_hooks={"request": [be_patient], "response": [smooth]})
