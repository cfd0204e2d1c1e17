"""Asking a person before something is done."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from domain.base import Value

MOST_NOTE = 1000
MOST_EDITED = 256 * 1024
PLAN = "plan"
"""What stands for a tool in a question about a plan."""
SHOWN_SUMMARY = 4000
"""Characters of what somebody is about to do that a person is shown at once, of its beginning and end together."""


class ApprovalPolicy(StrEnum):
    """Which calls a person is asked about: none, those that destroy or reach out, or all."""

    AUTO = "auto"
    DESTRUCTIVE = "destructive"
    ALWAYS = "always"


class ApprovalQuestion(Value):
    """What somebody is about to do. ``summary`` is the arguments, whole and as JSON, to be shown as untrusted text."""

    actor: str
    task_id: str = ""
    subtask_id: str = ""
    tool: str
    summary: str


class OpenQuestion(Value):
    """A question that waits for its answer, since ``asked_at`` (UTC) and for so many seconds."""

    id: str
    question: ApprovalQuestion
    asked_at: datetime
    patience_s: float

    @property
    def until(self) -> datetime:
        """When it is refused, because nobody answered."""
        return self.asked_at + timedelta(seconds=self.patience_s)


class ApprovalAnswer(Value):
    """What the person said, with a word on why, for whoever asked.

    ``edited`` is what was asked about as the person wants it instead, as JSON; nothing where it is fine as it is.
    """

    approved: bool
    note: str = Field(default="", max_length=MOST_NOTE)
    edited: str = Field(default="", max_length=MOST_EDITED)


class Approver(Protocol):
    """Puts questions to a person, and waits."""

    async def ask(self, question: ApprovalQuestion) -> ApprovalAnswer:
        """The answer; a refusal where nobody can be asked."""
        ...
