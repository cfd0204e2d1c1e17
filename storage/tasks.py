"""Reading tasks as their events left them."""

from collections.abc import Collection

from sqlmodel import col, select

from domain.base import Value
from domain.errors import UnknownTask
from domain.events import BranchMerged, Fact, SnapshotMade, SubtaskFinished, SubtaskStarted, TaskFinished
from domain.money import NanoUsd
from domain.task import TaskResult, TaskSpec, TaskStatus
from domain.task_service import TaskSummary
from storage.database import Database
from storage.event_log import from_row as event_from_row
from storage.tables import EventRow, TaskRow

COMMITTING = ("subtask_started", "snapshot_made", "branch_merged", "subtask_finished")
"""The types of the facts that speak of a commit."""


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
        """The tasks that were started in a process that is not ``alive`` any more."""
        running = select(TaskRow).where(col(TaskRow.status) == TaskStatus.RUNNING)
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
