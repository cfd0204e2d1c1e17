"""A person's session: who they are, their tasks, and the client that speaks for them."""

from typing import Protocol

from domain.approval import ApprovalAnswer
from domain.base import Value
from domain.errors import InfrastructureError
from domain.files import FileTree
from domain.task_service import Origin, TaskService
from domain.text import one_line
from mcp_server.caller import Caller, Permission
from mcp_server.context.project_context import ProjectContext
from mcp_server.ide.front import Front

PERSON = frozenset({Permission.SEE_TASKS, Permission.STEER_TASKS, Permission.SEE_COSTS})
"""What somebody may do who sits at this machine."""


class ImportedFolder(Value):
    """The files of a folder, and what its owner should know of them."""

    files: FileTree
    origin: Origin
    notes: tuple[str, ...] = ()


class Folders(Protocol):
    """The folders of the machine that serves from which a task may start."""

    async def read(self, folder: str) -> ImportedFolder:
        """The newest commit of the repository in a folder. UsageError where it may not be read, or holds none."""
        ...


class IdeSession:
    """Implements ``mcp_server.caller.Session``. Without ``folders`` no folder is read, and without ``context`` nothing
    is told of the projects of tasks; ``front`` is the client at the other end of the present request, where there is
    one."""

    def __init__(
        self,
        caller: Caller,
        tasks: TaskService,
        folders: Folders | None = None,
        context: ProjectContext | None = None,
        front: Front | None = None,
    ) -> None:
        self.caller = caller
        self.tasks = tasks
        self.folders = folders
        self.context = context
        self.front = front or Front()
        self.failure: InfrastructureError | None = None
        self.dropped: tuple[str, ...] = ()

    def facing(self, front: Front) -> "IdeSession":
        """The same session for one request, so that requests at the same time do not meet in it."""
        return IdeSession(self.caller, self.tasks, self.folders, self.context, front)

    @property
    def owner(self) -> str:
        """Whose tasks it is about."""
        return self.caller.owner

    def may(self, permission: Permission) -> bool:
        """Whether the caller has a permission."""
        return permission in self.caller.permissions

    def about(self, task_id: str) -> str:
        """Notes for the audit log which task the request is about."""
        self.caller = self.caller.model_copy(update={"task_id": one_line(task_id, 64)})
        return task_id

    async def answer(self, task_id: str, question_id: str, answer: ApprovalAnswer) -> None:
        """Answers a question in the caller's name. UnknownTask, UnknownQuestion, UsageError."""
        await self.tasks.answer(self.owner, task_id, question_id, answer, self.caller.actor)

    async def keep(self, text: str) -> str | None:
        """Tools for people page their long answers themselves."""
        del text
        return None
