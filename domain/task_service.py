"""The door to tasks, for whoever may not import the director."""

from collections.abc import AsyncIterator
from typing import Protocol

from pydantic import Field

from domain.approval import ApprovalAnswer, OpenQuestion
from domain.base import Value
from domain.costs import CostGrouping, CostLine
from domain.events import Event
from domain.evidence import Evidence
from domain.files import FileTree
from domain.money import NanoUsd
from domain.plan import Plan
from domain.progress import SubtaskProgress
from domain.task import TaskResult, TaskStatus, TaskTerms


class Origin(Value):
    """Where files come from: a git repository on this machine, and the commit."""

    repository: str
    commit: str


class TaskOrder(TaskTerms):
    """What somebody wants done.

    ``files`` is the tree to start from, ``origin`` where it comes from, if that is known, and ``tests`` the paths in it
    that no specialist may change. ``model`` and ``isolation`` are the usual ones here where they are None.
    """

    files: FileTree = Field(default_factory=dict)
    origin: Origin | None = None
    tests: tuple[str, ...] = ()
    model: str | None = None
    isolation: str | None = None


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


class TaskPage(Value):
    """Some tasks, the newest first. ``cursor`` leads to those that follow, and is None where there are none."""

    tasks: tuple[TaskSummary, ...]
    cursor: str | None = None


class TaskView(Value):
    """Where a task stands, as of the event ``seq``. ``step`` says in a few words what is done now; ``result`` is there
    at the end."""

    summary: TaskSummary
    seq: int
    step: str
    plan: Plan | None = None
    subtasks: tuple[SubtaskProgress, ...] = ()
    questions: tuple[OpenQuestion, ...] = ()
    result: TaskResult | None = None


class Patch(Value):
    """What a task changed, as a git patch, and in which paths."""

    content: bytes
    paths: tuple[str, ...]


class TaskService(Protocol):
    """Takes tasks, works on them, and tells their owners what becomes of them.

    Whatever is asked about a task of another owner is answered as if there were no such task: UnknownTask.
    """

    async def submit(self, order: TaskOrder) -> str:
        """The id of the task, which is stored, and will be worked on when it is its turn. UsageError."""
        ...

    async def wait(self, owner: str, task_id: str) -> TaskResult:
        """The result, at the end. An infrastructure error that ended the task is raised."""
        ...

    async def cancel(self, owner: str, task_id: str, reason: str) -> None:
        """Ends a task, with the best tree; returns when that is done. One that has ended stays as it is.

        UsageError where another process works on it.
        """
        ...

    async def get(self, owner: str, task_id: str) -> TaskView:
        """Where the task stands."""
        ...

    async def page(self, owner: str, status: TaskStatus | None, cursor: str | None, most: int) -> TaskPage:
        """Tasks of an owner, the newest first, of one status or of all. UsageError for a cursor that leads nowhere."""
        ...

    async def events(self, owner: str, task_id: str, after: int, most: int) -> tuple[Event, ...]:
        """At most so many events with a ``seq`` above ``after``, in order."""
        ...

    def follow(self, owner: str, task_id: str, after: int = 0) -> AsyncIterator[Event]:
        """The events above ``after``, then those to come, until the task ends."""
        ...

    async def patch(self, owner: str, task_id: str) -> Patch:
        """The difference between the tree that the task began with and its best one; while it runs, what is merged."""
        ...

    async def tree(self, owner: str, task_id: str) -> FileTree:
        """The files of its best tree; while it runs, what is merged."""
        ...

    async def evidence(self, owner: str, task_id: str) -> Evidence | None:
        """That of the result; while the task runs, what a clean room saw last."""
        ...

    async def artifact(self, owner: str, task_id: str, path: str) -> bytes:
        """The content of a file that the task kept. UnknownArtifact."""
        ...

    async def costs(self, owner: str, task_id: str, by: CostGrouping) -> tuple[CostLine, ...]:
        """What the task spent so far."""
        ...

    async def answer(self, owner: str, task_id: str, question_id: str, answer: ApprovalAnswer, by: str) -> None:
        """Answers an open question in the name of ``by``. UnknownQuestion where it is not open, or no longer."""
        ...
