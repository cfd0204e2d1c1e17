"""The rules by kind of task: what is asked, and which new tests are taken on."""

import pytest

from director.evidence.judgement import no_longer_passing
from director.evidence.rules import FEWEST_MUTANTS, LEAST_KILLED, RULES, NewTests, gate
from domain.evidence import FailureKind, TestReport
from domain.task_kind import TaskKind
from tests.director.evidence.test_judgement import error, report

NEW = ["tests/test_a.py"]
FAILING = [kind for kind in RULES if RULES[kind].new_tests is NewTests.FAILING and RULES[kind].judged]
PASSING = [kind for kind in RULES if RULES[kind].new_tests is NewTests.PASSING]


def test_every_kind_has_a_rule() -> None:
    assert set(RULES) == set(TaskKind)
    assert set(PASSING) == {TaskKind.REFACTOR, TaskKind.ADD_TESTS}
    assert 0.5 < LEAST_KILLED < 1
    assert (FEWEST_MUTANTS - 1) / FEWEST_MUTANTS >= LEAST_KILLED


@pytest.mark.parametrize("kind", FAILING)
def test_tests_of_what_is_not_there_must_fail_and_not_merely_break(kind: TaskKind) -> None:
    assert gate(report("a1:f"), NEW, kind) is None
    passing = gate(report("a1:p"), NEW, kind)
    assert passing is not None
    assert passing.kind is FailureKind.NO_TESTS
    for broken in (FailureKind.IMPORT, FailureKind.SYNTAX):
        failure = gate(report(errors=(error("tests/test_a.py", broken),)), NEW, kind)
        assert failure is not None
        assert failure.kind is broken


PASSES = {
    "all pass": (report("a1:p a2:p b1:f"), None),
    "one is skipped": (report("a1:p a2:s"), None),
    "one fails": (report("a1:p a2:f"), FailureKind.ASSERTION),
    "one errs": (report("a1:p a2:e"), FailureKind.ASSERTION),
    "all are skipped": (report("a1:s"), FailureKind.NO_TESTS),
    "there are none": (report("b1:p"), FailureKind.NO_TESTS),
    "they do not import": (report(errors=(error("tests/test_a.py"),)), FailureKind.IMPORT),
    "others do not import": (report("a1:p", errors=(error("tests/test_b.py"),)), None),
    "they did not end": (report("a1:p", finished=False), FailureKind.INCOMPLETE),
}


@pytest.mark.parametrize("kind", PASSING)
@pytest.mark.parametrize(("seen", "expected"), PASSES.values(), ids=PASSES)
def test_tests_of_what_is_there_must_pass(kind: TaskKind, seen: TestReport, expected: FailureKind | None) -> None:
    failure = gate(seen, NEW, kind)
    assert (failure and failure.kind) == expected


@pytest.mark.parametrize(
    ("after", "lost"), [("a1:p b1:p", 0), ("a1:p b1:f", 1), ("a1:p", 1), ("a1:p b1:s", 1), ("", 2)]
)
def test_what_passed_before_must_pass_after(after: str, lost: int) -> None:
    failure = no_longer_passing(report(after), report("a1:p b1:p b2:f"))
    assert (failure is not None) is bool(lost)
    if failure is not None:
        assert failure.kind is FailureKind.RULE
        assert failure.message.startswith(f"{lost} tests")
