"""What a specialist found that reads code and changes none."""

from enum import StrEnum

from pydantic import Field

from domain.base import Value


class Severity(StrEnum):
    """How much a finding matters: it must not stay so, it should not, or it could be better."""

    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"


class Finding(Value):
    """Something that is wrong, and where. ``line`` counts from 1, and is 0 for what concerns the whole file."""

    path: str
    line: int = Field(default=0, ge=0)
    severity: Severity
    text: str = Field(min_length=1, max_length=2000)
