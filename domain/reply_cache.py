"""The boundary to where replies of models are kept, so that the same question need not be paid for twice."""

from typing import Protocol

from domain.base import Value
from domain.chat import ModelReply


class KnownReply(Value):
    """A reply, and the provider and the model that gave it."""

    reply: ModelReply
    provider: str
    model: str


class ReplyCache(Protocol):
    """Replies by key. It is bounded in size and age, so whatever was kept may be gone at any time."""

    async def find(self, key: str) -> KnownReply | None:
        """The reply that was kept under the key, or None."""
        ...

    async def keep(self, key: str, owner: str, reply: KnownReply) -> None:
        """Keeps a reply, in the place of an earlier one. One that is larger than the whole cache is not kept."""
        ...
