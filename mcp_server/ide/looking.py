"""Tools that tell where tasks stand."""

from pydantic import BaseModel, ConfigDict, Field

from domain.base import Value
from domain.task import TaskStatus
from domain.text import one_line
from mcp_server.caller import Permission
from mcp_server.ide.session import IdeSession
from mcp_server.ide.views import TaskRow, TaskState, in_words, row_of, state_of
from mcp_server.tool import Tool, ToolLimits, ToolOutcome

SHOWN_STATE = 100_000
"""Characters of a task's state in words: its questions are shown whole."""


class OfTask(BaseModel):
    """The task that a call is about."""

    model_config = ConfigDict(extra="forbid")

    task_id: str = Field(min_length=1, max_length=64, description="the task's id, as run_task and list_tasks tell it")


class GetTask(OfTask):
    """Arguments of get_task."""


class ListTasks(BaseModel):
    """Arguments of list_tasks."""

    model_config = ConfigDict(extra="forbid")

    status: TaskStatus | None = Field(default=None, description="only tasks of this status")
    limit: int = Field(default=20, ge=1, le=100, description="how many")
    cursor: str | None = Field(default=None, max_length=64, description="next_cursor of the page before")


class TaskList(Value):
    """Tasks, the newest first. ``next_cursor`` leads to those that follow, and is None where there are none."""

    tasks: tuple[TaskRow, ...]
    next_cursor: str | None


async def told(session: IdeSession, task_id: str, notes: tuple[str, ...] = ()) -> ToolOutcome:
    """Where a task stands. UnknownTask."""
    view = await session.tasks.get(session.owner, task_id)
    state = state_of(view, session.may(Permission.SEE_COSTS), notes)
    return ToolOutcome(text=in_words(state), data=state)


async def _get_task(session: IdeSession, arguments: GetTask) -> ToolOutcome:
    return await told(session, session.about(arguments.task_id))


async def _list_tasks(session: IdeSession, arguments: ListTasks) -> ToolOutcome:
    page = await session.tasks.page(session.owner, arguments.status, arguments.cursor, arguments.limit)
    rows = tuple(row_of(task, session.may(Permission.SEE_COSTS)) for task in page.tasks)
    lines = [f"{row.task_id}  {row.status:<10} {row.submitted_at[:19]}  {one_line(row.prompt, 80)}" for row in rows]
    if page.cursor is not None:
        lines.append(f"More with cursor={page.cursor!r}.")
    data = TaskList(tasks=rows, next_cursor=page.cursor)
    return ToolOutcome(text="\n".join(lines) or "No such tasks. Begin one with run_task.", data=data)


LOOKING_TOOLS = (
    Tool(
        name="get_task",
        description="Tells where a task stands: status, subtasks, what it asks, and at the end why it ended.",
        session=IdeSession,
        arguments=GetTask,
        permission=Permission.SEE_TASKS,
        handler=_get_task,
        example={"task_id": "fb7d1382ecfd"},
        data=TaskState,
        read_only=True,
        idempotent=True,
        limits=ToolLimits(shown=SHOWN_STATE),
    ),
    Tool(
        name="list_tasks",
        description="Lists your tasks, the newest first.",
        session=IdeSession,
        arguments=ListTasks,
        permission=Permission.SEE_TASKS,
        handler=_list_tasks,
        example={"status": "running", "limit": 20},
        data=TaskList,
        read_only=True,
        idempotent=True,
    ),
)
