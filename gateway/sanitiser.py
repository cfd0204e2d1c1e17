"""The history sanitiser: every provider receives a conversation as it accepts it.

Sources: the OpenAI API reference, "Create chat completion"; the request validator of ``mistral-common``; the API
reference of Ollama.
"""

import re
from collections.abc import Mapping

from domain.chat import ModelRequest
from domain.history import Rules, sanitise

ANY_SERVER = Rules(repeats=False, user_after_tool=False, assistant_last=False)
"""For servers that we know nothing of: the chat templates of many models want the roles to take turns."""

RULES: Mapping[str, Rules] = {
    "openai": Rules(),
    "groq": Rules(),
    "mistral": ANY_SERVER.model_copy(update={"call_id": re.compile(r"[A-Za-z0-9]{9}")}),
    "ollama": Rules(),
    "openai-compatible": ANY_SERVER,
}


def rules_of(provider: str) -> Rules:
    """The rules of the provider of that name; for an unknown one, those that please most servers."""
    return RULES.get(provider, ANY_SERVER)


def sanitised(request: ModelRequest, provider: str) -> ModelRequest:
    """The request as the provider of that name accepts it; the same object where nothing had to change."""
    messages = sanitise(request.messages, rules_of(provider))
    return request if messages is request.messages else request.model_copy(update={"messages": messages})
