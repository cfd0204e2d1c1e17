"""Who calls tools, and what they may do."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

from domain.approval import ApprovalPolicy
from domain.base import Value
from domain.errors import InfrastructureError
from domain.task import LOCAL_OWNER


class Permission(StrEnum):
    """What a caller may be allowed to do."""

    READ = "files:read"
    WRITE = "files:write"
    EXECUTE = "commands:run"
    TEST = "tests:run"
    SUBMIT = "work:submit"
    REVIEW = "work:review"
    HAND_OFF = "work:handoff"
    REACH = "network:reach"
    QUERY = "databases:read"
    ALTER = "databases:write"
    SEE_TASKS = "tasks:read"
    STEER_TASKS = "tasks:write"
    SEE_COSTS = "costs:read"
    USE_EXTERNAL = "external:use"


class Caller(Value):
    """Who calls. ``actor`` names them in the audit log; the ids are of the work that they are at, where they are."""

    actor: str
    permissions: frozenset[Permission]
    owner: str = LOCAL_OWNER
    task_id: str = ""
    subtask_id: str = ""
    approval: ApprovalPolicy = ApprovalPolicy.AUTO


class Session(Protocol):
    """What every tool works in. ``failure`` is an infrastructure error that a tool met: the work cannot go on."""

    failure: InfrastructureError | None

    @property
    def dropped(self) -> Sequence[str]:
        """The protected paths whose changes were undone so far, in order."""
        ...

    @property
    def caller(self) -> Caller:
        """Who works in it."""
        ...

    async def keep(self, text: str) -> str | None:
        """Keeps the whole text of an answer that is shown in part; the id to page it by, or None where there is no
        such way."""
        ...
