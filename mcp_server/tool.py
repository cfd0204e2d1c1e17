"""What a tool is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from domain.base import Value
from domain.replies import ReplyProblem

if TYPE_CHECKING:
    from mcp_server.session import ToolSession

EXAMPLE = "soundstage/example"
"""Where a tool's description over MCP holds valid arguments, in its ``_meta``."""

A = TypeVar("A", bound=BaseModel)


class Permission(StrEnum):
    """What a role may be allowed to do."""

    READ = "files:read"
    WRITE = "files:write"
    EXECUTE = "commands:run"
    TEST = "tests:run"
    SUBMIT = "work:submit"


class ToolOutcome(Value):
    """What a tool answers. ``submitted`` is the summary of work that the specialist calls done, and ``artifacts`` the
    files that it wants kept. ``problem`` says that the call was wrong, and that nothing was run."""

    text: str
    ok: bool = True
    problem: ReplyProblem | None = None
    submitted: str | None = None
    artifacts: tuple[str, ...] = ()


class ToolRefused(Exception):
    """The tool will not do that; the message says why and what to do instead. It goes to the model."""


@dataclass(frozen=True)
class Tool(Generic[A]):
    """A tool: its name and description for models, its arguments, and what it needs and does.

    ``read_only``, ``destructive`` and ``idempotent`` are MCP's annotations. ``example`` is a valid set of arguments.
    """

    name: str
    description: str
    arguments: type[A]
    permission: Permission
    handler: Callable[["ToolSession", A], Awaitable[ToolOutcome]]
    example: dict[str, Any]
    read_only: bool = False
    destructive: bool = False
    idempotent: bool = False
