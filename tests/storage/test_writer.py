import asyncio
import sqlite3
import threading
from collections.abc import Callable

import pytest
from sqlalchemy import Connection, event, text

from domain.errors import StorageUnavailable
from storage.database import Database
from storage.writer import MAX_GROUP, Writer


def insert(scope: str, parent: str | None = None) -> Callable[[Connection], str]:
    def work(connection: Connection) -> str:
        statement = text("INSERT INTO budget (scope, owner, parent) VALUES (:scope, 'local', :parent)")
        connection.execute(statement, {"scope": scope, "parent": parent})
        return scope

    return work


def scopes(stranger: sqlite3.Connection) -> list[str]:
    return [row["scope"] for row in stranger.execute("SELECT scope FROM budget ORDER BY rowid")]


class Gate:
    """A job that holds the writer up until the gate opens, so that what is submitted meanwhile queues up."""

    def __init__(self, writer: Writer) -> None:
        self._opened = threading.Event()
        self._reached = threading.Event()
        self._job = asyncio.ensure_future(writer.submit(self._work))

    def _work(self, _connection: Connection) -> None:
        self._reached.set()
        assert self._opened.wait(30)

    async def reached(self) -> None:
        await asyncio.to_thread(self._reached.wait)

    async def open(self) -> None:
        self._opened.set()
        await self._job


async def queued(*jobs: asyncio.Future[str]) -> None:
    """Lets every submit put its job into the queue."""
    for _ in range(3):
        await asyncio.sleep(0)
    assert not any(job.done() for job in jobs)


async def test_what_was_submitted_is_committed_when_the_caller_hears_of_it(
    writer: Writer, stranger: sqlite3.Connection
) -> None:
    assert await writer.submit(insert("a")) == "a"
    assert scopes(stranger) == ["a"]


async def test_jobs_that_wait_share_one_commit_and_keep_their_order(
    database: Database, writer: Writer, stranger: sqlite3.Connection
) -> None:
    commits: list[object] = []
    event.listen(database.writer, "commit", commits.append)
    gate = Gate(writer)
    await gate.reached()
    names = [f"n{number}" for number in range(MAX_GROUP)]
    jobs = [asyncio.ensure_future(writer.submit(insert(name))) for name in names]
    await queued(*jobs)

    await gate.open()

    assert await asyncio.gather(*jobs) == names
    assert scopes(stranger) == names
    assert len(commits) == 2


async def test_a_job_that_fails_undoes_itself_and_nothing_else(writer: Writer, stranger: sqlite3.Connection) -> None:
    def fails(connection: Connection) -> str:
        insert("half done")(connection)
        raise ValueError("no more")

    gate = Gate(writer)
    await gate.reached()
    works = [insert("before"), fails, insert("between"), insert("orphan", parent="nobody"), insert("after")]
    jobs = [asyncio.ensure_future(writer.submit(work)) for work in works]
    await queued(*jobs)
    await gate.open()
    before, failed, between, refused, after = await asyncio.gather(*jobs, return_exceptions=True)

    assert (before, between, after) == ("before", "between", "after")
    assert isinstance(failed, ValueError)
    assert isinstance(refused, StorageUnavailable)
    assert scopes(stranger) == ["before", "between", "after"]


async def test_a_caller_that_is_cancelled_does_not_take_back_its_job(
    writer: Writer, stranger: sqlite3.Connection
) -> None:
    gate = Gate(writer)
    await gate.reached()
    impatient = asyncio.ensure_future(writer.submit(insert("impatient")))
    patient = asyncio.ensure_future(writer.submit(insert("patient")))
    await queued(impatient, patient)

    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    await gate.open()

    assert await patient == "patient"
    assert scopes(stranger) == ["impatient", "patient"]


async def test_closing_commits_what_is_queued_and_the_writer_can_be_used_again(
    writer: Writer, stranger: sqlite3.Connection
) -> None:
    gate = Gate(writer)
    await gate.reached()
    jobs = [asyncio.ensure_future(writer.submit(insert(f"n{number}"))) for number in range(5)]
    await queued(*jobs)
    closing = asyncio.ensure_future(writer.close())
    await gate.open()
    await closing

    assert scopes(stranger) == [f"n{number}" for number in range(5)]
    assert await asyncio.gather(*jobs) == [f"n{number}" for number in range(5)]
    assert await writer.submit(insert("later")) == "later"


async def test_when_the_commit_fails_nobody_of_the_group_is_told_otherwise(
    writer: Writer, stranger: sqlite3.Connection
) -> None:
    def breaks_the_commit(connection: Connection) -> str:
        connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
        return insert("orphan", parent="nobody")(connection)

    gate = Gate(writer)
    await gate.reached()
    jobs = [asyncio.ensure_future(writer.submit(work)) for work in (insert("a"), breaks_the_commit, insert("b"))]
    await queued(*jobs)
    await gate.open()
    answers = await asyncio.gather(*jobs, return_exceptions=True)

    assert [type(answer) for answer in answers] == [StorageUnavailable] * 3
    assert scopes(stranger) == []
    assert await writer.submit(insert("next")) == "next"
    assert scopes(stranger) == ["next"]


async def test_a_database_that_another_program_holds_is_reported_and_the_writer_goes_on_afterwards(
    database: Database, writer: Writer, stranger: sqlite3.Connection
) -> None:
    def impatient(connection: sqlite3.Connection, _record: object) -> None:
        connection.execute("PRAGMA busy_timeout=20")

    database.writer.dispose()
    event.listen(database.writer, "connect", impatient)
    stranger.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageUnavailable, match="locked"):
        await writer.submit(insert("a"))

    stranger.execute("ROLLBACK")
    assert await writer.submit(insert("b")) == "b"
    assert scopes(stranger) == ["b"]


async def test_a_job_that_nobody_waits_for_is_committed_with_the_next_one_and_before_it(
    database: Database, writer: Writer, stranger: sqlite3.Connection
) -> None:
    commits: list[object] = []
    event.listen(database.writer, "commit", commits.append)
    patient = [writer.submit(insert(f"p{number}"), patient=True) for number in range(3)]
    await writer.submit(insert("now"))
    assert all(job.done() for job in patient)
    assert scopes(stranger) == ["p0", "p1", "p2", "now"]
    assert len(commits) == 1


async def test_a_job_that_nobody_waits_for_is_committed_soon_all_the_same(
    writer: Writer, stranger: sqlite3.Connection
) -> None:
    assert await writer.submit(insert("a"), patient=True) == "a"
    assert scopes(stranger) == ["a"]


async def test_closing_commits_what_nobody_waits_for(writer: Writer, stranger: sqlite3.Connection) -> None:
    job = writer.submit(insert("a"), patient=True)
    await writer.close()
    assert await job == "a"
    assert scopes(stranger) == ["a"]
