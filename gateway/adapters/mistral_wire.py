"""Our requests as Mistral takes them. Source: the Mistral API reference, "Chat Completion"."""

import hashlib
import re
from typing import Any

from domain.chat import ModelRequest
from gateway.adapters import openai_wire

CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")


def request_body(request: ModelRequest) -> dict[str, Any]:
    """The arguments of the SDK's ``chat``: as OpenAI's, but for the ids of tool calls."""
    body = openai_wire.request_body(request, "max_tokens")
    for message in body["messages"]:
        if message["role"] == "tool":
            message["tool_call_id"] = call_id(message["tool_call_id"])
        for call in message.get("tool_calls", ()):
            call["id"] = call_id(call["id"])
    return body


def call_id(given: str) -> str:
    """The id of a tool call as Mistral takes it: nine letters and digits, the same ones for the same id."""
    return given if CALL_ID.fullmatch(given) else hashlib.sha256(given.encode()).hexdigest()[:9]


def in_openai_words(found: Any) -> Any:
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
