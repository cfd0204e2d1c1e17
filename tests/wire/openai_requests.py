"""What OpenAI's chat completions refuse in a request. Source: the OpenAI API reference, "Create chat completion"."""

import re
from collections.abc import Mapping
from typing import Any

TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LONGEST_ID = 40
KNOWN_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"}) | {
    "tools",
    "response_format",
    "temperature",
}


def fault_of(body: Mapping[str, Any]) -> str:
    """What is wrong with a request, or nothing."""
    if unknown := set(body) - KNOWN_FIELDS:
        return f"unknown fields: {sorted(unknown)}"
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "you must provide a model"
    if body.get("stream") is not True:
        return "this server only streams"
    if not isinstance(body.get("max_tokens", body.get("max_completion_tokens")), int):
        return "a budget is reserved by max_tokens, so it must be sent"
    return _messages_fault(body.get("messages")) or _tools_fault(body.get("tools", []))


def _messages_fault(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return "messages must not be empty"
    asked: set[str] = set()
    for number, message in enumerate(messages):
        role = message.get("role")
        if role not in {"system", "user", "assistant", "tool"}:
            return f"messages[{number}]: unknown role {role!r}"
        if not isinstance(message.get("content"), str):
            return f"messages[{number}]: content must be a string"
        if role == "tool":
            if message.get("tool_call_id") not in asked:
                return f"messages[{number}]: a tool message must answer a tool call that precedes it"
            asked.remove(message["tool_call_id"])
        elif asked:
            return f"messages[{number}]: the tool calls {sorted(asked)} were not answered"
        if role == "assistant":
            if fault := _calls_fault(message.get("tool_calls")):
                return f"messages[{number}].tool_calls: {fault}"
            asked = {call["id"] for call in message.get("tool_calls", [])}
    return f"the tool calls {sorted(asked)} were not answered" if asked else ""


def _calls_fault(calls: Any) -> str:
    if calls is None:
        return ""
    if not calls:
        return "must not be empty"
    ids = [call["id"] for call in calls]
    if len(set(ids)) < len(ids):
        return f"duplicate ids: {ids}"
    for call in calls:
        if not 0 < len(call["id"]) <= LONGEST_ID:
            return f"an id is 1 to {LONGEST_ID} characters long, unlike {call['id']!r}"
        function = call["function"]
        if not TOOL_NAME.fullmatch(str(function.get("name"))) or not isinstance(function.get("arguments"), str):
            return f"a call has no proper name, or arguments that are no string: {function}"
    return ""


def _tools_fault(tools: list[Any]) -> str:
    for tool in tools:
        function = tool.get("function", {})
        if tool.get("type") != "function" or not TOOL_NAME.fullmatch(str(function.get("name"))):
            return f"a tool has no proper name: {tool}"
        if not isinstance(function.get("parameters"), dict) or function["parameters"].get("type") != "object":
            return f"the parameters of {function['name']} must be a JSON schema of an object"
    return ""
