"""The event log: the one place where what happened is written down."""

from collections.abc import AsyncIterator, Awaitable
from typing import Protocol

from domain.events import Event, Fact


class EventLog(Protocol):
    """An append-only log per task."""

    async def append(self, task_id: str, key: str, fact: Fact) -> Event:
        """Writes a fact and what follows from it in one transaction.

        The same ``key`` with the same fact gives the first event again; with another fact it raises Conflict.
        """
        ...

    def queue(self, task_id: str, key: str, fact: Fact) -> Awaitable[Event]:
        """Has it written soon, with others, before whatever is appended later. Who awaits it knows that it is."""
        ...

    async def read(self, task_id: str, after: int = 0) -> list[Event]:
        """The events with a ``seq`` above ``after``, in order."""
        ...

    def follow(self, task_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The events above ``after``, then those to come, until the task is finished."""
        ...
