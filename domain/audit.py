"""Who used which tool, whether that was allowed, and what came of it."""

from enum import StrEnum
from typing import Protocol

from pydantic import Field

from domain.base import Value
from domain.task import LOCAL_OWNER


class AuditVerdict(StrEnum):
    """How a call ended: it did its work, it failed, it was not allowed, or its caller went away."""

    DONE = "done"
    FAILED = "failed"
    REFUSED = "refused"
    CANCELLED = "cancelled"


class AuditEntry(Value):
    """One call of a tool, or a decision about tools. ``actor`` is who made it: a role, a key, a person at a terminal.

    ``reason`` says why it failed or was refused, which changes were undone, or what was decided. ``size`` is
    the bytes of the answer.
    """

    owner: str = LOCAL_OWNER
    actor: str
    task_id: str = ""
    subtask_id: str = ""
    tool: str
    verdict: AuditVerdict
    reason: str = ""
    duration_s: float = Field(ge=0)
    size: int = Field(default=0, ge=0)


class AuditLog(Protocol):
    """An append-only record of calls."""

    def record(self, entry: AuditEntry) -> None:
        """Queues the entry, which is durable a moment later."""
        ...
