"""What Mistral refuses in a request. Sources: the Mistral API reference; the validator of ``mistral-common``."""

import base64
import binascii
import itertools
import json
import re
from typing import Any

from tests.wire.replies import Json

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
IMAGE_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,(.+)", re.DOTALL)
CHAT_FIELDS = frozenset(
    {"model", "messages", "stream", "max_tokens", "temperature", "top_p", "stop", "random_seed"}
) | {
    *("tools", "tool_choice", "parallel_tool_calls", "response_format", "n", "metadata", "prediction", "safe_prompt"),
    *("presence_penalty", "frequency_penalty", "prompt_mode", "reasoning_effort", "guardrails", "prompt_cache_key"),
}
EMBEDDING_FIELDS = frozenset({"model", "input", "metadata", "output_dimension", "output_dtype", "encoding_format"})
MESSAGE_FIELDS = {
    "system": {"content"},
    "user": {"content"},
    "assistant": {"content", "tool_calls", "prefix"},
    "tool": {"content", "tool_call_id", "name"},
}
FOLLOWERS = {
    "system": {"system", "user", "assistant"},
    "user": {"system", "user", "assistant"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}


def chat_fault(body: Json) -> str:
    """What is wrong with a request for an answer, or nothing."""
    return (
        _fields_fault(body, CHAT_FIELDS)
        or _limit_fault(body)
        or _format_fault(body.get("response_format", {"type": "text"}))
        or _messages_fault(body.get("messages"))
        or _tools_fault(body.get("tools"))
    )


def embedding_fault(body: Json) -> str:
    """What is wrong with a request for embeddings, or nothing."""
    texts = body.get("input")
    if fault := _fields_fault(body, EMBEDDING_FIELDS):
        return fault
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        return "input should be a valid list of strings"
    return ""


def _fields_fault(body: Json, fields: frozenset[str]) -> str:
    if unknown := set(body) - fields:
        return f"Extra inputs are not permitted: {sorted(unknown)}"
    return "" if isinstance(body.get("model"), str) and body["model"] else "Field required: model"


def _limit_fault(body: Json) -> str:
    if type(body.get("max_tokens", 1)) is not int or body.get("max_tokens", 1) < 1:
        return "max_tokens should be greater than or equal to 1"
    if not isinstance(body.get("stream", False), bool):
        return "stream should be a valid boolean"
    return "" if 0 <= body.get("temperature", 0) <= 1.5 else "temperature should be less than or equal to 1.5"


def _format_fault(wanted: Json) -> str:
    if wanted.get("type") not in {"text", "json_object", "json_schema"}:
        return "unknown response_format"
    schema = wanted.get("json_schema") or {}
    if wanted["type"] == "json_schema" and not (
        NAME.fullmatch(schema.get("name") or "") and isinstance(schema.get("schema"), dict)
    ):
        return "response_format.json_schema needs a name and a schema"
    return ""


def _messages_fault(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return "Conversation must have at least one message"
    roles = [message.get("role") for message in messages]
    if unknown := set(roles) - set(MESSAGE_FIELDS):
        return f"unknown roles {unknown}"
    for before, after in itertools.pairwise(roles):
        if after not in FOLLOWERS[before]:
            return f"Unexpected role '{after}' after role '{before}'"
    if roles[-1] not in {"user", "tool"} and roles != ["system"]:
        return f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {roles[-1]}"
    return next(filter(None, map(_message_fault, messages)), "") or _balance_fault(messages)


def _balance_fault(messages: list[Json]) -> str:
    asked: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            if message["tool_call_id"] not in asked:
                return f"Unexpected tool call id {message['tool_call_id']} in tool results"
            asked.remove(message["tool_call_id"])
        elif asked:
            return "Not the same number of function calls and responses"
        asked += [call["id"] for call in message.get("tool_calls") or []]
    return "Not the same number of function calls and responses" if asked or len(set(asked)) < len(asked) else ""


def _message_fault(message: Json) -> str:
    role, content, calls = message["role"], message.get("content"), message.get("tool_calls") or []
    if unknown := set(message) - MESSAGE_FIELDS[role] - {"role"}:
        return f"Extra inputs are not permitted: {sorted(unknown)}"
    if role == "assistant" and not content and not calls:
        return "Assistant message must have either content or tool_calls, but not none."
    if role == "tool" and not CALL_ID.fullmatch(str(message.get("tool_call_id"))):
        return _id_fault(message.get("tool_call_id"))
    return _content_fault(role, content) or next(filter(None, map(_call_fault, calls)), "")


def _id_fault(given: Any) -> str:
    return f"Tool call id was {given} but must be a-z, A-Z, 0-9, with a length of 9."


def _call_fault(call: Json) -> str:
    function = call.get("function") or {}
    if not CALL_ID.fullmatch(str(call.get("id"))):
        return _id_fault(call.get("id"))
    if not NAME.fullmatch(function.get("name") or ""):
        return f"Function name was {function.get('name')} but must be a-z, A-Z, 0-9, or contain underscores and dashes"
    return "" if isinstance(function.get("arguments"), str | dict) else "arguments should be a string or an object"


def _content_fault(role: str, content: Any) -> str:
    if isinstance(content, str) or (content is None and role == "assistant"):
        return ""
    if not isinstance(content, list) or not content:
        return "content should be a valid string or list"
    return next(filter(None, (_part_fault(part, role) for part in content)), "")


def _part_fault(part: Json, role: str) -> str:
    if part.get("type") == "text":
        return "" if isinstance(part.get("text"), str) else "text should be a valid string"
    if part.get("type") != "image_url" or role != "user":
        return f"Input tag {part.get('type')!r} found using 'type' does not match any of the expected tags"
    url = part.get("image_url")
    found = IMAGE_URL.fullmatch(str(url.get("url") if isinstance(url, dict) else url))
    try:
        base64.b64decode(found[1] if found else "?", validate=True)
    except binascii.Error:
        return "Image, '{url}', could not be loaded as base64"
    return ""


def _tools_fault(tools: Any) -> str:
    for tool in tools or []:
        function = tool.get("function") or {}
        if tool.get("type", "function") != "function" or not NAME.fullmatch(function.get("name") or ""):
            return f"Function name was {function.get('name')} but must be a-z, A-Z, 0-9, _ and -, 64 at most"
        if not isinstance(function.get("parameters"), dict):
            return f"Invalid tool schema: {json.dumps(function.get('parameters'))}"
    return ""
