"""Ollama's own wire format. Source: Ollama's API documentation on /api/chat, /api/embed and /api/tags."""

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from typing import Any

from tests.wire.dialect import Purpose
from tests.wire.replies import Embed, Json, Refuse, Say, Tokens, in_pieces

CHAT_FIELDS = {"model", "messages", "stream", "format", "tools", "options", "think", "keep_alive", "truncate", "shift"}
EMBED_FIELDS = {"model", "input", "truncate", "options", "keep_alive", "dimensions"}
MESSAGE_FIELDS = {"role", "content", "thinking", "images", "tool_calls", "tool_name", "tool_call_id"}
OPTIONS: Mapping[str, tuple[type, ...]] = {
    **dict.fromkeys(("num_predict", "num_ctx", "seed", "top_k"), (int,)),
    **dict.fromkeys(("temperature", "top_p"), (int, float)),
}
DURATIONS = {"total_duration": 5, "load_duration": 1, "prompt_eval_duration": 2, "eval_duration": 2}


class Ollama:
    """A JSON object a line, arguments that are objects, thinking apart, and a last object that says it is done."""

    base_path = ""
    stream_type = "application/x-ndjson"
    drop = b" "
    routes: Mapping[tuple[str, str], Purpose] = {
        ("POST", "/api/chat"): Purpose.CHAT,
        ("POST", "/api/embed"): Purpose.EMBEDDING,
        ("GET", "/api/tags"): Purpose.LISTING,
    }

    def fault(self, purpose: Purpose, body: Json) -> str:
        """What Ollama would say is wrong with the request; also where it would only overlook a field."""
        if unknown := set(body) - (EMBED_FIELDS if purpose is Purpose.EMBEDDING else CHAT_FIELDS):
            return f"unknown fields {sorted(unknown)}"
        if not isinstance(body.get("model"), str) or not body["model"]:
            return "model is required"
        if fault := _options_fault(body.get("options", {})):
            return fault
        if purpose is Purpose.EMBEDDING:
            texts = body.get("input")
            good = isinstance(texts, list) and texts and all(isinstance(text, str) for text in texts)
            return "" if good else "invalid input type"
        return _messages_fault(body.get("messages")) or _form_fault(body)

    def streams(self, body: Json) -> bool:
        """Unless it is told not to."""
        return "messages" in body and body.get("stream") is not False

    def pieces(self, say: Say, body: Json) -> list[bytes]:
        """The lines; the last one has the reason of the end and the usage."""
        messages: list[Json] = [{"content": "", "thinking": piece} for piece in in_pieces(say.reasoning)]
        messages += [{"content": piece} for piece in in_pieces(_text(say))]
        messages += [{"content": "", "tool_calls": [call]} for call in _calls(say)]
        lines = [_envelope(body, message, say) | {"done": False} for message in messages]
        if say.finish is not None:
            lines.append(_envelope(body, {"content": ""}, say) | _end(say))
        return [json.dumps(line).encode() + b"\n" for line in lines]

    def whole(self, say: Say, body: Json) -> bytes:
        """The answer as one object."""
        message: Json = {"content": _text(say)}
        if say.reasoning:
            message["thinking"] = say.reasoning
        if calls := _calls(say):
            message["tool_calls"] = calls
        end = _end(say) if say.finish is not None else {"done": False}
        return json.dumps(_envelope(body, message, say) | end).encode()

    def vectors(self, embed: Embed, body: Json) -> bytes:
        """The embeddings, in the order of the texts."""
        found = {"model": body.get("model"), "embeddings": [list(vector) for vector in embed.vectors]}
        return json.dumps({**found, "total_duration": 5, "prompt_eval_count": embed.tokens}).encode()

    def listing(self, models: Sequence[str]) -> bytes:
        """The models that were pulled."""
        details = {"format": "gguf", "family": "llama", "parameter_size": "8B", "quantization_level": "Q4_0"}
        card = {"modified_at": "2026-01-01T00:00:00Z", "size": 1, "digest": "0" * 64, "details": details}
        return json.dumps({"models": [{"name": name, "model": name, **card} for name in models]}).encode()

    def error(self, refusal: Refuse) -> bytes:
        """The message, in which a code has to be, too."""
        return json.dumps({"error": " ".join(filter(None, (refusal.message, refusal.code)))}).encode()


def _options_fault(options: Json) -> str:
    for name, value in options.items():
        if name not in OPTIONS:
            return f"invalid option provided: {name}"
        if not isinstance(value, OPTIONS[name]) or isinstance(value, bool):
            return f"option {name!r} must be of type {OPTIONS[name][-1].__name__}"
    return ""


def _messages_fault(messages: Any) -> str:
    if not isinstance(messages, list) or not messages:
        return "messages must not be empty"
    return next(filter(None, map(_message_fault, messages)), "")


def _message_fault(message: Json) -> str:
    if message.get("role") not in {"system", "user", "assistant", "tool"}:
        return f"invalid role: {message.get('role')!r}, must be one of system, user, assistant or tool"
    if unknown := set(message) - MESSAGE_FIELDS:
        return f"unknown fields {sorted(unknown)}"
    if not isinstance(message.get("content", ""), str):
        return "json: cannot unmarshal into Go struct field ChatRequest.messages.content of type string"
    try:
        for image in message.get("images", ()):
            base64.b64decode(image, validate=True)
    except (binascii.Error, TypeError):
        return "illegal base64 data at input byte 0"
    for call in message.get("tool_calls", ()):
        function = call.get("function") or {}
        if not function.get("name") or not isinstance(function.get("arguments"), dict):
            return "json: cannot unmarshal string into Go struct field of type map[string]interface {}"
    return ""


def _form_fault(body: Json) -> str:
    if body.get("format", "") not in ("", "json") and not isinstance(body["format"], dict):
        return f'invalid format: {body["format"]!r}; expected "json" or a valid JSON Schema object'
    for tool in body.get("tools", ()):
        function = tool.get("function") or {}
        named = tool.get("type") == "function" and function.get("name")
        if not named or (function.get("parameters") or {}).get("type") != "object":
            return f"a tool must be a function with parameters: {tool}"
    return ""


def _text(say: Say) -> str:
    # What is no call to Ollama's parser, since its arguments are no JSON, it takes for text.
    return say.text + "".join(arguments for _, arguments in say.calls if _arguments(arguments) is None)


def _calls(say: Say) -> list[Json]:
    found = [(name, _arguments(arguments)) for name, arguments in say.calls]
    return [
        {"id": f"call_{index}", "function": {"index": index, "name": name, "arguments": arguments}}
        for index, (name, arguments) in enumerate(found)
        if arguments is not None
    ]


def _arguments(text: str) -> Json | None:
    try:
        found = json.loads(text)
    except json.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _end(say: Say) -> Json:
    told: Json = {}
    if isinstance(say.usage, Tokens):
        told = {"prompt_eval_count": say.usage.input, "eval_count": say.usage.output}
    elif say.usage is not None:
        told = dict(say.usage)
    return {"done": True, "done_reason": "stop" if say.finish == "auto" else say.finish, **DURATIONS, **told}


def _envelope(body: Json, message: Json, say: Say) -> Json:
    common = {"model": body.get("model"), "created_at": "2026-01-01T00:00:00Z"}
    return {**say.extra, **common, "message": {"role": "assistant", **message, **say.extra}}
