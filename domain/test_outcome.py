"""What a specialist's own run of the tests showed."""

import hashlib
from collections.abc import Sequence

from pydantic import Field

from domain.base import Value
from domain.evidence import Outcome, TestReport

MOST_IDS = 200
BAD = frozenset({Outcome.FAILED, Outcome.ERROR})


class TestOutcome(Value):
    """How a run of tests ended: a measure of the work, and no evidence.

    ``selection`` is what was asked for, all tests when empty. ``failing`` names those that did not pass, the first
    MOST_IDS of them; ``errors`` counts what went wrong outside of any test. ``vector`` is a hash of all ids with their
    outcomes: it is equal for runs in which the same tests ended in the same way.
    """

    __test__ = False

    selection: tuple[str, ...] = ()
    collected: int = Field(default=0, ge=0)
    passed: int = Field(default=0, ge=0)
    failed: int = Field(default=0, ge=0)
    errors: int = Field(default=0, ge=0)
    failing: tuple[str, ...] = ()
    vector: str = ""

    def __str__(self) -> str:
        errors = f", {self.errors} errors" if self.errors else ""
        return f"{self.passed} of {self.collected} tests passed, {self.failed} failed{errors}"


def outcome_of(report: TestReport, selection: Sequence[str] = ()) -> TestOutcome:
    """The outcome that a report shows."""
    ended = sorted((case.id, case.outcome) for case in report.cases)
    vector = repr((report.collected, ended, sorted(error.test_id for error in report.errors)))
    return TestOutcome(
        selection=tuple(selection),
        collected=report.collected,
        passed=report.count(Outcome.PASSED),
        failed=sum(case.outcome in BAD for case in report.cases),
        errors=len(report.errors),
        failing=tuple(case.id for case in report.cases if case.outcome in BAD)[:MOST_IDS],
        vector=hashlib.sha256(vector.encode(errors="replace")).hexdigest(),
    )
