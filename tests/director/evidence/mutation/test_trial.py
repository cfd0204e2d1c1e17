"""What a run of tests says of a mutant."""

from typing import Any

import pytest

from director.evidence.mutation.trial import Fate, fate
from domain.command import Verdict
from domain.evidence import Failure, FailureKind, TestReport


def report(verdict: Verdict = Verdict.OK, finished: bool = True, errors: Any = (), **cases: str) -> TestReport:
    """A run with these tests and outcomes."""
    found = [{"id": name, "outcome": outcome} for name, outcome in cases.items()]
    return TestReport.model_validate(
        {"verdict": verdict, "finished": finished, "collected": len(found), "cases": found, "errors": errors}
    )


def broken(kind: FailureKind) -> tuple[Failure, ...]:
    return (Failure(kind=kind),)


USUAL = report(a="passed", b="passed", c="skipped")
FATES = {
    "all as usual": (report(a="passed", b="passed"), "go", Fate.SURVIVED),
    "one fails": (report(a="passed", b="failed"), "go", Fate.KILLED),
    "one errs": (report(a="passed", b="error"), "go", Fate.KILLED),
    "one is skipped": (report(a="passed", b="skipped"), "go", Fate.KILLED),
    "stops early": (report(a="failed"), "python", Fate.KILLED),
    "did not end": (report(finished=False, a="passed", b="passed"), "go", Fate.KILLED),
    "too slow": (report(Verdict.TIMEOUT, finished=False), "go", Fate.TIMED_OUT),
    "out of memory": (report(Verdict.OOM, a="passed", b="passed"), "go", Fate.KILLED),
    "does not compile": (report(errors=broken(FailureKind.SYNTAX)), "go", Fate.VOID),
    "does not import": (report(errors=broken(FailureKind.IMPORT)), "typescript", Fate.VOID),
    "does not import in Python": (report(errors=broken(FailureKind.IMPORT)), "python", Fate.KILLED),
    "raises while it is loaded": (report(errors=broken(FailureKind.EXCEPTION)), "typescript", Fate.KILLED),
    "breaks one file and fails in another": (report(errors=broken(FailureKind.SYNTAX), a="failed"), "go", Fate.KILLED),
}


@pytest.mark.parametrize(("seen", "language", "expected"), FATES.values(), ids=FATES)
def test_a_mutant_is_killed_by_any_difference_that_a_test_shows(
    seen: TestReport, language: str, expected: Fate
) -> None:
    assert fate(seen, USUAL, language) is expected
