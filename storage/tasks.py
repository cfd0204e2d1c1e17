"""Reading tasks as their events left them."""

from collections.abc import Collection

from sqlmodel import and_, col, or_, select

from domain.base import Value
from domain.errors import UnknownTask, UsageError
from domain.events import BranchMerged, Fact, SnapshotMade, SubtaskFinished, SubtaskStarted, TaskFinished
from domain.money import NanoUsd
from domain.task import TaskResult, TaskSpec, TaskStatus
from domain.task_service import TaskPage, TaskSummary
from domain.text import one_line
from storage.database import Database
from storage.event_log import from_row as event_from_row
from storage.tables import EventRow, TaskRow

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
        wanted = select(TaskRow).order_by(col(TaskRow.submitted_at).desc()).limit(most)
        async with self._database.sessions() as session:
            rows = (await session.exec(wanted)).all()
        return [from_row(row) for row in rows]

    async def of(self, owner: str, task_id: str) -> TaskRecord:
        """The task of that id and owner; UnknownTask, whether there is none or it is somebody else's."""
        wanted = select(TaskRow).where(col(TaskRow.id) == task_id, col(TaskRow.owner) == owner)
        async with self._database.sessions() as session:
            row = (await session.exec(wanted)).first()
        if row is None:
            raise UnknownTask(f"There is no task {one_line(task_id, 60)!r}. List your tasks to see which there are.")
        return TaskRecord(
            summary=from_row(row),
            spec=TaskSpec.model_validate_json(row.spec),
            result=TaskResult.model_validate_json(row.result) if row.result else None,
        )

    async def page(self, owner: str, status: TaskStatus | None, cursor: str | None, most: int) -> TaskPage:
        """Tasks of an owner, the newest first. A cursor is the id of the last task before the page; UsageError."""
        wanted = select(TaskRow).where(col(TaskRow.owner) == owner)
        if status is not None:
            wanted = wanted.where(col(TaskRow.status) == status)
        if cursor is not None:
            last = await self._last(owner, cursor)
            earlier = col(TaskRow.submitted_at) < last.submitted_at
            same = and_(col(TaskRow.submitted_at) == last.submitted_at, col(TaskRow.id) < last.id)
            wanted = wanted.where(or_(earlier, same))
        wanted = wanted.order_by(col(TaskRow.submitted_at).desc(), col(TaskRow.id).desc()).limit(most + 1)
        async with self._database.sessions() as session:
            rows = (await session.exec(wanted)).all()
        tasks = tuple(from_row(row) for row in rows[:most])
        return TaskPage(tasks=tasks, cursor=tasks[-1].id if len(rows) > most else None)

    async def _last(self, owner: str, cursor: str) -> TaskSummary:
        try:
            return (await self.of(owner, cursor)).summary
        except UnknownTask:
            raise UsageError("That cursor leads nowhere. List the tasks without one, from the newest on.") from None

    async def find(self, prefix: str) -> TaskSummary:
        """The task whose id begins so; UnknownTask when there is none, or more than one."""
        wanted = select(TaskRow).where(col(TaskRow.id).startswith(prefix, autoescape=True)).limit(2)
        async with self._database.sessions() as session:
            rows = (await session.exec(wanted)).all()
        if not prefix or len(rows) != 1:
            what = "More than one task begins with" if prefix and rows else "There is no task"
            raise UnknownTask(f"{what} {prefix!r}. List the tasks with: soundstage tasks list")
        return from_row(rows[0])

    async def result(self, task_id: str) -> TaskResult | None:
        """The result of a task, or None while it has none."""
        async with self._database.sessions() as session:
            row = await session.get(TaskRow, task_id)
        return TaskResult.model_validate_json(row.result) if row is not None and row.result else None

    async def spec(self, task_id: str) -> TaskSpec:
        """What was asked for."""
        async with self._database.sessions() as session:
            row = await session.get(TaskRow, task_id)
        if row is None:
            raise UnknownTask(f"There is no task {task_id!r}. List the tasks with: soundstage tasks list")
        return TaskSpec.model_validate_json(row.spec)

    async def abandoned(self, alive: Collection[str]) -> list[AbandonedTask]:
        """The tasks that wait for a process that is not ``alive`` any more, or were worked on there."""
        running = select(TaskRow).where(
            col(TaskRow.status).in_((TaskStatus.SUBMITTED, TaskStatus.RUNNING)), col(TaskRow.worker) != ""
        )
        found = []
        async with self._database.sessions() as session:
            for row in (await session.exec(running)).all():
                if row.worker in alive:
                    continue
                events = (
                    select(EventRow)
                    .where(col(EventRow.task_id) == row.id, col(EventRow.type).in_(COMMITTING))
                    .order_by(col(EventRow.seq).desc())
                    .limit(1)
                )
                newest = (await session.exec(events)).first()
                base = TaskSpec.model_validate_json(row.spec).base_commit
                commit = commit_of(event_from_row(newest).fact) if newest is not None else None
                found.append(AbandonedTask(task_id=row.id, commit=commit or base))
        return found


def commit_of(fact: Fact) -> str | None:
    """The commit that a fact speaks of."""
    match fact:
        case SubtaskStarted(commit=commit) | SnapshotMade(commit=commit) | BranchMerged(commit=commit):
            return commit
        case SubtaskFinished(result=result):
            return result.commit
        case _:
            return None


def from_row(row: TaskRow) -> TaskSummary:
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
