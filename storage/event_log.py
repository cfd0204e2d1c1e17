"""The event log in the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from datetime import UTC, datetime
from typing import Any, NamedTuple

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, select

from domain.errors import Conflict, UnknownTask
from domain.events import EVENT_VERSION, Event, Fact, TaskFinished, TaskSubmitted
from storage import projections
from storage.database import Database
from storage.tables import EventRow, table
from storage.writer import Writer, driver_cursor

EVENT = table(EventRow)
FACT: TypeAdapter[Fact] = TypeAdapter(Fact)
POLL_S = 0.2
LONGEST_POLL_S = 1.0
"""After how long a follower looks for events that another process wrote: the longer nothing comes, the later."""


class _Row(NamedTuple):
    """A row as the driver gives it, with the columns in their order."""

    task_id: str
    owner: str
    seq: int
    version: int
    key: str
    type: str
    at: str
    fact: str


SAME = f"SELECT {', '.join(_Row._fields)} FROM event WHERE task_id = ? AND key = ?"  # noqa: S608 - names of ours
OWNER = "SELECT owner FROM task WHERE id = ?"
APPEND = """
INSERT INTO event (task_id, owner, version, key, type, at, fact, seq)
SELECT ?, ?, ?, ?, ?, ?, ?, coalesce(max(seq), 0) + 1 FROM event WHERE task_id = ? RETURNING seq
"""
"""Statements of the driver: every step of a specialist appends several events."""


class SqlEventLog:
    """Appends through the writer, reads beside it."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer
        self._appended = asyncio.Event()

    async def append(self, task_id: str, key: str, fact: Fact) -> Event:
        """Writes a fact and its projection in one transaction; see ``domain.event_log.EventLog``."""
        return await self._submit(task_id, key, fact)

    def queue(self, task_id: str, key: str, fact: Fact) -> Awaitable[Event]:
        """The same, in the order of the calls, and soon; see ``domain.event_log.EventLog``."""
        return self._submit(task_id, key, fact, patient=True)

    def _submit(self, task_id: str, key: str, fact: Fact, patient: bool = False) -> Awaitable[Event]:
        appending = self._writer.submit(lambda connection: _append(connection, task_id, key, fact), patient)
        appending.add_done_callback(self._tell_followers)
        return appending

    def _tell_followers(self, _appended: object) -> None:
        self._appended.set()
        self._appended = asyncio.Event()

    async def read(
        self, task_id: str, after: int = 0, most: int | None = None, types: Collection[str] | None = None
    ) -> list[Event]:
        """The events above ``after``, in order; at most so many, and of some types of facts, where that is said."""
        above = EVENT.c.task_id == task_id, EVENT.c.seq > after
        wanted = select(EVENT).where(*above).order_by(EVENT.c.seq).limit(most)
        if types is not None:
            wanted = wanted.where(EVENT.c.type.in_(types))
        rows = await self._database.read(lambda connection: connection.execute(wanted).all())
        return [from_row(row) for row in rows]

    async def _ended(self, task_id: str, after: int) -> bool:
        wanted = select(EVENT.c.seq).where(
            EVENT.c.task_id == task_id, EVENT.c.type == "task_finished", EVENT.c.seq <= after
        )
        return await self._database.read(lambda connection: connection.execute(wanted).first()) is not None

    async def follow(
        self, task_id: str, after: int = 0, over: Callable[[], bool] = lambda: False
    ) -> AsyncIterator[Event]:
        """The events above ``after``, then those to come, until the task is finished, or ``over``."""
        if await self._ended(task_id, after):
            return
        pause_s = POLL_S
        while True:
            appended, last = self._appended, over()
            for event in await self.read(task_id, after):
                after, pause_s = event.seq, POLL_S
                yield event
                if isinstance(event.fact, TaskFinished):
                    return
            if last:
                return
            try:
                async with asyncio.timeout(pause_s):
                    await appended.wait()
            except TimeoutError:
                pause_s = min(2 * pause_s, LONGEST_POLL_S)


def _append(connection: Connection, task_id: str, key: str, fact: Fact) -> Event:
    cursor = driver_cursor(connection)
    body = FACT.dump_json(fact).decode()
    same = cursor.execute(SAME, (task_id, key)).fetchone()
    if same is not None:
        event = from_row(_Row(*same))
        if event.fact != FACT.validate_json(body):
            raise Conflict(f"The event {key!r} of task {task_id} was already written, with other content.")
        return event
    known = cursor.execute(OWNER, (task_id,)).fetchone()
    owner = _owner(task_id, known and known[0], fact)
    at = datetime.now(UTC)
    row = (task_id, owner, EVENT_VERSION, key, fact.type, at.isoformat(), body, task_id)
    seq = cursor.execute(APPEND, row).fetchone()[0]
    event = Event(task_id=task_id, owner=owner, seq=seq, key=key, at=at, fact=fact)
    projections.apply(connection, event)
    return event


def _owner(task_id: str, known: str | None, fact: Fact) -> str:
    if isinstance(fact, TaskSubmitted):
        if known is not None:
            raise Conflict(f"Task {task_id} was already submitted. Submit it under a new id.")
        return fact.spec.owner
    if known is None:
        raise UnknownTask(f"There is no task {task_id!r}. List the tasks with: soundstage tasks list")
    return known


def from_row(row: "Row[Any] | _Row") -> Event:
    """The event in a row. A row of an older version goes through its upcasters; there is one version so far."""
    if row.version != EVENT_VERSION:
        raise Conflict(
            f"Event {row.seq} of task {row.task_id} has version {row.version}, which this Soundstage does not know. "
            "Update Soundstage."
        )
    return Event(
        task_id=row.task_id,
        owner=row.owner,
        seq=row.seq,
        version=row.version,
        key=row.key,
        at=datetime.fromisoformat(row.at),
        fact=FACT.validate_json(row.fact),
    )
