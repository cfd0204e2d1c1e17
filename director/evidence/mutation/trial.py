"""What a run of the tests says of a mutant."""

from enum import StrEnum

from director.evidence.judgement import BAD
from domain.command import Verdict
from domain.evidence import FailureKind, Outcome, TestReport

UNBUILT = frozenset({FailureKind.SYNTAX, FailureKind.IMPORT})
ENDED = frozenset({Verdict.TIMEOUT, Verdict.OOM, Verdict.KILLED, Verdict.OUTPUT_LIMIT})


class Fate(StrEnum):
    """What became of a mutant. ``void``: it could not be built, so no test had to notice it."""

    KILLED = "killed"
    TIMED_OUT = "timed_out"
    SURVIVED = "survived"
    VOID = "void"


def fate(report: TestReport, usual: TestReport, language: str) -> Fate:
    """The fate of a mutant by its run and the ``usual`` one, without a change."""
    if report.verdict is Verdict.TIMEOUT:
        return Fate.TIMED_OUT
    bad = any(case.outcome in BAD for case in report.cases)
    unbuilt = bool(report.errors) and all(error.kind in UNBUILT for error in report.errors)
    if unbuilt and not bad and language != "python":
        return Fate.VOID
    due = {case.id for case in usual.cases if case.outcome is Outcome.PASSED}
    passed = {case.id for case in report.cases if case.outcome is Outcome.PASSED}
    if bad or report.errors or not report.finished or report.verdict in ENDED or due - passed:
        return Fate.KILLED
    return Fate.SURVIVED
