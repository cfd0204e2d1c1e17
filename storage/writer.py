"""The group-commit writer: every change of the database goes through one thread, many changes to a commit."""

import asyncio
import queue
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from domain.errors import StorageUnavailable

T = TypeVar("T")
MAX_GROUP = 256


class _Job(NamedTuple):
    work: Callable[[Connection], Any]
    done: "asyncio.Future[Any]"
    loop: asyncio.AbstractEventLoop


class Writer:
    """Runs jobs in order. A job's future resolves when the commit that holds it is durable.

    Each job has a savepoint of its own: one that raises undoes itself and nothing else.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def submit(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` returns, once it is committed. StorageUnavailable when the commit fails."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="soundstage-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(_Job(work, done, loop))
        # A caller that is cancelled does not take back what is already queued.
        return await asyncio.shield(done)

    async def close(self) -> None:
        """Commits what is queued and ends the thread."""
        if self._thread is not None:
            self._jobs.put(None)
            await asyncio.to_thread(self._thread.join)
            self._thread = None

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            if job is None:
                return
            group = [job]
            ended = False
            while len(group) < MAX_GROUP and not self._jobs.empty():
                following = self._jobs.get()
                if following is None:
                    ended = True
                    break
                group.append(following)
            self._commit(group)
            if ended:
                return

    def _commit(self, group: list[_Job]) -> None:
        results: list[tuple[_Job, Any, BaseException | None]] = []
        try:
            with self._engine.begin() as connection:
                for job in group:
                    results.append((job, *_attempt(job, connection)))
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).splitlines()[0]
            unavailable = StorageUnavailable(
                f"The database cannot be written ({reason}). Free disk space, or end the process that holds it; "
                "nothing that was acknowledged is lost."
            )
            results = [(job, None, unavailable) for job in group]
        for job, value, failure in results:
            job.loop.call_soon_threadsafe(_resolve, job.done, value, failure)


def _attempt(job: _Job, connection: Connection) -> tuple[Any, BaseException | None]:
    savepoint = connection.begin_nested()
    try:
        value = job.work(connection)
    except SQLAlchemyError as error:
        if connection.in_transaction() and savepoint.is_active:
            savepoint.rollback()
        if getattr(error, "connection_invalidated", False):
            raise
        return None, StorageUnavailable(f"The database refused a change: {str(error).splitlines()[0]}")
    except Exception as error:  # noqa: BLE001 - it belongs to the caller, who gets it
        savepoint.rollback()
        return None, error
    savepoint.commit()
    return value, None


def _resolve(done: "asyncio.Future[Any]", value: Any, failure: BaseException | None) -> None:
    if done.done():
        return
    if failure is not None:
        done.set_exception(failure)
        # The waiter may have been cancelled; an exception that nobody fetches is not news.
        done.exception()
    else:
        done.set_result(value)
