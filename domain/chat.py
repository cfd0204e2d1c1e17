"""What is said to a model and what it answers."""

import json
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from domain.base import Value
from domain.sendable import is_object, sendable_name


class ToolCall(Value):
    """A model's wish to use a tool. ``arguments`` is the raw JSON text, which may be malformed."""

    id: str
    name: str
    arguments: str

    @cached_property
    def sendable(self) -> bool:
        """Whether every provider takes its name and its arguments; read once, since it is sent again and again."""
        return sendable_name(self.name) == self.name and is_object(self.arguments)


def size_of(*texts: str) -> int:
    """How many bytes texts are in UTF-8."""
    # An ASCII text is as many bytes as characters, and knows that it is one.
    return sum(len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass")) for text in texts)


class SystemMessage(Value):
    """Instructions that frame the conversation."""

    role: Literal["system"] = "system"
    content: str

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The bytes of its texts, in UTF-8, measured once: it is sent again and again."""
        return (size_of(self.content),)


class Image(Value):
    """A picture, base64-encoded."""

    media_type: Literal["image/png", "image/jpeg", "image/webp", "image/gif"]
    data: str


class UserMessage(Value):
    """What the user, or the loop on the user's behalf, says and shows."""

    role: Literal["user"] = "user"
    content: str
    images: tuple[Image, ...] = ()

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The bytes of its texts, in UTF-8."""
        return (size_of(self.content),)


class AssistantMessage(Value):
    """What the model said, and the tools it wants to use."""

    role: Literal["assistant"] = "assistant"
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The bytes of its texts, in UTF-8, each call by itself."""
        return (size_of(self.content), *(size_of(call.id, call.name, call.arguments) for call in self.tool_calls))


class ToolMessage(Value):
    """What a tool answered."""

    role: Literal["tool"] = "tool"
    tool_call_id: str
    content: str

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """The bytes of its texts, in UTF-8."""
        return (size_of(self.content, self.tool_call_id),)


Message = Annotated[SystemMessage | UserMessage | AssistantMessage | ToolMessage, Field(discriminator="role")]


class ToolSchema(Value):
    """A tool as a model sees it. ``parameters`` is a JSON Schema object."""

    name: str
    description: str
    parameters: dict[str, JsonValue]

    @cached_property
    def size_bytes(self) -> int:
        """About how many bytes of JSON it is. It is sent with every request, and measured once."""
        return len(json.dumps([self.name, self.description, self.parameters]))


class FinishReason(StrEnum):
    """Why a model stopped talking."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"
    CONTENT_FILTER = "content_filter"


MOST_TOKENS = 2**40
"""More than any call takes; their cost at any published price still fits into 64 bits. A sum goes no further."""

Tokens = Annotated[int, Field(ge=0, le=MOST_TOKENS, strict=True)]


class Usage(Value):
    """Tokens of one call, or of several. ``estimated`` when the provider did not say.

    Parts of input are ``cached_tokens``, which came from the provider's cache, and ``cache_write_tokens``, which were
    written to it at a price of their own.
    """

    input_tokens: Tokens = 0
    output_tokens: Tokens = 0
    cached_tokens: Tokens = 0
    cache_write_tokens: Tokens = 0
    reasoning_tokens: Tokens = 0
    estimated: bool = False

    @property
    def total_tokens(self) -> int:
        """Input plus output tokens."""
        return self.input_tokens + self.output_tokens

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            input_tokens=_sum(self.input_tokens, other.input_tokens),
            output_tokens=_sum(self.output_tokens, other.output_tokens),
            cached_tokens=_sum(self.cached_tokens, other.cached_tokens),
            cache_write_tokens=_sum(self.cache_write_tokens, other.cache_write_tokens),
            reasoning_tokens=_sum(self.reasoning_tokens, other.reasoning_tokens),
            estimated=self.estimated or other.estimated,
        )


def _sum(*tokens: int) -> int:
    return min(MOST_TOKENS, sum(tokens))


class ModelRequest(Value):
    """One call of a model.

    ``json_schema`` asks for an answer that is a JSON document of that schema.
    ``max_output_tokens`` is always sent, because a budget is reserved by it.
    """

    model: str
    messages: tuple[Message, ...]
    tools: tuple[ToolSchema, ...] = ()
    json_schema: dict[str, JsonValue] | None = None
    max_output_tokens: int = Field(default=4096, gt=0)
    temperature: float | None = None


class ModelReply(Value):
    """A model's whole answer."""

    message: AssistantMessage
    usage: Usage
    finish_reason: FinishReason
    reasoning: str = ""


class Delta(Value):
    """A piece of an answer on its way: text to show, and reasoning kept apart."""

    text: str = ""
    reasoning: str = ""


class EmbeddingRequest(Value):
    """Texts to turn into vectors."""

    model: str
    texts: tuple[str, ...] = Field(min_length=1)


class EmbeddingReply(Value):
    """One vector for each text, in their order, all of the same length."""

    vectors: tuple[tuple[float, ...], ...]
    usage: Usage
