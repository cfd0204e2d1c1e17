"""The journal: what makes a run repeatable after a crash."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol, TypeVar

T = TypeVar("T")


class Journal(Protocol):
    """Records each step's result, so that a run that starts again skips what is done.

    Code that runs under a journal takes time, ids and randomness from it and from nowhere else. Parallel branches
    each use their own ``child``.
    """

    async def step(self, name: str, returns: type[T], run: Callable[[], Awaitable[T]]) -> T:
        """The recorded result of the step, or else what ``run`` returns, recorded as JSON of type ``returns``."""
        ...

    def child(self, name: str) -> "Journal":
        """A journal for one parallel branch; the name is unique within this journal."""
        ...

    async def receive(self, topic: str, timeout_s: float) -> str | None:
        """The next message on a topic (approval, answer, cancel), or None when none comes in time."""
        ...

    async def now(self) -> datetime:
        """The time in UTC, the same again on replay."""
        ...

    async def new_id(self) -> str:
        """A new unique id, the same again on replay."""
        ...
