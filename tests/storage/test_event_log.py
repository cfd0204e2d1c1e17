import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from domain.command import Verdict
from domain.errors import Conflict, SoundstageError
from domain.events import Event, Fact, ModelCalled, NoticeGiven, TaskFinished, TaskStarted, TaskSubmitted
from domain.events import VerificationFinished as Verified
from domain.evidence import Coverage, Evidence, TestReport
from domain.task import TaskStatus
from storage.database import Database
from storage.event_log import SqlEventLog
from storage.tasks import SqlTasks
from storage.writer import Writer
from tests.domain.sample_facts import FACTS, result, spec


@pytest.fixture
async def elsewhere(database: Database) -> AsyncIterator[SqlEventLog]:
    """The same log as another process has it: by engines and a writer of its own."""
    other = Database(database.path)
    writer = Writer(other.writer)
    yield SqlEventLog(other, writer)
    await writer.close()
    await other.close()


async def submit(log: SqlEventLog, task_id: str = "t1") -> None:
    await log.append(task_id, "submitted", TaskSubmitted(spec=spec(task_id)))


async def collect(log: SqlEventLog, task_id: str = "t1", after: int = 0) -> list[Event]:
    async with asyncio.timeout(60):
        return [event async for event in log.follow(task_id, after)]


async def test_every_kind_of_fact_is_read_back_as_it_was_written(log: SqlEventLog) -> None:
    written = [await log.append("t1", f"k{number}", fact) for number, fact in enumerate(FACTS)]

    assert await log.read("t1") == written
    assert [event.fact for event in written] == list(FACTS)
    assert await log.read("t1", after=3) == written[3:]
    assert await log.read("t1", after=3, most=2) == written[3:5]
    assert await log.read("t1", types=("task_started", "task_finished")) == [written[1], written[-1]]
    assert await log.read("t2") == []


async def test_seq_counts_from_1_without_gaps_in_each_task_however_many_write_at_once(
    log: SqlEventLog, elsewhere: SqlEventLog
) -> None:
    await submit(log, "t1")
    await submit(log, "t2")
    notice = NoticeGiven(text="x")
    logs = [log, elsewhere]
    await asyncio.gather(*(logs[n % 2].append(f"t{n % 3 % 2 + 1}", f"k{n}", notice) for n in range(90)))

    for task_id, count in (("t1", 61), ("t2", 31)):
        assert [event.seq for event in await log.read(task_id)] == list(range(1, count + 1))


async def test_a_fact_that_is_told_twice_is_stored_once(log: SqlEventLog, elsewhere: SqlEventLog) -> None:
    await submit(log)
    notice = NoticeGiven(text="x")

    first = await log.append("t1", "k", notice)
    mine, others = await asyncio.gather(log.append("t1", "k", notice), elsewhere.append("t1", "k", notice))

    assert mine == others == first
    assert [event.key for event in await log.read("t1")] == ["submitted", "k"]


async def test_the_same_fact_is_the_same_whatever_the_order_of_its_sets(log: SqlEventLog) -> None:
    def verified(*lines: int) -> Fact:
        coverage = {"a.py": Coverage(executable=frozenset(lines))}
        report = TestReport(verdict=Verdict.OK, coverage=coverage)
        return Verified(purpose="", evidence=Evidence(kind="", tree="", isolation="", report=report, passed=True))

    await submit(log)
    first = await log.append("t1", "k", verified(0, 8, 16, 32))

    assert verified(0, 8, 16, 32) == verified(32, 16, 8, 0)
    assert await log.append("t1", "k", verified(32, 16, 8, 0)) == first


async def test_another_fact_under_the_same_key_is_a_conflict_and_changes_nothing(log: SqlEventLog) -> None:
    await submit(log)
    await log.append("t1", "k", NoticeGiven(text="x"))
    before = await log.read("t1")

    with pytest.raises(Conflict, match="'k' of task t1"):
        await log.append("t1", "k", NoticeGiven(text="y"))

    assert await log.read("t1") == before


