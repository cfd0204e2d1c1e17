"""What the events mean for the status rows; applied in the transaction that appends the event."""

from sqlalchemy import Connection, insert, update

from domain.events import (
    Event,
    ModelCalled,
    SubtaskFinished,
    SubtaskStarted,
    TaskFinished,
    TaskStarted,
    TaskSubmitted,
)
from domain.task import TaskStatus
from storage.tables import SubtaskRow, TaskRow, table
from storage.writer import driver_cursor

TASK = table(TaskRow)
SUBTASK = table(SubtaskRow)
SPEND = "UPDATE task SET tokens = tokens + ?, cost = cost + ? WHERE id = ?"
"""A statement of the driver: every step of a specialist spends something."""


def apply(connection: Connection, event: Event) -> None:
    """Brings the rows up to date with an event that was just appended. Facts without rows change nothing."""
    match event.fact:
        case TaskSubmitted():
            _submitted(connection, event, event.fact)
        case TaskStarted(worker=worker):
            _task(connection, event, status=TaskStatus.RUNNING, worker=worker)
        case SubtaskStarted():
            _subtask_started(connection, event, event.fact)
        case SubtaskFinished(subtask_id=subtask_id, result=result):
            matches = (SUBTASK.c.task_id == event.task_id) & (SUBTASK.c.id == subtask_id)
            connection.execute(update(SUBTASK).where(matches).values(status=result.kind, commit=result.commit))
        case ModelCalled(usage=usage, cost=cost):
            driver_cursor(connection).execute(SPEND, (usage.total_tokens, cost, event.task_id))
        case TaskFinished(result=result):
            _task(
                connection,
                event,
                status=result.status,
                grade=result.grade,
                result=result.model_dump_json(),
                finished_at=event.at.isoformat(),
            )
        case _:
            pass


def _task(connection: Connection, event: Event, **values: object) -> None:
    connection.execute(update(TASK).where(TASK.c.id == event.task_id).values(**values))


def _submitted(connection: Connection, event: Event, fact: TaskSubmitted) -> None:
    row = {
        "id": event.task_id,
        "owner": event.owner,
        "status": TaskStatus.SUBMITTED,
        "grade": "",
        "model": fact.spec.model,
        "worker": fact.worker,
        "prompt": fact.spec.prompt,
        "spec": fact.spec.model_dump_json(),
        "submitted_at": event.at.isoformat(),
    }
    connection.execute(insert(TASK).values(row))


def _subtask_started(connection: Connection, event: Event, fact: SubtaskStarted) -> None:
    matches = (SUBTASK.c.task_id == event.task_id) & (SUBTASK.c.id == fact.subtask.id)
    values = {"status": "running", "attempts": fact.attempt, "commit": fact.commit}
    if connection.execute(update(SUBTASK).where(matches).values(**values)).rowcount:
        return
    row = values | {
        "task_id": event.task_id,
        "id": fact.subtask.id,
        "owner": event.owner,
        "role": fact.subtask.role,
        "goal": fact.subtask.goal,
    }
    connection.execute(insert(SUBTASK).values(row))
