"""What test reports say about the work. Pure: reports in, verdict out."""

from collections.abc import Collection

from director.evidence.test_paths import holds_tests
from domain.base import Value
from domain.command import Verdict
from domain.evidence import Failure, FailureKind, Outcome, TestCase, TestReport
from sandbox.languages import language

BAD = frozenset({Outcome.FAILED, Outcome.ERROR})
ENDLESS = frozenset({Verdict.TIMEOUT, Verdict.OOM})
RUNNING_OVER = {
    Verdict.TIMEOUT: FailureKind.TIMEOUT,
    Verdict.OOM: FailureKind.OOM,
    Verdict.KILLED: FailureKind.INCOMPLETE,
    Verdict.OUTPUT_LIMIT: FailureKind.INCOMPLETE,
    Verdict.INFRASTRUCTURE: FailureKind.INFRASTRUCTURE,
}


class Controls(Value):
    """Two tests of ours that ran among the others: one must pass and one must fail."""

    path: str
    must_pass: str
    must_fail: str
    language: str = "python"

    @classmethod
    def named(cls, token: str, name: str = "python") -> "Controls":
        """The controls of a language under names with ``token`` in them, a random word of lower-case hex."""
        template = language(name).control
        path, good, bad = (text.format(token=token) for text in (template.path, template.passing, template.failing))
        return cls(path=path, must_pass=good, must_fail=bad, language=name)

    def source(self) -> bytes:
        """The test file."""
        return language(self.language).control.write(self.path, self.must_pass, self.must_fail)


class Judgement(Value):
    """Whether the run speaks for the work, and the first thing that does not."""

    passed: bool
    failure: Failure | None = None


def take_out(report: TestReport, controls: Controls) -> tuple[TestReport, bool]:
    """The report as if the controls had not been there, and whether both ended as they must."""
    ours = {
        f"{controls.path}::{controls.must_pass}": Outcome.PASSED,
        f"{controls.path}::{controls.must_fail}": Outcome.FAILED,
    }
    seen = {case.id: case.outcome for case in report.cases if case.id in ours}
    rest = tuple(case for case in report.cases if case.id not in ours)
    only_ours_failed = not report.errors and not any(case.outcome in BAD for case in rest)
    verdict = report.verdict
    if verdict is Verdict.FAILED and report.finished and only_ours_failed:
        verdict = Verdict.OK
    coverage = {path: lines for path, lines in report.coverage.items() if path != controls.path}
    trimmed = report.model_copy(
        update={
            "cases": rest,
            "collected": max(0, report.collected - len(seen)),
            "verdict": verdict,
            "coverage": coverage,
        }
    )
    return trimmed, seen == ours


def first_failure(report: TestReport) -> Failure | None:
    """The first thing that went wrong in a run, or None."""
    if report.errors:
        return report.errors[0]
    for case in report.cases:
        if case.outcome in BAD:
            return _failure(case)
    if report.verdict in RUNNING_OVER:
        return Failure(kind=RUNNING_OVER[report.verdict], message=f"the test run ended as {report.verdict}")
    if not report.finished or len(report.cases) < report.collected:
        message = f"{report.collected} tests were collected, and {len(report.cases)} reported a result"
        return Failure(kind=FailureKind.INCOMPLETE, message=message)
    if not report.count(Outcome.PASSED):
        return Failure(kind=FailureKind.NO_TESTS, message=f"no test ran and passed\n{report.output[-1000:]}")
    return None


def _failure(case: TestCase) -> Failure:
    head = case.message.lstrip().split("\n", 1)[0]
    kind = FailureKind(case.kind) if case.kind else _kind_of(head)
    return Failure(kind=kind, test_id=case.id, message=case.message, path=case.path, line=case.line)


def _kind_of(head: str) -> FailureKind:
    """What a message's first line says, for a report that does not name the kind."""
    if head.startswith(("assert", "AssertionError", "E       assert", "Failed:")):
        return FailureKind.ASSERTION
    if "ImportError" in head or "ModuleNotFoundError" in head:
        return FailureKind.IMPORT
    return FailureKind.SYNTAX if "SyntaxError" in head else FailureKind.EXCEPTION


def in_files(test_id: str, paths: Collection[str]) -> bool:
    """Whether a test stands in one of the files."""
    return test_id.split("::", 1)[0] in paths


def fails_properly(report: TestReport, paths: Collection[str]) -> Failure | None:
    """None when tests in ``paths`` ran and at least one failed, as tests of code that is not there yet must.

    Otherwise what is wrong with them: errors of collection, import and syntax do not count as failing, and neither
    does a run that did not end.
    """
    if broken_files := [error for error in report.errors if in_files(error.test_id, paths)]:
        return broken_files[0]
    cases = [case for case in report.cases if in_files(case.id, paths)]
    if not cases:
        message = "no test was found in the new test files; write functions called test_* in files called test_*.py"
        return Failure(kind=FailureKind.NO_TESTS, message=message)
    if not report.finished:
        return first_failure(report)
    broken = [case for case in cases if case.outcome is Outcome.ERROR]
    if broken:
        return _failure(broken[0])
    failed = [case for case in cases if case.outcome is Outcome.FAILED]
    if failed and all(case.kind in {FailureKind.IMPORT, FailureKind.SYNTAX} for case in failed):
        return _failure(failed[0])
    if not failed:
        message = "the tests pass although the code is not written yet, so they test nothing; assert exact results"
        return Failure(kind=FailureKind.NO_TESTS, test_id=cases[0].id, message=message)
    return None


