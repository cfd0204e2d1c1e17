"""What chat completions and embeddings refuse in a request. Source: the OpenAI API reference; refusals as observed."""

import base64
import binascii
import re
from collections.abc import Set as AbstractSet
from typing import Any

from tests.wire.replies import Json

NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
IMAGE_URL = re.compile(r"data:image/(?:png|jpeg|webp|gif);base64,(.+)", re.DOTALL)
LONGEST_ID = 40
COMMON_FIELDS = frozenset({"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens"}) | {
    *("tools", "tool_choice", "parallel_tool_calls", "response_format", "temperature", "top_p", "stop", "seed", "n"),
    *("user", "metadata", "reasoning_effort", "service_tier"),
}
OPENAI_FIELDS = COMMON_FIELDS | {
    *("audio", "frequency_penalty", "presence_penalty", "function_call", "functions", "logit_bias", "logprobs"),
    *("top_logprobs", "modalities", "prediction", "prompt_cache_key", "safety_identifier", "store", "verbosity"),
}
EMBEDDING_FIELDS = frozenset({"model", "input", "encoding_format", "dimensions", "user"})


def chat_fault(body: Json, fields: AbstractSet[str]) -> str:
    """What is wrong with a request for an answer, or nothing. ``fields`` are those that the provider knows."""
    return _fields_fault(body, fields) or _limit_fault(body) or _format_fault(body) or _parts_fault(body)


def embedding_fault(body: Json) -> str:
    """What is wrong with a request for embeddings, or nothing."""
    texts = body.get("input")
    if fault := _fields_fault(body, EMBEDDING_FIELDS):
        return fault
    if body.get("encoding_format", "float") not in {"float", "base64"}:
        return "unknown encoding_format"
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
        return "'$.input' is invalid: it must be texts that are not empty"
    return ""


def _fields_fault(body: Json, fields: AbstractSet[str]) -> str:
    if unknown := set(body) - fields:
        return f"Unrecognized request arguments supplied: {sorted(unknown)}"
    if not isinstance(body.get("model"), str) or not body["model"]:
        return "you must provide a model parameter"
    return ""


def _limit_fault(body: Json) -> str:
    limits = [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body]
    if len(limits) > 1:
        return "setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported"
    if any(type(limit) is not int or limit < 1 for limit in limits):
        return "the limit of tokens must be a positive integer"
    if not 0 <= body.get("temperature", 0) <= 2:
        return "temperature must be between 0 and 2"
    return ""


def _format_fault(body: Json) -> str:
    if not isinstance(body.get("stream", False), bool):
        return "stream must be a boolean"
    if "stream_options" in body and not body.get("stream"):
        return "the 'stream_options' parameter is only allowed when 'stream' is enabled"
    wanted = body.get("response_format", {"type": "text"})
    if wanted.get("type") not in {"text", "json_object", "json_schema"}:
        return "unknown response_format"
    if wanted["type"] == "json_schema":
        schema = wanted.get("json_schema", {})
        if set(schema) - {"name", "schema", "strict", "description"}:
            return "unknown parameter in response_format.json_schema"
        if not NAME.fullmatch(schema.get("name") or "") or not isinstance(schema.get("schema"), dict):
            return "response_format.json_schema needs a name and a schema"
    return ""


def _parts_fault(body: Json) -> str:
    return _messages_fault(body.get("messages")) or _tools_fault(body.get("tools"))


def _messages_fault(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return "messages must not be empty"
    asked: set[str] = set()
    for number, message in enumerate(messages):
        role = message.get("role")
        if fault := _content_fault(role, message):
            return f"messages[{number}]: {fault}"
        if role == "tool":
            if message.get("tool_call_id") not in asked:
                return f"messages[{number}]: a tool message must answer a tool call that precedes it"
            asked.remove(message["tool_call_id"])
        elif asked:
            return f"messages[{number}]: the tool calls {sorted(asked)} were not answered"
        if "tool_calls" in message:
            if fault := _calls_fault(message["tool_calls"]):
                return f"messages[{number}]: {fault}"
            asked = {call["id"] for call in message["tool_calls"]}
    return f"the tool calls {sorted(asked)} were not answered" if asked else ""


ROLES = {
    "system": {"content", "name"},
    "user": {"content", "name"},
    "assistant": {"content", "name", "refusal", "tool_calls"},
    "tool": {"content", "tool_call_id"},
}


def _content_fault(role: str, message: Json) -> str:
    if role not in ROLES:
        return f"unknown role {role!r}"
    if unknown := set(message) - ROLES[role] - {"role"}:
        return f"unknown parameters {sorted(unknown)}"
    content = message.get("content")
    if isinstance(content, str) or (content is None and message.get("tool_calls")):
        return ""
    if not isinstance(content, list) or not content or role != "user":
        return "content must be a string"
    return next(filter(None, map(_part_fault, content)), "")


def _part_fault(part: Json) -> str:
    if part.get("type") == "text":
        return "" if isinstance(part.get("text"), str) and set(part) == {"type", "text"} else "a bad part of text"
    if part.get("type") != "image_url" or set(part) != {"type", "image_url"}:
        return f"unknown kind of part {part.get('type')!r}"
    found = IMAGE_URL.fullmatch(str(part["image_url"].get("url")))
    try:
        base64.b64decode(found[1] if found else "?", validate=True)
    except binascii.Error:
        return "an image must be a data URL of base64"
    return ""


def _calls_fault(calls: Any) -> str:
    if not isinstance(calls, list) or not calls:
        return "tool_calls must not be empty"
    ids = [call.get("id") for call in calls]
    if not all(isinstance(each, str) and 0 < len(each) <= LONGEST_ID for each in ids):
        return f"the id of a tool call must be a text of at most {LONGEST_ID} characters"
    if len(set(ids)) < len(ids):
        return "duplicate value for the id of a tool call"
    for call in calls:
        function = call.get("function")
        if call.get("type") != "function" or not isinstance(function, dict):
            return "a tool call must be of type function"
        if not NAME.fullmatch(function.get("name") or "") or not isinstance(function.get("arguments"), str):
            return "a tool call needs a name and arguments, which are a text"
    return ""


def _tools_fault(tools: Any) -> str:
    if tools is None:
        return ""
    if not tools:
        return "[] is too short - 'tools'"
    for tool in tools:
        function = tool.get("function", {})
        if tool.get("type") != "function" or not NAME.fullmatch(function.get("name") or ""):
            return f"a tool has no proper name: {tool}"
        if set(function) - {"name", "description", "parameters", "strict"}:
            return f"unknown parameters of the function {function['name']}"
        if not isinstance(function.get("parameters"), dict) or function["parameters"].get("type") != "object":
            return f"the parameters of {function['name']} must be a JSON schema of an object"
    return ""
