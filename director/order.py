"""A piece of work for a specialist."""

from director.difficulty import difficulty_of
from domain.base import Value
from domain.evidence import Failure
from domain.finding import Finding
from domain.plan import Subtask


class Order(Value):
    """A subtask to be done now: which attempt it is, what failed before, and which paths nobody may change.

    ``difficulty`` is the strength that its model should have. ``analysis`` is what a model made of the failure;
    ``candidate`` counts the tries at the same work that are made side by side. ``findings`` are what those found on
    whose work it builds. With ``reads_from`` it begins at that commit and changes nothing. ``may_request`` says whether
    it may ask for work by others; ``max_steps`` is for this order, where it has a limit of its own.

    ``lease`` counts the sandboxes of the attempt: a second one takes over where the first was lost.
    """

    subtask: Subtask
    attempt: int = 1
    lease: int = 1
    difficulty: int = difficulty_of(1)
    failure: Failure | None = None
    analysis: str = ""
    candidate: int = 0
    findings: tuple[Finding, ...] = ()
    reads_from: str = ""
    may_request: bool = False
    max_steps: int | None = None
    kept: frozenset[str] = frozenset()
    shown: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names this piece of work in event keys and journals."""
        return f"{self.subtask.id}:{self.attempt}:{self.lease}"


def branch_of(subtask: Subtask) -> str:
    """The name of a subtask's branch."""
    return f"subtask/{subtask.id}"
