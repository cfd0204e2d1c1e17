"""A journal in memory: what is recorded lives as long as the process.

It encodes and decodes every result as a durable journal does, so that what cannot be recorded fails here already.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from pydantic import TypeAdapter

from domain.errors import Conflict

T = TypeVar("T")
ADAPTERS: dict[object, TypeAdapter[Any]] = {}
"""By type, of which there are few, and each step is of one of them."""


class MemoryJournal:
    """Implements ``domain.journal.Journal``. ``records`` may be handed over to replay a run.

    A message reaches whoever receives its topic, in a branch as well.
    """

    def __init__(
        self,
        name: str,
        records: dict[str, bytes] | None = None,
        used: set[str] | None = None,
        messages: dict[str, asyncio.Queue[str]] | None = None,
    ) -> None:
        self._name = name
        self._records = {} if records is None else records
        self._used = set() if used is None else used
        self._messages = {} if messages is None else messages
        self._ticks = 0

    async def step(self, name: str, returns: type[T], run: Callable[[], Awaitable[T]]) -> T:
        """The recorded result, or what ``run`` returns. A name may be used once."""
        key = f"{self._name}/{name}"
        if key in self._used:
            raise Conflict(f"The step {key!r} ran twice under one name. Report this, please.")
        self._used.add(key)
        adapter = _adapter(returns)
        if key not in self._records:
            self._records[key] = adapter.dump_json(await run())
        return adapter.validate_json(self._records[key])

    def child(self, name: str) -> "MemoryJournal":
        """A journal for a branch, with the same records and messages."""
        return MemoryJournal(f"{self._name}/{name}", self._records, self._used, self._messages)

    async def receive(self, topic: str, timeout_s: float) -> str | None:
        """The next message that ``send`` left, or None."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._queue(topic).get()
        except TimeoutError:
            return None

    def send(self, topic: str, message: str) -> None:
        """Leaves a message for ``receive``."""
        self._queue(topic).put_nowait(message)

    def _queue(self, topic: str) -> asyncio.Queue[str]:
        return self._messages.setdefault(topic, asyncio.Queue())

    async def now(self) -> datetime:
        """The time, recorded."""
        self._ticks += 1
        return await self.step(f"now:{self._ticks}", datetime, _now)

    async def new_id(self) -> str:
        """An id, recorded."""
        self._ticks += 1
        return await self.step(f"id:{self._ticks}", str, _new_id)


class Journals:
    """The journals of the tasks that this process works on."""

    def __init__(self) -> None:
        self._journals: dict[str, MemoryJournal] = {}

    def open(self, task_id: str) -> MemoryJournal:
        """A new journal of a task."""
        journal = self._journals[task_id] = MemoryJournal(task_id)
        return journal

    def send(self, task_id: str, topic: str, message: str) -> None:
        """Leaves a message for a task; nobody receives it where the task is not at work here."""
        if task_id in self._journals:
            self._journals[task_id].send(topic, message)

    def forget(self, task_id: str) -> None:
        """Lets go of the journal of a task that ended."""
        self._journals.pop(task_id, None)


def _adapter(returns: type[T]) -> TypeAdapter[T]:
    if returns not in ADAPTERS:
        ADAPTERS[returns] = TypeAdapter(returns)
    return ADAPTERS[returns]


async def _now() -> datetime:
    return datetime.now(UTC)


async def _new_id() -> str:
    return uuid.uuid4().hex
