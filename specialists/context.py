"""Keeping a conversation within a model's context."""

from collections.abc import Sequence

from domain.chat import AssistantMessage, Message, ToolMessage, UserMessage
from domain.text import excerpt

BYTES_PER_TOKEN = 3
MASKED_CHARACTERS = 200
FRESH = 6
"""The newest messages, which are never shortened."""


def size(messages: Sequence[Message]) -> int:
    """About how many tokens the messages are."""
    return sum(len(message.model_dump_json().encode()) for message in messages) // BYTES_PER_TOKEN


def fit(messages: Sequence[Message], tokens: int) -> tuple[Message, ...]:
    """The messages, with old observations and then old files cut short until about ``tokens`` are left.

    The first two messages (role and goal) and the newest stay whole; no message is dropped, so a call never loses
    its result.
    """
    fitted = list(messages)
    for at in range(2, max(2, len(fitted) - FRESH)):
        if size(fitted) <= tokens:
            break
        fitted[at] = _mask(fitted[at])
    return tuple(fitted)


def _mask(message: Message) -> Message:
    match message:
        case ToolMessage() | UserMessage():
            return message.model_copy(update={"content": excerpt(message.content, MASKED_CHARACTERS)})
        case AssistantMessage(tool_calls=()):
            return message.model_copy(update={"content": excerpt(message.content, MASKED_CHARACTERS)})
        case _:
            return message
