"""What Ollama's /api/chat cannot read or take in a request. Source: Ollama's API reference, and its types in Go."""

from collections.abc import Mapping
from typing import Any

ROLES = frozenset({"system", "user", "assistant", "tool"})
FIELDS = frozenset({"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"})


def chat_fault(body: Mapping[str, Any]) -> str:
    """What is wrong with the messages of a request, or nothing."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "no messages: that only loads the model"
    faults = (_fault(number, message) for number, message in enumerate(messages))
    return next(filter(None, faults), "")


def _fault(number: int, message: Mapping[str, Any]) -> str:
    if message.get("role") not in ROLES:
        return f"messages[{number}]: unknown role {message.get('role')!r}"
    if unknown := set(message) - FIELDS:
        return f"messages[{number}]: unknown fields {sorted(unknown)}"
    if not isinstance(message.get("content"), str):
        return f"messages[{number}]: json: cannot unmarshal into Go struct field Message.content of type string"
    if not all(isinstance(image, str) and image for image in message.get("images", [])):
        return f"messages[{number}]: images are base64 strings"
    for call in message.get("tool_calls", []):
        function = call.get("function", {})
        if not isinstance(function.get("name"), str) or not function["name"]:
            return f"messages[{number}]: a call has no name"
        if not isinstance(function.get("arguments"), dict):
            return (
                f"messages[{number}]: json: cannot unmarshal string into Go struct field of type map[string]interface"
            )
    return ""
