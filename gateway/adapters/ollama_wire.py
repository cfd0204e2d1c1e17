"""Our requests in Ollama's own format, and answers in it. Source: Ollama's API documentation, "Chat"."""

import json
from collections.abc import Iterable
from typing import Any

from domain.chat import (
    AssistantMessage,
    FinishReason,
    Message,
    ModelRequest,
    SystemMessage,
    ToolMessage,
    Usage,
    UserMessage,
)
from gateway.adapters.answer import Answer
from gateway.adapters.openai_wire import tools_of
from gateway.base import Delta


def request_body(request: ModelRequest, context_tokens: int | None, stream: bool) -> dict[str, Any]:
    """The request as ``/api/chat`` takes it."""
    options: dict[str, Any] = {"num_predict": request.max_output_tokens}
    if context_tokens is not None:
        options["num_ctx"] = context_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    messages = _messages(request.messages)
    body: dict[str, Any] = {"model": request.model, "messages": messages, "options": options, "stream": stream}
    if request.tools:
        body["tools"] = tools_of(request)
    if request.json_schema is not None:
        body["format"] = request.json_schema
    return body


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    names: dict[str, str] = {}
    found = []
    for message in messages:
        if isinstance(message, AssistantMessage):
            names |= {call.id: call.name for call in message.tool_calls}
        found.append(_message(message, names))
    return found


def _message(message: Message, names: dict[str, str]) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    match message:
        case UserMessage(images=images) if images:
            return wire | {"images": [image.data for image in images]}
        case SystemMessage() | UserMessage():
            return wire
        case ToolMessage():
            return wire | {"tool_name": names.get(message.tool_call_id, "")}
        case AssistantMessage():
            calls = [{"name": call.name, "arguments": _arguments(call.arguments)} for call in message.tool_calls]
            return wire | {"tool_calls": [{"function": call} for call in calls]} if calls else wire


def _arguments(text: str) -> dict[str, Any]:
    """The arguments as the object that Ollama wants; what is none is shown to the model under a name."""
    try:
        found = json.loads(text)
        json.dumps(found, allow_nan=False)
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"malformed": text}


def take(answer: Answer, part: Any) -> Delta:
    """Takes in a piece of an answer, or the whole of it; returns what of it can be shown."""
    message = part["message"]
    for call in message.get("tool_calls") or ():
        # A call comes in one piece, and has no id.
        answer.call(answer.calls, "", call["function"]["name"], call["function"]["arguments"])
    if part.get("done"):
        answer.finish = FinishReason.LENGTH if part.get("done_reason") == "length" else FinishReason.STOP
        counts = part.get("prompt_eval_count"), part.get("eval_count")
        if None not in counts:
            answer.usage = Usage(input_tokens=counts[0], output_tokens=counts[1])
    return answer.hear(message.get("content") or "", message.get("thinking") or "")
