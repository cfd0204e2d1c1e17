"""Asking a person before something is done."""

from enum import StrEnum
from typing import Protocol

from domain.base import Value


class ApprovalPolicy(StrEnum):
    """Which calls a person is asked about: none, those that destroy or reach out, or all."""

    AUTO = "auto"
    DESTRUCTIVE = "destructive"
    ALWAYS = "always"


class ApprovalQuestion(Value):
    """What somebody is about to do. ``summary`` is one line of the arguments, to be shown as untrusted text."""

    actor: str
    task_id: str = ""
    subtask_id: str = ""
    tool: str
    summary: str


class ApprovalAnswer(Value):
    """What the person said, with a word on why, for whoever asked."""

    approved: bool
    note: str = ""


class Approver(Protocol):
    """Puts questions to a person, and waits."""

    async def ask(self, question: ApprovalQuestion) -> ApprovalAnswer:
        """The answer; a refusal where nobody can be asked."""
        ...
