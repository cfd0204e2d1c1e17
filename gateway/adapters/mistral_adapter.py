"""Mistral's own API, which serves Codestral and Devstral too."""

import json
from collections.abc import AsyncGenerator, Awaitable
from typing import TYPE_CHECKING, Any

from domain.answer import Answer
from domain.chat import Delta, EmbeddingRequest, ModelRequest
from domain.errors import ModelUnavailable, SoundstageError
from gateway.adapters.adapter import Adapter
from gateway.adapters.openai_wire import request_body, take

if TYPE_CHECKING:
    import httpx2

OFFICIAL_URL = "https://api.mistral.ai"
DONE = "[DONE]"
DEPRECATION = "x-model-deprecation-timestamp"
INVALID_MODEL = "invalid model"
"""What Mistral says of a model that it does not know, with the status 400."""


class MistralProvider(Adapter):
    """Sends requests with the official SDK, its retries switched off."""

    sdk, http = "mistralai", "httpx2"
    key_variable = "MISTRAL_API_KEY"
    path = "/v1"

    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        from mistralai.client import Mistral

        sdk = Mistral(api_key=key, server_url=url, async_client=_http_client(timeout.as_dict()), retry_config=None)
        # A variable of the environment would have it send all that is said to Mistral's telemetry as well.
        vars(sdk.sdk_configuration)["telemetry"] = False
        return sdk

    async def _disconnect(self, client: Any) -> None:
        await client.sdk_configuration.async_client.aclose()

    async def _plain(self, call: Awaitable[Any]) -> Any:
        """What Mistral answers, as it came; also where it is of another shape than the SDK knows."""
        from mistralai.client.errors import ResponseValidationError

        try:
            found = await call
        except ResponseValidationError as error:
            return json.loads(error.body)
        return found.model_dump(exclude_unset=True)

    async def _whole(self, request: ModelRequest) -> Any:
        return await self._plain(self._client.chat.complete_async(**request_body(request, "max_tokens")))

    async def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        from mistralai.client.utils.eventstreaming import EventStreamAsync

        async with await self._client.chat.stream_async(**request_body(request, "max_tokens")) as typed:
            # To read an event the SDK makes a class of its own each time, and hides an error that is told in one.
            async for event in EventStreamAsync[Any](typed.response, json.loads):
                # Only a connection that was read to its end serves another request.
                if event["data"] != DONE:
                    yield event["data"]

    async def _vectors(self, request: EmbeddingRequest) -> Any:
        made = self._client.embeddings.create_async(model=request.model, inputs=list(request.texts))
        return await self._plain(made)

    async def _names(self) -> list[str]:
        listing = await self._plain(self._client.models.list_async())
        # A model of a form that the SDK does not know it keeps as it came.
        return [(model.get("raw") or model)["id"] for model in listing["data"]]

    def _check(self, found: Any) -> None:
        super()._check(found)
        if found.get("object") == "error":
            raise self._service.reported(f"{found.get('message')} {found.get('code') or ''}")
        if any(choice.get("finish_reason") == "error" for choice in found.get("choices") or ()):
            raise self._service.reported("it ended with an error")

    def _take(self, answer: Answer, found: Any) -> Delta:
        return take(answer, _in_openai_words(found))

    def _ours(self, error: Exception, model: str) -> SoundstageError | None:
        from mistralai.client import errors
        from mistralai.extra.exceptions import MistralClientException

        match error:
            case errors.ResponseValidationError():
                return self._service.malformed()
            case errors.MistralError(status_code=status) if status < 400:
                return self._service.malformed()
            case errors.MistralError(status_code=status, body=body):
                unknown = status == 400 and INVALID_MODEL in body.lower()
                return self._service.status(404 if unknown else status, body, error.headers, model)
            case errors.NoResponseError():
                return self._service.unreachable(error)
            case MistralClientException():
                return ModelUnavailable(f"The provider's client refused: {self._service.said(str(error))}")
        return super()._ours(error, model)


def _http_client(timeout: dict[str, float | None]) -> "httpx2.AsyncClient":
    import httpx2

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


def _in_openai_words(found: Any) -> Any:
    """A chunk or a completion, its thinking apart from its text, as OpenAI's compatible servers have it."""
    for choice in found.get("choices") or ():
        if choice.get("finish_reason") == "model_length":
            choice["finish_reason"] = "length"
        message = choice.get("delta") or choice.get("message") or {}
        if isinstance(message.get("content"), list):
            message["reasoning"] = _text(message["content"], "thinking")
            message["content"] = _text(message["content"], "text")
    return found


def _text(parts: list[Any], kind: str) -> str:
    """The text of all parts of a kind. Thinking is a list of parts in its turn."""
    told = (part[kind] for part in parts if part["type"] == kind)
    return "".join(each if isinstance(each, str) else _text(each, "text") for each in told)
