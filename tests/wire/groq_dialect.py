"""Groq's wire format. Source: the Groq API reference, "Create chat completion"."""

from collections.abc import Mapping

from tests.wire.dialect import Purpose, event
from tests.wire.openai_dialect import OpenAI, usage
from tests.wire.openai_requests import COMMON_FIELDS, chat_fault
from tests.wire.replies import Json, Say

GROQ_FIELDS = COMMON_FIELDS | {"reasoning_format", "include_reasoning", "search_settings", "documents"}


class Groq(OpenAI):
    """OpenAI's format under another path, with reasoning, and with the usage told in a place of its own, too."""

    base_path = ""
    reasoning_field = "reasoning"
    routes: Mapping[tuple[str, str], Purpose] = {
        ("POST", "/openai/v1/chat/completions"): Purpose.CHAT,
        ("GET", "/openai/v1/models"): Purpose.LISTING,
    }

    def fault(self, purpose: Purpose, body: Json) -> str:
        """What Groq would say is wrong with the request."""
        structured = (body.get("response_format") or {}).get("type") == "json_schema"
        if structured and (body.get("stream") or body.get("tools")):
            return "response_format json_schema cannot be combined with streaming or tool use"
        return chat_fault(body, GROQ_FIELDS)

    def pieces(self, say: Say, body: Json) -> list[bytes]:
        """As OpenAI's, and the usage in ``x_groq`` at the end, whether it was asked for or not."""
        *events, done = super().pieces(say, body)
        told = {"x_groq": {"id": "req_1", "usage": usage(say)}}
        closing = event(self._envelope("chat.completion.chunk", body, [], say) | told)
        return [*events, closing, done]
