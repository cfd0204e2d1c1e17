"""What a specialist hands back."""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from domain.base import Value
from domain.finding import Finding


class StopReason(StrEnum):
    """Which limit stopped a specialist."""

    STEPS = "steps"
    WALL_CLOCK = "wall_clock"
    TOKENS = "tokens"
    BUDGET = "budget"
    MALFORMED = "malformed"
    STUCK = "stuck"
    GAVE_UP = "gave_up"
    MODEL_REFUSED = "model_refused"


class Submitted(Value):
    """The specialist says that it is done. That is a claim, not evidence. ``artifacts`` names files to keep,
    ``findings`` is what it found wrong, where it reviewed."""

    kind: Literal["submitted"] = "submitted"
    summary: str
    commit: str
    steps: int
    artifacts: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()


class Stopped(Value):
    """A limit stopped the specialist; the snapshot is the best that it had, ``findings`` what it found until then.

    ``scope`` is the id of the budget that ran out, where one did.
    """

    kind: Literal["stopped"] = "stopped"
    reason: StopReason
    detail: str = ""
    scope: str = ""
    commit: str
    steps: int
    findings: tuple[Finding, ...] = ()


class Asks(Value):
    """The specialist cannot go on without an answer."""

    kind: Literal["asks"] = "asks"
    question: str
    commit: str
    steps: int


SubtaskResult = Annotated[Submitted | Stopped | Asks, Field(discriminator="kind")]
