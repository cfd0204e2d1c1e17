"""What specialists hand over besides files, as facts of the event log."""

from typing import Literal

from domain.base import Value
from domain.finding import Finding


class FindingsReported(Value):
    """A specialist that reviews code told what it found."""

    type: Literal["findings_reported"] = "findings_reported"
    subtask_id: str
    findings: tuple[Finding, ...]
