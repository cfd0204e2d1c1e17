"""Keeping a conversation within a model's context."""

import json
from collections.abc import Sequence

from domain.chat import AssistantMessage, Message, ToolCall, ToolMessage, UserMessage
from domain.text import excerpt
from domain.tokens import BYTES_PER_TOKEN, estimate_messages

MASKED_CHARACTERS = 200
FRESH = 6
"""The newest messages, which are never shortened."""


def fit(messages: Sequence[Message], tokens: int, opening: int = 2) -> tuple[Message, ...]:
    """The messages, with old observations and long texts cut short until about ``tokens`` are left.

    The first messages are the ``opening``: the role, what is known of the project where that is told, the goal. First
    all others but the newest ones are cut, and where that is not enough, the project, the newest ones, and the goal
    last. No message is dropped, so a call never loses its result.
    """
    fitted = list(messages)
    newest = max(opening, len(fitted) - FRESH)
    goal = opening - 1
    left = estimate_messages(fitted)
    for at in (*range(opening, newest), *range(1, goal), *range(newest, len(fitted)), goal):
        if left <= tokens or at >= len(fitted):
            break
        most = MASKED_CHARACTERS if at != goal else max(MASKED_CHARACTERS, tokens * BYTES_PER_TOKEN // 2)
        masked = _mask(fitted[at], most)
        left += estimate_messages([masked]) - estimate_messages([fitted[at]])
        fitted[at] = masked
    return tuple(fitted)


def _mask(message: Message, most: int) -> Message:
    match message:
        case AssistantMessage(tool_calls=calls) if calls:
            masked = tuple(_mask_call(call, most) for call in calls)
            return AssistantMessage(content=excerpt(message.content, most), tool_calls=masked)
        case ToolMessage() | UserMessage() | AssistantMessage():
            return message.model_copy(update={"content": excerpt(message.content, most)})
        case _:
            return message


def _mask_call(call: ToolCall, most: int) -> ToolCall:
    if len(call.arguments) <= most:
        return call
    note = f"{len(call.arguments)} characters of arguments, left out here"
    return call.model_copy(update={"arguments": json.dumps({"omitted": note})})