def passes_properly(report: TestReport, paths: Collection[str]) -> Failure | None:
    """None when tests in ``paths`` ran and passed, all of them, as tests of code that is there must; else why not."""
    if broken_files := [error for error in report.errors if in_files(error.test_id, paths)]:
        return broken_files[0]
    cases = [case for case in report.cases if in_files(case.id, paths)]
    if bad := [case for case in cases if case.outcome in BAD]:
        return _failure(bad[0])
    if not report.finished:
        return first_failure(report)
    if not any(case.outcome is Outcome.PASSED for case in cases):
        return Failure(kind=FailureKind.NO_TESTS, message="no test in the new test files ran and passed")
    return None


def no_longer_passing(after: TestReport, before: TestReport) -> Failure | None:
    """The failure of work after which a test that passed before does not pass any more, or is gone."""
    passed = {case.id for case in after.cases if case.outcome is Outcome.PASSED}
    lost = sorted(case.id for case in before.cases if case.outcome is Outcome.PASSED and case.id not in passed)
    if not lost:
        return None
    message = f"{len(lost)} tests that passed before the work did not pass after it, or are gone"
    return Failure(kind=FailureKind.RULE, test_id=lost[0], message=message)


def judge(
    after: TestReport, before: TestReport | None, tests: Collection[str], controls_held: bool | None
) -> Judgement:
    """Whether a run on the finished tree speaks for it.

    ``tests`` are the protected files: all of their tests must run and pass, no fewer than ``before``. Of the other
    tests, those may fail that already failed before. A run that did not honour its controls never passes.
    """
    failure = first_failure(_without_old_failures(after, before, tests)) or _missing(after, before, tests)
    if left_out := [test_id for test_id in after.deselected if in_files(test_id, tests)]:
        message = f"{len(left_out)} protected tests were found and then left out: something steers which tests run"
        failure = failure or Failure(kind=FailureKind.TAMPERING, test_id=left_out[0], message=message)
    if failure is None and controls_held is False:
        message = "the run did not honour its controls: something steers which tests run or how they are reported"
        failure = Failure(kind=FailureKind.TAMPERING, message=message)
    return Judgement(passed=failure is None, failure=failure)


def _without_old_failures(after: TestReport, before: TestReport | None, tests: Collection[str]) -> TestReport:
    if before is None:
        return after
    failed = {case.id for case in before.cases if case.outcome in BAD and not in_files(case.id, tests)}
    broken = {error.test_id for error in before.errors if not in_files(error.test_id, tests)}
    old = [case for case in after.cases if case.outcome in BAD and case.id in failed]
    errors = tuple(error for error in after.errors if error.test_id not in broken)
    cases = tuple(case for case in after.cases if case not in old)
    return after.model_copy(update={"cases": cases, "collected": after.collected - len(old), "errors": errors})


def _missing(after: TestReport, before: TestReport | None, tests: Collection[str]) -> Failure | None:
    for path in sorted(tests):
        ran = [case for case in after.cases if in_files(case.id, {path}) and case.outcome is not Outcome.SKIPPED]
        if holds_tests(path) and not ran:
            return Failure(kind=FailureKind.NO_TESTS, path=path, message=f"no test of {path} ran")
    if before is not None and before.finished:
        due = {case.id for case in before.cases if in_files(case.id, tests) and case.outcome is not Outcome.SKIPPED}
        if lost := due - {case.id for case in after.cases if case.outcome is Outcome.PASSED}:
            return Failure(
                kind=FailureKind.NO_TESTS,
                test_id=sorted(lost)[0],
                message=f"{len(lost)} tests that ran before did not run, or were skipped, after the work",
            )
    return None


def fail_in(report: TestReport, paths: Collection[str]) -> bool:
    """Whether something in these files failed, or ran until the time or the memory was used up."""
    if not paths:
        return False
    broken = any(in_files(error.test_id, paths) for error in report.errors)
    bad = any(case.outcome in BAD and in_files(case.id, paths) for case in report.cases)
    return broken or bad or (not report.finished and report.verdict in ENDLESS)


def pass_in(report: TestReport, paths: Collection[str]) -> bool:
    """Whether tests in these files ran, and none went wrong."""
    broken = any(in_files(error.test_id, paths) for error in report.errors)
    cases = [case for case in report.cases if in_files(case.id, paths)]
    return not broken and bool(cases) and not any(case.outcome in BAD for case in cases)
