"""The events of a subtask, which are written while its work goes on."""

from collections.abc import Awaitable

from domain.event_log import EventLog
from domain.events import Fact
from specialists.assignment import Assignment


class Telling:
    """Queues facts in their order. ``written`` waits for them, and raises what went wrong with one."""

    def __init__(self, assignment: Assignment, log: EventLog) -> None:
        self._task_id = assignment.task_id
        self._key = assignment.key
        self._log = log
        self._queued: list[Awaitable[object]] = []

    def tell(self, step: str, fact: Fact) -> None:
        """Queues a fact; its key is the step's within the assignment."""
        self._queued.append(self._log.queue(self._task_id, f"{self._key}:{step}", fact))

    async def written(self) -> None:
        """Waits for what was told: StorageUnavailable where it could not be written."""
        queued, self._queued = self._queued, []
        for writing in queued:
            await writing