async def test_the_status_rows_say_what_the_events_say(log: SqlEventLog, tasks: SqlTasks) -> None:
    seen: list[tuple[TaskStatus, int, int]] = []
    called = next(fact for fact in FACTS if isinstance(fact, ModelCalled))
    facts: list[Fact] = [
        TaskSubmitted(spec=spec()),
        TaskStarted(worker="w"),
        called,
        called,
        TaskFinished(result=result()),
    ]
    for number, fact in enumerate(facts):
        await log.append("t1", f"k{number}", fact)
        task = await tasks.find("t1")
        seen.append((task.status, task.tokens, task.cost))

    tokens, cost = called.usage.total_tokens, called.cost
    assert seen == [
        (TaskStatus.SUBMITTED, 0, 0),
        (TaskStatus.RUNNING, 0, 0),
        (TaskStatus.RUNNING, tokens, cost),
        (TaskStatus.RUNNING, 2 * tokens, 2 * cost),
        (TaskStatus.UNSOLVED, 2 * tokens, 2 * cost),
    ]
    assert await tasks.result("t1") == result()


async def test_an_event_whose_projection_fails_is_not_there_either(
    log: SqlEventLog, stranger: sqlite3.Connection
) -> None:
    await submit(log)
    stranger.execute("CREATE TRIGGER no BEFORE UPDATE ON task BEGIN SELECT RAISE(ABORT, 'the disk is tired'); END")

    with pytest.raises(SoundstageError, match="the disk is tired"):
        await log.append("t1", "started", TaskStarted(worker="w"))

    assert [event.key for event in await log.read("t1")] == ["submitted"]
    stranger.execute("DROP TRIGGER no")
    assert (await log.append("t1", "started", TaskStarted(worker="w"))).seq == 2


async def test_a_task_cannot_be_submitted_twice_nor_spoken_of_before_it_was(log: SqlEventLog) -> None:
    with pytest.raises(SoundstageError):
        await log.append("t1", "k", NoticeGiven(text="too early"))
    await submit(log)
    with pytest.raises(Conflict):
        await log.append("t1", "again", TaskSubmitted(spec=spec(prompt="something else")))

    assert [event.seq for event in await log.read("t1")] == [1]


async def test_a_follower_sees_every_event_once_whoever_writes_it_and_stops_at_the_end(
    log: SqlEventLog, elsewhere: SqlEventLog
) -> None:
    await submit(log)
    followers = [asyncio.ensure_future(collect(log)), asyncio.ensure_future(collect(elsewhere, after=1))]
    for burst in range(4):
        await asyncio.gather(
            *(each.append("t1", f"k{burst}-{number}", NoticeGiven(text="x"))
              for number, each in enumerate([log, elsewhere] * 5))
        )  # fmt: skip
    await elsewhere.append("t1", "finished", TaskFinished(result=result()))

    whole, rest = await asyncio.gather(*followers)
    assert whole == await log.read("t1")
    assert [event.seq for event in whole] == list(range(1, 43))
    assert rest == whole[1:]


async def test_a_follower_of_a_finished_task_gets_what_it_has_not_seen_and_stops(log: SqlEventLog) -> None:
    await submit(log)
    last = await log.append("t1", "finished", TaskFinished(result=result()))

    assert await collect(log, after=1) == [last]


async def test_a_follower_that_comes_back_after_the_last_event_stops_at_once(log: SqlEventLog) -> None:
    await submit(log)
    last = await log.append("t1", "finished", TaskFinished(result=result()))

    async with asyncio.timeout(60):
        assert await collect(log, after=last.seq) == []


async def test_an_event_of_a_newer_version_is_refused_with_the_remedy(log: SqlEventLog, database: Database) -> None:
    await submit(log)
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE event SET version = 99"))

    with pytest.raises(Conflict, match="Update Soundstage"):
        await log.read("t1")


async def test_whoever_follows_leaves_when_it_is_over_with_all_that_was_written(log: SqlEventLog) -> None:
    await submit(log)
    over = [False]
    seen = []
    async with asyncio.timeout(60):
        async for event in log.follow("t1", over=lambda: over[0]):
            seen.append(event.seq)
            if not over[0]:
                over[0] = True
                await log.append("t1", "k", NoticeGiven(text="x"))
    assert seen == [1, 2]


class Counted(SqlEventLog):
    """Counts how often it is read."""

    reads = 0

    async def read(self, *arguments: Any, **options: Any) -> list[Event]:
        """Counts, and reads."""
        self.reads += 1
        return await super().read(*arguments, **options)


async def test_a_follower_looks_less_and_less_often_while_nothing_comes(database: Database, writer: Writer) -> None:
    log = Counted(database, writer)
    await submit(log)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(2):
            async for _ in log.follow("t1"):
                pass
    # Steadily it would be about ten times; a slow machine only makes it fewer.
    assert log.reads <= 5
