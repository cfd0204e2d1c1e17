"""Ollama by its own API: models that run on this machine or in this house. Source: its documentation, "Chat".

Requests go through the SDK's general request, not through its typed methods: those drop half of the schema of a tool,
and take the text of an image for the path of a file where there is one of that name.
"""

import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from domain.answer import Answer
from domain.chat import (
    AssistantMessage,
    Delta,
    EmbeddingRequest,
    FinishReason,
    Message,
    ModelRequest,
    ToolMessage,
    Usage,
    UserMessage,
)
from domain.errors import SoundstageError, UnknownModel
from gateway.adapters.adapter import Adapter
from gateway.adapters.openai_wire import tools_of
from gateway.base import Endpoint

LOCAL = Endpoint(name="ollama", base_url="http://127.0.0.1:11434", local=True)
NO_STATUS = -1
"""The status of an error that comes in the middle of an answer."""


class OllamaProvider(Adapter):
    """Sends requests with the official SDK, which never retries.

    ``context_tokens`` is how much context the server is to keep. Where it is None the server chooses, often 4096
    tokens, and drops the beginning of a longer conversation without a word.
    """

    sdk, http = "ollama", "httpx"
    url_variable = "OLLAMA_HOST"
    path = "/v1"

    def __init__(self, endpoint: Endpoint = LOCAL, context_tokens: int | None = None) -> None:
        super().__init__(endpoint)
        self._context_tokens = context_tokens

    def _connect(self, url: str, key: str, timeout: Any) -> Any:
        from ollama import AsyncClient

        # A key is sent in any case: without one, the SDK sends a key that it finds in the environment.
        return AsyncClient(host=url, timeout=timeout, headers={"authorization": f"Bearer {key}"})

    async def _post(self, call: str, body: dict[str, Any], stream: bool = False) -> Any:
        return await self._client._request(dict, "POST", f"/api/{call}", json=body, stream=stream)

    async def _whole(self, request: ModelRequest) -> Any:
        return await self._post("chat", chat_body(request, self._context_tokens, stream=False))

    async def _pieces(self, request: ModelRequest) -> AsyncGenerator[Any]:
        body = chat_body(request, self._context_tokens, stream=True)
        async with aclosing(await self._post("chat", body, stream=True)) as parts:
            async for part in parts:
                yield part

    async def _vectors(self, request: EmbeddingRequest) -> Any:
        found = await self._post("embed", {"model": request.model, "input": request.texts, "truncate": False})
        self._check(found)
        data = [{"index": index, "embedding": vector} for index, vector in enumerate(found["embeddings"])]
        return {"data": data, "usage": {"prompt_tokens": found.get("prompt_eval_count")}}

    async def _names(self) -> list[str]:
        listing = await self._client._request(dict, "GET", "/api/tags")
        return [model["model"] for model in listing["models"]]

    def _take(self, answer: Answer, found: Any) -> Delta:
        message = found["message"]
        for call in message.get("tool_calls") or ():
            # A call comes in one piece, and has no id.
            answer.call(answer.calls, "", call["function"]["name"], call["function"]["arguments"])
        if found.get("done"):
            answer.finish = FinishReason.LENGTH if found.get("done_reason") == "length" else FinishReason.STOP
            counts = found.get("prompt_eval_count"), found.get("eval_count")
            if None not in counts:
                answer.usage = Usage(input_tokens=counts[0], output_tokens=counts[1])
        return answer.hear(message.get("content") or "", message.get("thinking") or "")

    def _ours(self, error: Exception, model: str) -> SoundstageError | None:
        import ollama

        if isinstance(error, ollama.ResponseError):
            return self._refused(error, model)
        if isinstance(error, ollama.RequestError):
            return self._service.unsendable(error)
        return super()._ours(error, model)

    def _refused(self, error: Any, model: str) -> SoundstageError:
        said = str(error.error)
        if error.status_code == NO_STATUS:
            return self._service.reported(said)
        if error.status_code == 404 and model:
            return UnknownModel(
                f"Ollama does not have the model {model!r} ({self._service.said(said)}). "
                f"Get it with: ollama pull {model}, or name another one with --model."
            )
        # The SDK leaves the headers behind, in the exception that it came from.
        response = getattr(error.__context__, "response", None)
        return self._service.status(error.status_code, said, response.headers if response is not None else {}, model)


def chat_body(request: ModelRequest, context_tokens: int | None, stream: bool) -> dict[str, Any]:
    """The request as ``/api/chat`` takes it."""
    options: dict[str, Any] = {"num_predict": request.max_output_tokens}
    if context_tokens is not None:
        options["num_ctx"] = context_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    asking = [message for message in request.messages if isinstance(message, AssistantMessage)]
    names = {call.id: call.name for message in asking for call in message.tool_calls}
    messages = [_message(message, names) for message in request.messages]
    body: dict[str, Any] = {"model": request.model, "messages": messages, "options": options, "stream": stream}
    if request.tools:
        body["tools"] = tools_of(request)
    if request.json_schema is not None:
        body["format"] = request.json_schema
    return body


def _message(message: Message, names: dict[str, str]) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    match message:
        case UserMessage(images=images) if images:
            wire["images"] = [image.data for image in images]
        case ToolMessage():
            wire["tool_name"] = names.get(message.tool_call_id, "")
        case AssistantMessage(tool_calls=calls) if calls:
            called = [{"name": call.name, "arguments": _arguments(call.arguments)} for call in calls]
            wire["tool_calls"] = [{"function": call} for call in called]
    return wire


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as the object that Ollama wants; what is none is shown to the model under a name."""
    try:
        found = json.loads(text)
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"malformed": text}
