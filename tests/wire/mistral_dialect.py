"""Mistral's wire format. Source: the Mistral API reference on chat, embeddings and models."""

import json
from collections.abc import Mapping, Sequence

from tests.wire.dialect import Purpose, event
from tests.wire.mistral_requests import chat_fault, embedding_fault
from tests.wire.openai_dialect import DONE, finish, usage
from tests.wire.replies import Embed, Json, Refuse, Say, in_pieces


class Mistral:
    """Like OpenAI's at first sight: but a call comes in one piece, and thinking in a list of parts of the content."""

    base_path = ""
    stream_type = "text/event-stream"
    drop = b": still working\n\n"
    routes: Mapping[tuple[str, str], Purpose] = {
        ("POST", "/v1/chat/completions"): Purpose.CHAT,
        ("POST", "/v1/embeddings"): Purpose.EMBEDDING,
        ("GET", "/v1/models"): Purpose.LISTING,
    }

    def fault(self, purpose: Purpose, body: Json) -> str:
        """What Mistral would say is wrong with the request."""
        return embedding_fault(body) if purpose is Purpose.EMBEDDING else chat_fault(body)

    def streams(self, body: Json) -> bool:
        """Only when it is asked for."""
        return body.get("stream") is True

    def pieces(self, say: Say, body: Json) -> list[bytes]:
        """The server-sent events; the last one has the reason of the end and the usage."""
        deltas: list[Json] = [{"role": "assistant", "content": ""}]
        deltas += [{"content": [_thinking(piece)]} for piece in in_pieces(say.reasoning)]
        deltas += [{"content": piece} for piece in in_pieces(say.text)]
        deltas += [{"content": "", "tool_calls": [call]} for call in _calls(say)]
        choices: list[Json] = [{"delta": delta | dict(say.extra), "finish_reason": None} for delta in deltas]
        if say.finish is not None:
            choices.append({"delta": {"content": ""}, "finish_reason": finish(say)})
        chunks = [_envelope("chat.completion.chunk", body, [{"index": 0, **choice}], say) for choice in choices]
        if say.usage is not None:
            chunks[-1]["usage"] = _usage(say)
        return [*map(event, chunks), DONE]

    def whole(self, say: Say, body: Json) -> bytes:
        """The chat completion."""
        content: str | list[Json] = say.text
        if say.reasoning:
            content = [_thinking(say.reasoning), {"type": "text", "text": say.text}]
        message = {"role": "assistant", "content": content, "tool_calls": _calls(say) or None, **say.extra}
        choice = {"index": 0, "message": message, "finish_reason": finish(say)}
        found = _envelope("chat.completion", body, [choice], say)
        return json.dumps(found | ({"usage": _usage(say)} if say.usage is not None else {})).encode()

    def vectors(self, embed: Embed, body: Json) -> bytes:
        """The list of embeddings."""
        data = [
            {"object": "embedding", "index": index, "embedding": list(vector)}
            for index, vector in enumerate(embed.vectors)
        ]
        told = {"prompt_tokens": embed.tokens, "completion_tokens": 0, "total_tokens": embed.tokens}
        answer = {"id": "1", "object": "list", "data": data, "model": body.get("model"), "usage": told}
        return json.dumps(answer).encode()

    def listing(self, models: Sequence[str]) -> bytes:
        """The list of models."""
        data = [
            {"id": name, "object": "model", "type": "base", "capabilities": {"completion_chat": True}}
            for name in models
        ]
        return json.dumps({"object": "list", "data": data}).encode()

    def error(self, refusal: Refuse) -> bytes:
        """The error object, or for 422 what is wrong with which field."""
        if refusal.status == 422:
            detail = {"type": "value_error", "loc": ["body", "messages", 0], "msg": refusal.message}
            return json.dumps({"detail": [detail]}).encode()
        told = {"object": "error", "message": refusal.message, "type": "test", "param": None, "code": refusal.code}
        return json.dumps(told).encode()


def _thinking(text: str) -> Json:
    return {"type": "thinking", "thinking": [{"type": "text", "text": text}]}


def _calls(say: Say) -> list[Json]:
    return [
        {"id": f"call{index:05}", "function": {"name": name, "arguments": arguments}, "index": index}
        for index, (name, arguments) in enumerate(say.calls)
    ]


def _usage(say: Say) -> Json | None:
    told = usage(say)
    # Mistral counts thinking as output, and does not tell how much of it there was.
    return told and {name: value for name, value in told.items() if name != "completion_tokens_details"}


def _envelope(kind: str, body: Json, choices: list[Json], say: Say) -> Json:
    common = {"id": "cmpl-1", "object": kind, "created": 1_700_000_000, "model": body.get("model")}
    return {**say.extra, **common, "choices": choices}
