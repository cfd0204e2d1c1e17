"""What is tried, and in which order, when work does not pass its verification."""

from enum import StrEnum


class Rung(StrEnum):
    """One way of trying again, from the best tree so far.

    ``feedback``: told what went wrong. ``candidates``: several at once, by a stronger model where the route has one,
    of which the evidence chooses. ``replan``: a new plan for what is left.
    """

    FEEDBACK = "feedback"
    CANDIDATES = "candidates"
    REPLAN = "replan"


RUNGS = (Rung.FEEDBACK, Rung.CANDIDATES, Rung.REPLAN)


class Ladder:
    """Climbs from rung to rung. Behind the last one it stays with candidates."""

    def __init__(self) -> None:
        self._next = 0

    def climb(self, no_progress: bool) -> Rung:
        """What to try now. Where the last try changed nothing, telling the same again is left out."""
        if no_progress and self._next == 0:
            self._next = 1
        rung = RUNGS[self._next] if self._next < len(RUNGS) else Rung.CANDIDATES
        self._next += 1
        return rung
