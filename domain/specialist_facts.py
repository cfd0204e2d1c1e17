"""What specialists hand over besides files, as facts of the event log."""

from typing import Literal

from domain.base import Value
from domain.finding import Finding


class QuestionPut(Value):
    """A specialist asked another one. ``answer`` is what it said, and ``answered`` whether it did; ``by`` is the
    subtask in which it looked for it."""

    type: Literal["question_put"] = "question_put"
    subtask_id: str
    role: str
    question: str
    answer: str = ""
    answered: bool = False
    by: str = ""


class WorkRequested(Value):
    """A specialist asked for work by another one, to be done once its own is merged."""

    type: Literal["work_requested"] = "work_requested"
    subtask_id: str
    role: str
    goal: str


class FindingsReported(Value):
    """A specialist that reviews code told what it found."""

    type: Literal["findings_reported"] = "findings_reported"
    subtask_id: str
    findings: tuple[Finding, ...]


SpecialistFact = FindingsReported | QuestionPut | WorkRequested
