"""Reading tasks as their events left them."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Row, Select, bindparam, select, tuple_

from domain.base import Value
from domain.errors import UnknownTask, UsageError
from domain.events import BranchMerged, Fact, SnapshotMade, SubtaskFinished, SubtaskStarted, TaskFinished
from domain.money import NanoUsd
from domain.setbacks import RolledBack
from domain.task import TaskResult, TaskSpec, TaskStatus
from domain.task_service import TaskPage, TaskSummary
from domain.text import one_line
from storage.database import Database
from storage.event_log import from_row as event_from_row
from storage.tables import EventRow, TaskRow, table

EVENT, TASK = table(EventRow), table(TaskRow)

COMMITTING = ("subtask_started", "snapshot_made", "branch_merged", "subtask_finished")
"""The types of the facts that speak of a commit."""


class TaskRecord(Value):
    """All that is known of a task at one moment. The result is there when it has ended."""

    summary: TaskSummary
    spec: TaskSpec
    result: TaskResult | None


class AbandonedTask(Value):
    """A task whose process died, and the newest commit that its events speak of."""

    task_id: str
    commit: str

    def finish(self) -> TaskFinished:
        """The event that ends it."""
        reason = "the process that worked on it ended; the files are as it left them"
        return TaskFinished(
            result=TaskResult(task_id=self.task_id, status=TaskStatus.FAILED, reason=reason, commit=self.commit)
        )


class SqlTasks:
    """Tasks, read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def newest(self, most: int = 50) -> list[TaskSummary]:
        """The newest tasks first."""
        return [
            from_row(row) for row in await self._rows(select(TASK).order_by(TASK.c.submitted_at.desc()).limit(most))
        ]

    async def of(self, owner: str, task_id: str) -> TaskRecord:
        """The task of that id and owner; UnknownTask, whether there is none or it is somebody else's."""
        rows = await self._rows(select(TASK).where(TASK.c.id == task_id, TASK.c.owner == owner))
        if not rows:
            raise UnknownTask(f"There is no task {one_line(task_id, 60)!r}. List your tasks to see which there are.")
        (row,) = rows
        return TaskRecord(
            summary=from_row(row),
            spec=TaskSpec.model_validate_json(row.spec),
            result=TaskResult.model_validate_json(row.result) if row.result else None,
        )

    async def page(self, owner: str, status: TaskStatus | None, cursor: str | None, most: int) -> TaskPage:
        """Tasks of an owner, the newest first. A cursor is the id of the last task before the page; UsageError."""
        named: dict[str, object] = {"owner": owner, "status": status, "most": most + 1}
        if cursor is not None:
            last = await self._last(owner, cursor)
            named |= {"at": last.submitted_at, "id": last.id}
        rows = await self._rows(_page(status is not None, cursor is not None), named)
        tasks = tuple(from_row(row) for row in rows[:most])
        return TaskPage(tasks=tasks, cursor=tasks[-1].id if len(rows) > most else None)

    async def _last(self, owner: str, cursor: str) -> TaskSummary:
        try:
            return (await self.of(owner, cursor)).summary
        except UnknownTask:
            raise UsageError("That cursor leads nowhere. List the tasks without one, from the newest on.") from None

    async def find(self, prefix: str) -> TaskSummary:
        """The task whose id begins so; UnknownTask when there is none, or more than one."""
        rows = await self._rows(select(TASK).where(TASK.c.id.startswith(prefix, autoescape=True)).limit(2))
        if not prefix or len(rows) != 1:
            what = "More than one task begins with" if prefix and rows else "There is no task"
            raise UnknownTask(f"{what} {prefix!r}. List the tasks with: soundstage tasks list")
        return from_row(rows[0])

    async def result(self, task_id: str) -> TaskResult | None:
        """The result of a task, or None while it has none."""
        rows = await self._rows(select(TASK.c.result).where(TASK.c.id == task_id))
        return TaskResult.model_validate_json(rows[0].result) if rows and rows[0].result else None

    async def spec(self, task_id: str) -> TaskSpec:
        """What was asked for."""
        rows = await self._rows(select(TASK.c.spec).where(TASK.c.id == task_id))
        if not rows:
            raise UnknownTask(f"There is no task {task_id!r}. List the tasks with: soundstage tasks list")
        return TaskSpec.model_validate_json(rows[0].spec)

    async def abandoned(self, alive: Collection[str]) -> list[AbandonedTask]:
        """The tasks that wait for a process that is not ``alive`` any more, or were worked on there."""
        open_status = TASK.c.status.in_((TaskStatus.SUBMITTED, TaskStatus.RUNNING))
        rows = await self._rows(select(TASK).where(open_status, TASK.c.worker != ""))
        return [await self._abandoned(row) for row in rows if row.worker not in alive]

    async def _abandoned(self, row: Row[Any]) -> AbandonedTask:
        speaking = EVENT.c.task_id == row.id, EVENT.c.type.in_(COMMITTING)
        newest = await self._rows(select(EVENT).where(*speaking).order_by(EVENT.c.seq.desc()).limit(1))
        commit = commit_of(event_from_row(newest[0]).fact) if newest else None
        return AbandonedTask(task_id=row.id, commit=commit or TaskSpec.model_validate_json(row.spec).base_commit)

    async def _rows(self, wanted: Select[Any], named: Mapping[str, object] | None = None) -> Sequence[Row[Any]]:
        return await self._database.read(lambda connection: connection.execute(wanted, named).all())


@cache
def _page(of_status: bool, after: bool) -> Select[Any]:
    """A page of an owner's tasks, the newest first. It is built once: that takes longer than to find them."""
    wanted = select(TASK).where(TASK.c.owner == bindparam("owner"))
    if of_status:
        wanted = wanted.where(TASK.c.status == bindparam("status"))
    if after:
        wanted = wanted.where(tuple_(TASK.c.submitted_at, TASK.c.id) < tuple_(bindparam("at"), bindparam("id")))
    return wanted.order_by(TASK.c.submitted_at.desc(), TASK.c.id.desc()).limit(bindparam("most"))


def commit_of(fact: Fact) -> str | None:
    """The commit that a fact speaks of."""
    match fact:
        case SubtaskStarted(commit=commit) | SnapshotMade(commit=commit) | BranchMerged(commit=commit):
            return commit
        case RolledBack(commit=commit):
            return commit
        case SubtaskFinished(result=result):
            return result.commit
        case _:
            return None


def from_row(row: Row[Any]) -> TaskSummary:
    """The summary in a row."""
    return TaskSummary(
        id=row.id,
        owner=row.owner,
        prompt=row.prompt,
        model=row.model,
        status=TaskStatus(row.status),
        grade=row.grade,
        submitted_at=row.submitted_at,
        cost=NanoUsd(row.cost),
        tokens=row.tokens,
    )
