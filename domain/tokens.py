"""About how many tokens a text is, where nobody has counted them: rather too many than too few."""

import json
from collections.abc import Iterable

from domain.chat import (
    Message,
    ModelRequest,
    ToolSchema,
    Usage,
    UserMessage,
    size_of,
)

BYTES_PER_TOKEN = 3
OVERHEAD_TOKENS = 8
"""For what frames a message, a tool or a call of one."""

IMAGE_TOKENS = 4096
"""For an image of any size: what hungry models make of a large one."""


def estimate_input_tokens(request: ModelRequest) -> int:
    """About how many tokens a request is: three bytes to a token, and what frames its parts."""
    said = estimate_messages(request.messages) + estimate_tools(request.tools)
    return said + (estimate_text(json.dumps(request.json_schema)) if request.json_schema is not None else 0)


def estimate_tools(tools: Iterable[ToolSchema]) -> int:
    """About how many tokens tools are."""
    return sum(_bytes_as_tokens(tool.size_bytes) for tool in tools)


def estimate_messages(messages: Iterable[Message]) -> int:
    """About how many tokens messages are."""
    return sum(map(_message_tokens, messages))


def _message_tokens(message: Message) -> int:
    images = len(message.images) if isinstance(message, UserMessage) else 0
    return sum(map(_bytes_as_tokens, message.sizes)) + IMAGE_TOKENS * images


def estimate_text(*texts: str) -> int:
    """About how many tokens texts are together, with what frames them."""
    return _bytes_as_tokens(size_of(*texts))


def bytes_within(tokens: int) -> int:
    """How many bytes of text are, with what frames them, at most so many tokens."""
    return max(0, tokens - OVERHEAD_TOKENS) * BYTES_PER_TOKEN


def _bytes_as_tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN) + OVERHEAD_TOKENS


def estimate_most(request: ModelRequest) -> Usage:
    """The most that a call may use: all of its input is written to the provider's cache, where that costs more."""
    size = estimate_input_tokens(request)
    return Usage(input_tokens=size, cache_write_tokens=size, output_tokens=request.max_output_tokens, estimated=True)


def estimate_usage(request: ModelRequest, text: str) -> Usage:
    """The usage of a call whose provider did not tell it."""
    size = len(text.encode("utf-8", "surrogatepass"))
    return Usage(input_tokens=estimate_input_tokens(request), output_tokens=-(-size // BYTES_PER_TOKEN), estimated=True)
