"""The door to tasks, for whoever may not import the director."""

from typing import Protocol

from domain.base import Value
from domain.money import NanoUsd
from domain.task import TaskResult, TaskSpec, TaskStatus


class TaskSummary(Value):
    """A row of a task list. ``submitted_at`` is RFC 3339 in UTC."""

    id: str
    owner: str
    prompt: str
    model: str
    status: TaskStatus
    grade: str
    submitted_at: str
    cost: NanoUsd
    tokens: int


class TaskService(Protocol):
    """Submits tasks and tells what became of them."""

    async def submit(self, spec: TaskSpec) -> None:
        """Stores the task; it is durable when this returns."""
        ...

    async def run(self, task_id: str) -> TaskResult:
        """Works on a submitted task until it ends."""
        ...
