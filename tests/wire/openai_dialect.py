"""OpenAI's wire format. Sources: the OpenAI API reference on chat completions, embeddings and models."""

import base64
import json
import struct
from collections.abc import Mapping, Sequence

from tests.wire.dialect import Purpose, event
from tests.wire.openai_requests import OPENAI_FIELDS, chat_fault, embedding_fault
from tests.wire.replies import Embed, Handler, Json, Raw, Refuse, Reply, Say, Tokens, in_pieces
from tests.wire.server import WireServer

DONE = b"data: [DONE]\n\n"


class OpenAI:
    """OpenAI and what calls itself compatible. Reasoning comes as vLLM and llama.cpp send it; OpenAI tells none."""

    base_path = "/v1"
    stream_type = "text/event-stream"
    drop = b": still working\n\n"
    reasoning_field = "reasoning_content"
    routes: Mapping[tuple[str, str], Purpose] = {
        ("POST", "/v1/chat/completions"): Purpose.CHAT,
        ("POST", "/v1/embeddings"): Purpose.EMBEDDING,
        ("GET", "/v1/models"): Purpose.LISTING,
    }

    def fault(self, purpose: Purpose, body: Json) -> str:
        """What OpenAI would say is wrong with the request."""
        return embedding_fault(body) if purpose is Purpose.EMBEDDING else chat_fault(body, OPENAI_FIELDS)

    def streams(self, body: Json) -> bool:
        """Only when it is asked for."""
        return body.get("stream") is True

    def pieces(self, say: Say, body: Json) -> list[bytes]:
        """The server-sent events; the usage comes in one of its own, if it was asked for."""
        told: list[tuple[Json, str | None]] = [(delta | dict(say.extra), None) for delta in self._deltas(say)]
        if say.finish is not None:
            told.append(({}, finish(say)))
        choices = [[{"index": 0, "delta": delta, "finish_reason": why}] for delta, why in told]
        asked = (body.get("stream_options") or {}).get("include_usage") is True
        chunks = [self._envelope("chat.completion.chunk", body, each, say) for each in choices]
        if asked and say.usage is not None:
            chunks.append(self._envelope("chat.completion.chunk", body, [], say) | {"usage": usage(say)})
        return [*map(event, chunks), DONE]

    def _deltas(self, say: Say) -> list[Json]:
        deltas: list[Json] = [{"role": "assistant", "content": None}]
        deltas += [{self.reasoning_field: piece} for piece in in_pieces(say.reasoning)]
        deltas += [{"content": piece} for piece in in_pieces(say.text)]
        for index, (name, arguments) in enumerate(say.calls):
            first = {"index": index, "id": f"call_{index}", "type": "function"}
            deltas.append({"tool_calls": [first | {"function": {"name": name, "arguments": ""}}]})
            pieces = [{"index": index, "function": {"arguments": piece}} for piece in in_pieces(arguments)]
            deltas += [{"tool_calls": [piece]} for piece in pieces]
        return deltas

    def whole(self, say: Say, body: Json) -> bytes:
        """The chat completion."""
        message: Json = {"role": "assistant", "content": say.text or None, "refusal": None, **say.extra}
        if say.reasoning:
            message[self.reasoning_field] = say.reasoning
        if say.calls:
            message["tool_calls"] = [
                {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": arguments}}
                for index, (name, arguments) in enumerate(say.calls)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish(say)}
        found = self._envelope("chat.completion", body, [choice], say)
        return json.dumps(found | ({"usage": usage(say)} if say.usage is not None else {})).encode()

    def _envelope(self, kind: str, body: Json, choices: list[Json], say: Say) -> Json:
        common = {"id": "chatcmpl-1", "object": kind, "created": 1_700_000_000, "model": body.get("model")}
        return {**say.extra, **common, "choices": choices}

    def vectors(self, embed: Embed, body: Json) -> bytes:
        """The list of embeddings, as numbers or as base64 of 32-bit floats."""
        data = [
            {"object": "embedding", "index": index, "embedding": _encoded(vector, body)}
            for index, vector in enumerate(embed.vectors)
        ]
        told = {"prompt_tokens": embed.tokens, "total_tokens": embed.tokens}
        return json.dumps({"object": "list", "data": data, "model": body.get("model"), "usage": told}).encode()

    def listing(self, models: Sequence[str]) -> bytes:
        """The list of models."""
        data = [{"id": name, "object": "model", "created": 1, "owned_by": "test"} for name in models]
        return json.dumps({"object": "list", "data": data}).encode()

    def error(self, refusal: Refuse) -> bytes:
        """The error object."""
        told = {"message": refusal.message, "type": "test", "param": None, "code": refusal.code}
        return json.dumps({"error": told}).encode()


class OpenAIServer(WireServer):
    """A server that speaks OpenAI's dialect."""

    def __init__(self, replies: Sequence[Reply] | Handler = (), models: Sequence[str] | Raw = ("test-model",)) -> None:
        super().__init__(OpenAI(), replies, models)


def finish(say: Say) -> str | None:
    """The finish reason on the wire."""
    return ("tool_calls" if say.calls else "stop") if say.finish == "auto" else say.finish


def usage(say: Say) -> Json | None:
    """The usage on the wire."""
    if not isinstance(say.usage, Tokens):
        return None if say.usage is None else dict(say.usage)
    return {
        "prompt_tokens": say.usage.input,
        "completion_tokens": say.usage.output,
        "total_tokens": say.usage.input + say.usage.output,
        "prompt_tokens_details": {
            "cached_tokens": say.usage.cached,
            "cache_write_tokens": say.usage.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": say.usage.reasoning},
    }


def _encoded(vector: Sequence[float], body: Json) -> str | list[float]:
    if body.get("encoding_format") == "base64":
        return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    return list(vector)
