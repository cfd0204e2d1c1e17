"""What a test lets a server answer, whichever provider's dialect that server speaks."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True)
class Tokens:
    """An answer's usage. ``cached`` and ``cache_write`` are parts of ``input``, ``reasoning`` of ``output``."""

    input: int = 11
    output: int = 7
    cached: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Say:
    """A proper answer: text, and tool calls as pairs of a name and its arguments, which may be no JSON.

    ``finish`` "auto" is what the provider says of such an answer; any other text is sent as it is. A ``usage`` that is
    a mapping is sent as it is, too. None leaves either out. ``extra`` is put into every object of the answer.
    """

    text: str = ""
    calls: Sequence[tuple[str, str]] = ()
    reasoning: str = ""
    finish: str | None = "auto"
    usage: Tokens | Mapping[str, Any] | None = field(default_factory=Tokens)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Embed:
    """A proper answer to texts that were sent to be embedded: a vector for each."""

    vectors: Sequence[Sequence[float]]
    tokens: int = 5


@dataclass(frozen=True)
class Refuse:
    """An error in the provider's form, or with ``body`` in any other."""

    status: int
    message: str = "refused"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Trouble(StrEnum):
    """What happens in the middle of an answer."""

    HANG = "nothing more comes"
    DRIP = "only comments or blanks come, one after the other"
    RESET = "the connection is reset"
    CUT = "the connection ends in the middle of the body"


@dataclass(frozen=True)
class Break:
    """An answer that breaks after so many pieces; None is before the first byte of the response.

    An answer that is asked for as a whole breaks after so many times 30 bytes of its body.
    """

    trouble: Trouble
    after: int | None = None
    reply: Say = field(default_factory=lambda: Say("A long answer that nobody ever heard the end of."))


@dataclass(frozen=True)
class Raw:
    """A response of 200 with just these bytes. Without a content type it is that of the answer it stands for."""

    body: bytes
    content_type: str = ""


Reply = Say | Embed | Refuse | Break | Raw
Handler = Callable[[Json], Reply]


@dataclass(frozen=True)
class Request:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        found: Json = json.loads(self.body)
        return found


def script(replies: Sequence[Reply]) -> Handler:
    """The replies in their order, one for each request, whatever it says."""
    left = list(replies)

    def following(_body: Json) -> Reply:
        return left.pop(0) if left else Refuse(400, "the test's script has no more replies")

    return following


def in_pieces(text: str, size: int = 7) -> list[str]:
    """The text cut as a model's tokens would cut it."""
    return [text[start : start + size] for start in range(0, len(text), size)]
