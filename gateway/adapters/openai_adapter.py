"""Any server that speaks OpenAI's chat completions: OpenAI itself, vLLM, llama.cpp, LM Studio, Ollama."""

import json
from collections.abc import AsyncGenerator, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any

from domain.chat import (
    AssistantMessage,
    EmbeddingReply,
    EmbeddingRequest,
    FinishReason,
    ModelReply,
    ModelRequest,
    ToolCall,
    Usage,
)
from domain.errors import ModelProtocolError
from domain.text import well_formed
from gateway.adapters.openai_wire import request_body
from gateway.base import Delta, Endpoint
from gateway.pricing import estimate_usage

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types.chat import ChatCompletionChunk

OFFICIAL_URL = "https://api.openai.com/v1"
FINISH_REASONS = {
    "stop": FinishReason.STOP,
    "length": FinishReason.LENGTH,
    "tool_calls": FinishReason.TOOL_CALLS,
    "function_call": FinishReason.TOOL_CALLS,
    "content_filter": FinishReason.CONTENT_FILTER,
}


class OpenAIProvider:
    """Sends requests with the official SDK, its retries switched off."""

    announcement = ""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: AsyncOpenAI | None = None

    @property
    def name(self) -> str:
        """The name in ledger entries and prices."""
        return self._endpoint.name

    @property
    def local(self) -> bool:
        """Whether the endpoint is."""
        return self._endpoint.local

    def _connect(self) -> "AsyncOpenAI":
        if self._client is None:
            import httpx2
            from openai import AsyncOpenAI

            self._client = AsyncOpenAI(
                api_key=self._endpoint.api_key.get_secret_value(),
                base_url=self._endpoint.base_url,
                timeout=httpx2.Timeout(self._endpoint.read_s, connect=self._endpoint.connect_s),
                max_retries=0,
            )
        return self._client

    async def complete(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        body = request_body(request, modern=self._endpoint.base_url == OFFICIAL_URL)
        del body["stream"], body["stream_options"]
        with self._errors(request.model), _well_formed():
            made = await self._connect().chat.completions.create(**body)
            choice = made.choices[0]
        return ModelReply(
            message=AssistantMessage(content=choice.message.content or ""),
            usage=_usage(made.usage),
            finish_reason=FINISH_REASONS.get(choice.finish_reason, FinishReason.STOP),
        )

    async def embed(self, request: EmbeddingRequest) -> EmbeddingReply:
        """A vector for each text."""
        raise NotImplementedError

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        """Deltas, then the whole reply. A stream that ends without a finish reason raises ModelProtocolError."""
        body = request_body(request, modern=self._endpoint.base_url == OFFICIAL_URL)
        answer = _Answer()
        with self._errors(request.model), _well_formed():
            async with await self._connect().chat.completions.create(**body) as chunks:
                async for chunk in chunks:
                    delta = answer.add(chunk)
                    if delta is not None:
                        yield delta
        yield answer.reply(request)

    def _errors(self, model: str) -> "AbstractContextManager[None]":
        from gateway.adapters.openai_errors import openai_errors

        return openai_errors(model, self._endpoint.base_url, self._endpoint.api_key.get_secret_value())

    async def models(self) -> list[str]:
        """The ids that the server lists."""
        with self._errors(""), _well_formed():
            page = await self._connect().models.list()
            return [str(model.id.strip()) for model in page.data]

    async def close(self) -> None:
        """Closes the connections."""
        if self._client is not None:
            await self._client.close()
            self._client = None


@contextmanager
def _well_formed() -> Iterator[None]:
    """ModelProtocolError for an answer of another shape than the protocol's: the SDK builds its objects unchecked."""
    try:
        yield
    except (AttributeError, TypeError, ValueError) as error:
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError):
            raise
        raise ModelProtocolError from error


class _Answer:
    """Puts a reply together from chunks."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[dict[str, str]] = []
        self._open: dict[int | None, dict[str, str]] = {}
        self._finish: str | None = None
        self._usage: Usage | None = None

    def add(self, chunk: "ChatCompletionChunk") -> Delta | None:
        """Takes a chunk in; returns what of it is worth showing."""
        if chunk.usage is not None:
            self._usage = _usage(chunk.usage)
        if not chunk.choices:
            return None
        choice = chunk.choices[0]
        self._finish = choice.finish_reason or self._finish
        for call in choice.delta.tool_calls or []:
            self._add_call(call)
        extra: dict[str, Any] = choice.delta.model_extra or {}
        text = choice.delta.content or ""
        reasoning = extra.get("reasoning_content") or extra.get("reasoning") or ""
        self._text.append(text)
        self._reasoning.append(str(reasoning))
        return Delta(text=well_formed(text), reasoning=well_formed(str(reasoning)))

    def _add_call(self, call: Any) -> None:
        # Some servers leave the index out, or give each of several calls the index 0: a new id begins a new call.
        known = self._open.get(call.index)
        if known is None or (call.id and known["id"] and call.id != known["id"]):
            known = {"id": "", "name": "", "arguments": ""}
            self._calls.append(known)
            self._open[call.index] = known
        known["id"] = known["id"] or call.id or ""
        if call.function is not None:
            known["name"] = known["name"] or call.function.name or ""
            known["arguments"] += call.function.arguments or ""

    def reply(self, request: ModelRequest) -> ModelReply:
        """The whole reply."""
        if self._finish is None:
            raise ModelProtocolError("The provider's answer ended before it was complete. Run it again.")
        calls = tuple(
            ToolCall(
                id=well_formed(parts["id"]) or f"call_{index}",
                name=well_formed(parts["name"]),
                arguments=well_formed(parts["arguments"]),
            )
            for index, parts in enumerate(self._calls)
        )
        text = well_formed("".join(self._text))
        reasoning = well_formed("".join(self._reasoning))
        usage = self._usage or estimate_usage(request, text + reasoning + "".join(c.arguments for c in calls))
        return ModelReply(
            message=AssistantMessage(content=text, tool_calls=calls),
            usage=usage,
            finish_reason=FINISH_REASONS.get(self._finish, FinishReason.STOP),
            reasoning=reasoning,
        )


def _usage(usage: Any) -> Usage:
    prompt_details = usage.prompt_tokens_details
    completion_details = usage.completion_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cached_tokens=(prompt_details.cached_tokens if prompt_details else 0) or 0,
        reasoning_tokens=(completion_details.reasoning_tokens if completion_details else 0) or 0,
    )
