"""What Mistral's chat completions refuse in a request. Source: the validator of ``mistral-common``, serving mode."""

import itertools
import re
from collections.abc import Mapping
from typing import Any

CALL_ID = re.compile(r"[a-zA-Z0-9]{9}")
NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
FOLLOWERS = {
    "system": {"user", "assistant", "system"},
    "user": {"assistant", "system", "user"},
    "assistant": {"assistant", "user", "tool"},
    "tool": {"assistant", "tool"},
}


def chat_fault(body: Mapping[str, Any]) -> str:
    """What is wrong with the messages of a request, or nothing."""
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return "Conversation must have at least one message"
    return _order_fault(messages) or _content_fault(messages) or _calls_fault(messages)


def _order_fault(messages: list[Any]) -> str:
    roles = [str(message.get("role")) for message in messages]
    if unknown := set(roles) - set(FOLLOWERS):
        return f"unknown roles: {sorted(unknown)}"
    if len(roles) == 1 and roles[0] not in {"user", "system"}:
        return "Conversation must start with a user message or system message"
    if len(roles) > 1 and roles[-1] not in {"user", "tool"}:
        return f"Expected last role User or Tool (or Assistant with prefix True) for serving but got {roles[-1]}"
    for previous, current in itertools.pairwise(roles):
        if current not in FOLLOWERS[previous]:
            return f"Unexpected role '{current}' after role '{previous}'"
    return ""


def _content_fault(messages: list[Any]) -> str:
    for message in messages:
        content = message.get("content")
        if not isinstance(content, str | list):
            return f"{message['role']} message must have content"
        if message["role"] == "assistant" and not content and not message.get("tool_calls"):
            return "Assistant message must have either content or tool_calls, but not both."
    return ""


def _calls_fault(messages: list[Any]) -> str:
    expected = 0
    for message in messages:
        if message["role"] == "tool":
            expected -= 1
            if not CALL_ID.fullmatch(str(message.get("tool_call_id"))):
                return f"Tool call id was {message.get('tool_call_id')} but must be a-z, A-Z, 0-9, with a length of 9."
        elif message["role"] == "assistant":
            if expected:
                return "Not the same number of function calls and responses"
            for call in message.get("tool_calls") or []:
                if not CALL_ID.fullmatch(str(call.get("id"))):
                    return f"Tool call id was {call.get('id')} but must be a-z, A-Z, 0-9, with a length of 9."
                if not NAME.fullmatch(str(call["function"].get("name"))):
                    return f"Function name was {call['function'].get('name')} but must be a-z, A-Z, 0-9, or _ and -"
                expected += 1
    return "Not the same number of function calls and responses" if expected else ""
