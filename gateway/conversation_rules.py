"""What each provider accepts in a conversation.

Sources: the OpenAI API reference, "Create chat completion"; the request validator of ``mistral-common``; the API
reference of Ollama.
"""

import re
from collections.abc import Mapping

from domain.base import Value


class Rules(Value):
    """What a provider accepts, besides what all of them want.

    ``call_id``: the form of a call's id. ``repeats``: a role may speak twice in a row. ``user_after_tool``: a user may
    follow a result. ``assistant_last``: the model may have said the last word.
    """

    call_id: re.Pattern[str] = re.compile(r"[A-Za-z0-9_-]{1,40}")
    repeats: bool = True
    user_after_tool: bool = True
    assistant_last: bool = True


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
