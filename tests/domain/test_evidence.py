from typing import Any

import pytest

from domain.command import Verdict
from domain.evidence import Evidence, Failure, FailureKind, Grade, Outcome, TestCase, TestReport
from domain.task import TaskResult, TaskStatus

PASSED = TestCase(id="a::one", outcome=Outcome.PASSED)
FAILED = TestCase(id="a::two", outcome=Outcome.FAILED)
SKIPPED = TestCase(id="a::three", outcome=Outcome.SKIPPED)
ERROR = TestCase(id="a::four", outcome=Outcome.ERROR)


def run(*cases: TestCase, **changes: Any) -> TestReport:
    whole = {"verdict": Verdict.OK, "collected": len(cases), "cases": cases, "finished": True}
    return TestReport.model_validate(whole | changes)


def seen(report: TestReport, passed: bool) -> Evidence:
    return Evidence(kind="tests", tree="t", isolation="fake", report=report, passed=passed)


def test_a_run_passes_when_all_that_it_announced_reported_and_none_failed() -> None:
    assert run(PASSED).passed
    assert run(PASSED, SKIPPED).passed


@pytest.mark.parametrize(
    "report",
    [
        run(PASSED, verdict=Verdict.FAILED),
        run(PASSED, verdict=Verdict.TIMEOUT),
        run(PASSED, finished=False),
        run(PASSED, collected=2),
        run(PASSED, FAILED),
        run(PASSED, ERROR),
        run(PASSED, errors=(Failure(kind=FailureKind.IMPORT),)),
        run(SKIPPED),
        run(),
        run(PASSED, collected=0),
    ],
    ids=["failed", "timeout", "unfinished", "fewer", "failure", "error", "import", "skipped", "none", "unannounced"],
)
def test_one_defect_is_enough_and_the_run_does_not_pass(report: TestReport) -> None:
    assert not report.passed


def test_outcomes_are_counted_each_by_itself() -> None:
    report = run(PASSED, PASSED, FAILED, SKIPPED, ERROR)

    assert {outcome: report.count(outcome) for outcome in Outcome} == {
        "passed": 2,
        "failed": 1,
        "skipped": 1,
        "error": 1,
    }


def test_trees_are_ordered_by_passing_then_by_tests_that_pass_then_by_fewer_failures() -> None:
    worst_first = [
        seen(run(FAILED, ERROR, errors=(Failure(kind=FailureKind.SYNTAX),)), passed=False),
        seen(run(FAILED, ERROR), passed=False),
        seen(run(FAILED), passed=False),
        seen(run(PASSED, FAILED, FAILED), passed=False),
        seen(run(PASSED, FAILED), passed=False),
        seen(run(PASSED, PASSED, FAILED), passed=False),
        seen(run(PASSED), passed=True),
        seen(run(PASSED, PASSED), passed=True),
    ]

    scores = [evidence.score for evidence in worst_first]
    assert scores == sorted(set(scores))


@pytest.mark.parametrize("status", TaskStatus)
@pytest.mark.parametrize("grade", Grade)
def test_a_task_is_solved_only_with_evidence_from_a_clean_room(status: TaskStatus, grade: Grade) -> None:
    result = TaskResult(task_id="t", status=status, grade=grade, reason="", commit="c")

    assert result.solved == (status == "solved" and grade in {"proven", "checked"})


BEFORE = ("t.py::a", "t.py::b", "t.py::c")
TREES = {
    "worse: nothing runs": {},
    "worse: two of its own pass": {"own.py::x": "passed", "own.py::y": "passed", **dict.fromkeys(BEFORE, "failed")},
    "worse: all skipped": dict.fromkeys(BEFORE, "skipped"),
    "worse: one passes, the others are gone": {"t.py::a": "passed"},
    "worse: one passes, the others are skipped": {"t.py::a": "passed", "t.py::b": "skipped", "t.py::c": "skipped"},
}


@pytest.mark.parametrize("name", TREES)
def test_a_tree_is_not_better_for_tests_that_are_gone_or_its_own(name: str) -> None:
    honest = evidence_of({"t.py::a": "passed", "t.py::b": "failed", "t.py::c": "failed"})
    assert evidence_of(TREES[name]).score <= honest.score
    assert honest.score < evidence_of({"t.py::a": "passed", "t.py::b": "passed", "t.py::c": "failed"}).score


def test_a_tampered_run_is_worse_than_an_honest_one_however_many_pass() -> None:
    forged = evidence_of(dict.fromkeys(BEFORE, "passed"), errors=(Failure(kind=FailureKind.TAMPERING),))
    assert forged.score < evidence_of(dict.fromkeys(BEFORE, "failed")).score


def evidence_of(outcomes: dict[str, str], errors: tuple[Failure, ...] = ()) -> Evidence:
    """Evidence of a run with these outcomes, of which the tests in ``t.py`` are protected."""
    cases = tuple(TestCase(id=name, outcome=Outcome(outcome)) for name, outcome in outcomes.items())
    report = TestReport(verdict=Verdict.FAILED, collected=len(cases), cases=cases, finished=True, errors=errors)
    return Evidence(
        kind="pytest", tree="t", isolation="none", report=report, passed=False, protected_paths=("t.py",), due=3
    )
