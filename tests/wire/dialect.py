"""What differs between the wire formats of providers."""

import json
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Protocol

from tests.wire.replies import Embed, Json, Refuse, Say


class Purpose(StrEnum):
    """What a path of a provider's API is for."""

    CHAT = "chat"
    EMBEDDING = "embedding"
    LISTING = "listing"


class Dialect(Protocol):
    """One provider's wire format. It refuses what the provider refuses, so that a test notices a wrong request."""

    base_path: str
    """What the base URL ends with that the provider's client is given."""

    routes: Mapping[tuple[str, str], Purpose]
    """What each pair of a method and a path is for."""

    stream_type: str
    """The content type of an answer in pieces."""

    drop: bytes
    """What may come between two pieces of an answer and says nothing."""

    def fault(self, purpose: Purpose, body: Json) -> str:
        """What is wrong with a request, or nothing."""
        ...

    def streams(self, body: Json) -> bool:
        """Whether the answer is asked for in pieces."""
        ...

    def pieces(self, say: Say, body: Json) -> list[bytes]:
        """The answer as the provider sends it bit by bit, to its proper end."""
        ...

    def whole(self, say: Say, body: Json) -> bytes:
        """The answer as one JSON document."""
        ...

    def vectors(self, embed: Embed, body: Json) -> bytes:
        """The answer to texts that were sent to be embedded."""
        ...

    def listing(self, models: Sequence[str]) -> bytes:
        """The models that are offered."""
        ...

    def error(self, refusal: Refuse) -> bytes:
        """The body of a response that is an error."""
        ...


def event(chunk: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(chunk)}\n\n".encode()
