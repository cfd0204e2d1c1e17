"""The group-commit writer: every change of the database goes through one thread, many changes to a commit."""

import asyncio
import contextlib
import queue
import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StorageUnavailable

T = TypeVar("T")
MAX_GROUP = 256
PATIENCE_S = 0.02
"""How long a job that nobody waits for waits for others, to be committed with them."""


class _Job(NamedTuple):
    work: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop
    patient: bool


class _Result(NamedTuple):
    job: _Job
    value: Any
    failure: BaseException | None


class Writer:
    """Runs jobs in order. A job's future resolves when the commit that holds it is durable.

    Each job has a savepoint of its own: one that raises undoes itself and nothing else. Savepoints and whatever else
    is on the way of every job are statements of the driver: the ORM's Core takes ten times as long for them.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._driver_error = engine.dialect.loaded_dbapi.Error
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._connection: Connection | None = None

    def submit(self, work: Callable[[Connection], T], patient: bool = False) -> "asyncio.Future[T]":
        """Queues a job now. The future holds what ``work`` returned, once it is committed; StorageUnavailable when
        the commit fails.

        A ``patient`` job, for which nobody waits, is committed with the next one that is not, or after a moment: each
        commit costs a write to the disk. A caller that is cancelled does not take back what is queued already.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="soundstage-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, done, loop, patient))
        return done

    async def close(self) -> None:
        """Commits what is queued and ends the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self) -> None:
        ended = False
        while not ended:
            group, ended = self._group()
            if group:
                _tell(self._commit(group))
        self._disconnect()

    def _group(self) -> tuple[list[_Job], bool]:
        """What is to be committed next, and whether it is the last."""
        job = self._jobs.get()
        group: list[_Job] = []
        patient, until = True, time.monotonic() + PATIENCE_S
        while job is not None:
            group.append(job)
            patient = patient and job.patient
            if len(group) == MAX_GROUP:
                return group, False
            try:
                job = self._jobs.get(timeout=max(0.0, until - time.monotonic()) if patient else 0)
            except queue.Empty:
                return group, False
        return group, True

    def _commit(self, group: list[_Job]) -> list[_Result]:
        try:
            connection = self._connection = self._connection or self._engine.connect()
            with connection.begin():
                cursor = driver_cursor(connection)
                return [self._attempt(job, connection, cursor) for job in group]
        except (SQLAlchemyError, self._driver_error) as error:
            self._disconnect()
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            unavailable = StorageUnavailable(
                f"The database cannot be written ({reason}). Free disk space, or end the process that holds it; "
                "nothing that was acknowledged is lost."
            )
            return [_Result(job, None, unavailable) for job in group]

    def _attempt(self, job: _Job, connection: Connection, cursor: Any) -> _Result:
        cursor.execute("SAVEPOINT job")
        try:
            value = job.work(connection)
        except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it
            # This raises where the failure has ended the whole transaction.
            cursor.execute("ROLLBACK TO job")
            cursor.execute("RELEASE job")
            if not isinstance(error, SQLAlchemyError | self._driver_error):
                return _Result(job, None, error)
            return _Result(
                job, None, StorageUnavailable(f"The database refused a change: {str(error).splitlines()[0]}")
            )
        cursor.execute("RELEASE job")
        return _Result(job, value, None)

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


def driver_cursor(connection: Connection) -> Any:
    """A cursor of the driver itself, within the connection's transaction. Its parameters are ``?``."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    return driver.cursor()


def _tell(results: list[_Result]) -> None:
    """Resolves the futures, with one wake-up for each event loop."""
    for loop in {result.job.loop for result in results}:
        # A loop that was closed meanwhile has nobody who waits.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(_resolve, [result for result in results if result.job.loop is loop])


def _resolve(results: list[_Result]) -> None:
    for job, value, failure in results:
        done = job.done
        if done.done():
            continue
        if failure is not None:
            done.set_exception(failure)
            # The waiter may have been cancelled; an exception that nobody fetches is not news.
            done.exception()
        else:
            done.set_result(value)
