"""The tasks that this process works on, in the background: so many at once, the others in their order."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from app.journal import Journals
from director.service import Director
from domain.errors import SoundstageError, UsageError
from domain.task import TaskResult
from sandbox.uninterrupted import to_its_end

NO_MORE = "wait or are at work, and no more are taken. Submit it later."


@dataclass
class Run:
    """A task that waits for its turn or is worked on. ``ending`` is there once it is being cancelled."""

    owner: str
    working: "asyncio.Task[TaskResult]"
    ending: "asyncio.Task[None] | None" = None

    @property
    def over(self) -> bool:
        """Whether nothing more happens to the task here."""
        return self.working.done() and (self.ending is None or self.ending.done())


class TaskRuns:
    """Starts, awaits and cancels tasks. At most ``at_once`` are worked on, and ``waiting`` wait for their turn;
    ``waiting_of_one`` of those are of one owner."""

    def __init__(self, director: Director, journals: Journals, at_once: int, waiting: int, waiting_of_one: int) -> None:
        self._director = director
        self._journals = journals
        self._places = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._most_of_one = at_once + waiting_of_one
        self._runs: dict[str, Run] = {}
        self._coming: Counter[str] = Counter()
        self._closed = False

    def of(self, owner: str, task_id: str) -> Run | None:
        """The run of a task of that owner, while it is here."""
        run = self._runs.get(task_id)
        return run if run is not None and run.owner == owner else None

    @contextlib.contextmanager
    def room(self, owner: str) -> Iterator[None]:
        """Keeps room for a task that somebody is submitting. UsageError where there is none."""
        self._check_open()
        here = self._coming + Counter(run.owner for run in self._runs.values())
        if here[owner] >= self._most_of_one:
            raise UsageError(f"{here[owner]} of your tasks {NO_MORE}")
        if here.total() >= self._most:
            raise UsageError(f"{here.total()} tasks of all owners {NO_MORE}")
        self._coming[owner] += 1
        try:
            yield
        finally:
            self._coming -= Counter((owner,))

    def start(self, owner: str, task_id: str) -> None:
        """Puts a task that was submitted at the end of the line. UsageError where no more are taken."""
        self._check_open()
        run = Run(owner, asyncio.create_task(self._work(task_id), name=f"task {task_id}"))
        self._runs[task_id] = run
        run.working.add_done_callback(lambda working: self._done(task_id, run))

    def _check_open(self) -> None:
        if self._closed:
            raise UsageError("Soundstage is being ended, and takes no more tasks. Submit it again afterwards.")

    async def _work(self, task_id: str) -> TaskResult:
        async with self._places:
            return await self._director.run(task_id)

    def _done(self, task_id: str, run: Run) -> None:
        self._journals.forget(task_id)
        if not run.working.cancelled():
            # Whoever waits gets it; the task itself says so in its last event.
            run.working.exception()
        if run.over:
            self._runs.pop(task_id, None)

    async def ended(self, run: Run) -> None:
        """Waits for the end of a run. The error that ended it is raised, and nothing for a cancellation."""
        await asyncio.wait((run.working,))
        if run.ending is not None:
            await asyncio.shield(run.ending)
        if not run.working.cancelled():
            run.working.result()

    def cancel(self, task_id: str, run: Run, reason: str) -> "asyncio.Task[None]":
        """Begins to end a run, at once; what is returned is done when it has ended. Only the first reason counts."""
        if run.ending is None:
            run.working.cancel(reason)
            run.ending = asyncio.create_task(self._end(task_id, run, reason))
        return run.ending

    async def _end(self, task_id: str, run: Run, reason: str) -> None:
        try:
            await asyncio.wait((run.working,))
            if run.working.cancelled():
                # One whose turn had not come said nothing itself.
                await self._director.end(task_id, reason)
        finally:
            self._runs.pop(task_id, None)

    async def close(self) -> None:
        """Takes no more tasks, and cancels those that are here."""
        self._closed = True
        endings = [
            self.cancel(task_id, run, "interrupted: the process that worked on it was ended")
            for task_id, run in tuple(self._runs.items())
        ]
        for ending in endings:
            with contextlib.suppress(SoundstageError):
                await to_its_end(ending)
