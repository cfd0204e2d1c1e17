"""What test reports say about the work."""

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from director.evidence.judgement import Controls, fails_properly, first_failure, judge, take_out
from domain.command import Verdict
from domain.evidence import Coverage, Failure, FailureKind, Outcome, TestCase, TestReport

CONTROLS = Controls(path="test_c.py", must_pass="test_good", must_fail="test_bad")
HELD = (TestCase(id="test_c.py::test_good", outcome="passed"), TestCase(id="test_c.py::test_bad", outcome="failed"))
TESTS = {"tests/test_a.py"}
KINDS = {"p": Outcome.PASSED, "f": Outcome.FAILED, "e": Outcome.ERROR, "s": Outcome.SKIPPED}


def report(cases: str = "", **fields: Any) -> TestReport:
    """A finished run, from cases such as ``a1:p b1:f``: test 1 of tests/test_a.py passed, 1 of test_b.py failed."""
    found = []
    for case in cases.split():
        name, kind = case.split(":")
        found.append(TestCase(id=f"tests/test_{name[0]}.py::test_{name[1:]}", outcome=KINDS[kind], message="assert 0"))
    verdict = Verdict.FAILED if any(case.outcome in {"failed", "error"} for case in found) else Verdict.OK
    usual = {"verdict": verdict, "collected": len(found), "cases": tuple(found), "finished": True}
    return TestReport.model_validate(usual | fields)


def error(test_id: str, kind: FailureKind = FailureKind.IMPORT) -> Failure:
    return Failure(kind=kind, test_id=test_id, message="broken")


JUDGED: dict[str, tuple[TestReport, TestReport | None, FailureKind | None]] = {
    "all pass": (report("a1:p a2:p b1:p"), None, None),
    "one fails": (report("a1:p a2:f"), None, FailureKind.ASSERTION),
    "one errs": (report("a1:p a2:e"), None, FailureKind.ASSERTION),
    "other test fails newly": (report("a1:p b1:f"), report("a1:f b1:p"), FailureKind.ASSERTION),
    "other test fails without a before": (report("a1:p b1:f"), None, FailureKind.ASSERTION),
    "other test fails as before": (report("a1:p b1:f"), report("a1:f b1:f"), None),
    "other test errs as before": (report("a1:p b1:e"), report("a1:f b1:e"), None),
    "protected test fails as before": (report("a1:f"), report("a1:f"), FailureKind.ASSERTION),
    "other test is gone": (report("a1:p"), report("a1:f b1:p"), None),
    "protected test is gone": (report("a1:p"), report("a1:f a2:f"), FailureKind.NO_TESTS),
    "protected test is skipped": (report("a1:p a2:s"), report("a1:f a2:f"), FailureKind.NO_TESTS),
    "protected test is skipped as before": (report("a1:p a2:s"), report("a1:f a2:s"), None),
    "protected tests are all skipped": (report("a1:s b1:p"), None, FailureKind.NO_TESTS),
    "protected file ran nothing": (report("b1:p"), None, FailureKind.NO_TESTS),
    "more tests than before": (report("a1:p a2:p"), report("a1:f"), None),
    "nothing ran": (report(), None, FailureKind.NO_TESTS),
    "only skipped": (report("b1:s"), None, FailureKind.NO_TESTS),
    "too few reported": (report("a1:p", collected=2), None, FailureKind.INCOMPLETE),
    "did not finish": (report("a1:p", finished=False), None, FailureKind.INCOMPLETE),
    "did not finish, as before": (
        report("a1:p", finished=False, errors=(error("", FailureKind.INCOMPLETE),)),
        report("a1:p", finished=False, errors=(error("", FailureKind.INCOMPLETE),)),
        FailureKind.INCOMPLETE,
    ),
    "timeout": (report("a1:p", verdict=Verdict.TIMEOUT), None, FailureKind.TIMEOUT),
    "out of memory": (report("a1:p", verdict=Verdict.OOM), None, FailureKind.OOM),
    "killed": (report("a1:p", verdict=Verdict.KILLED), None, FailureKind.INCOMPLETE),
    "wrote too much": (report("a1:p", verdict=Verdict.OUTPUT_LIMIT), None, FailureKind.INCOMPLETE),
    "protected file does not import": (report("b1:p", errors=(error("tests/test_a.py"),)), None, FailureKind.IMPORT),
    "protected file does not import, as before": (
        report("b1:p", errors=(error("tests/test_a.py"),)),
        report(errors=(error("tests/test_a.py"),)),
        FailureKind.IMPORT,
    ),
    "protected class does not collect, as before": (
        report("a1:p", errors=(error("tests/test_a.py::TestX"),)),
        report("a1:f", errors=(error("tests/test_a.py::TestX"),)),
        FailureKind.IMPORT,
    ),
    "other file does not import newly": (report("a1:p", errors=(error("tests/test_b.py"),)), None, FailureKind.IMPORT),
    "other file does not import as before": (
        report("a1:p", errors=(error("tests/test_b.py"),)),
        report("a1:f", errors=(error("tests/test_b.py"),)),
        None,
    ),
}


@pytest.mark.parametrize(("after", "before", "kind"), JUDGED.values(), ids=JUDGED)
def test_the_finished_tree_is_judged_by_its_tests(
    after: TestReport, before: TestReport | None, kind: FailureKind | None
) -> None:
    judgement = judge(after, before, TESTS, controls_held=True)
    assert judgement.passed is (kind is None)
    assert (judgement.failure and judgement.failure.kind) == kind


def test_a_run_that_does_not_honour_its_controls_is_tampering() -> None:
    judgement = judge(report("a1:p"), None, TESTS, controls_held=False)
    assert not judgement.passed
    assert judgement.failure is not None
    assert judgement.failure.kind is FailureKind.TAMPERING


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        (report("a1:f"), FailureKind.ASSERTION),
        (report(errors=(error("tests/test_a.py"),)), FailureKind.IMPORT),
        (report("a1:p", finished=False), FailureKind.INCOMPLETE),
        (report("a1:p", verdict=Verdict.TIMEOUT, finished=False), FailureKind.TIMEOUT),
    ],
)
def test_a_failure_that_was_seen_is_told_before_missing_controls_are(after: TestReport, kind: FailureKind) -> None:
    # With ``-x`` in the project's configuration the first failure ends the run, and the controls never start.
    judgement = judge(after, None, TESTS, controls_held=False)
    assert not judgement.passed
    assert judgement.failure is not None
    assert judgement.failure.kind is kind


def test_support_files_among_the_protected_ones_need_no_test_of_their_own() -> None:
    tests = {*TESTS, "tests/__init__.py", "tests/conftest.py", "tests/data.json", "tests/builders.py"}
    assert judge(report("a1:p"), report("a1:f"), tests, controls_held=True).passed


CASES = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 3), st.sampled_from("pfes")), unique_by=lambda c: c[:2]
)
REPORTS = st.builds(
    lambda cases, fields: report(" ".join(f"{name}{at}:{kind}" for name, at, kind in cases), **fields),
    CASES,
    st.fixed_dictionaries(
        {},
        optional={
            "finished": st.booleans(),
            "collected": st.integers(0, 10),
            "verdict": st.sampled_from(Verdict),
            "errors": st.sampled_from([(), (error("tests/test_a.py"),), (error("tests/test_b.py"),)]),
        },
    ),
)


@given(REPORTS, st.none() | REPORTS, st.booleans())
def test_no_run_passes_in_which_a_protected_test_failed_or_that_did_not_end(
    after: TestReport, before: TestReport | None, held: bool
) -> None:
    judgement = judge(after, before, TESTS, held)
    assert judgement.passed is (judgement.failure is None)
    if judgement.passed:
        ours = [case.outcome for case in after.cases if case.id.startswith("tests/test_a.py")]
        assert held
        assert Outcome.PASSED in ours
        assert not {Outcome.FAILED, Outcome.ERROR} & set(ours)
        assert after.finished
        assert after.verdict in {Verdict.OK, Verdict.FAILED}
        assert "tests/test_a.py" not in {failure.test_id for failure in after.errors}


@given(st.lists(st.sampled_from("ab"), max_size=5), st.lists(st.sampled_from("ps"), max_size=5))
def test_a_clean_report_passes_whatever_else_ran(names: list[str], kinds: list[str]) -> None:
    others = [f"{name}{at}:{kind}" for at, (name, kind) in enumerate(zip(names, kinds, strict=False))]
    after = report(" ".join(["a99:p", *others]))
    assert judge(after, None, TESTS, controls_held=True).passed
    assert first_failure(after) is None


@given(REPORTS)
def test_taking_the_controls_out_leaves_the_rest_as_it_was(rest: TestReport) -> None:
    assume(rest.verdict in {Verdict.OK, Verdict.FAILED})
    coverage = {"calc.py": Coverage(), "test_c.py": Coverage()}
    run = rest.model_copy(
        update={
            "cases": (*rest.cases, *HELD),
            "collected": rest.collected + 2,
            "verdict": Verdict.FAILED,
            "coverage": coverage,
        }
    )
    left, held = take_out(run, CONTROLS)
    assert held
    assert (left.cases, left.collected, left.errors) == (rest.cases, rest.collected, rest.errors)
    assert set(left.coverage) == {"calc.py"}
    bad = rest.errors or any(case.outcome in {"failed", "error"} for case in rest.cases)
    assert left.verdict is (Verdict.FAILED if bad or not rest.finished else Verdict.OK)


@pytest.mark.parametrize(
    "seen",
    [
        (),
        HELD[:1],
        HELD[1:],
        (HELD[0], HELD[1].model_copy(update={"outcome": Outcome.PASSED})),
        (HELD[0].model_copy(update={"outcome": Outcome.SKIPPED}), HELD[1]),
    ],
    ids=["none ran", "only the good", "only the bad", "the bad passed", "the good was skipped"],
)
def test_controls_that_did_not_end_as_they_must_are_not_held(seen: tuple[TestCase, ...]) -> None:
    run = report("a1:p").model_copy(update={"cases": (*report("a1:p").cases, *seen)})
    assert take_out(run, CONTROLS)[1] is False


PROPER: dict[str, tuple[TestReport, FailureKind | None]] = {
    "one fails": (report("a1:f"), None),
    "one of two fails": (report("a1:p a2:f"), None),
    "all pass": (report("a1:p"), FailureKind.NO_TESTS),
    "all skipped": (report("a1:s"), FailureKind.NO_TESTS),
    "only others fail": (report("a1:p b1:f"), FailureKind.NO_TESTS),
    "no test of ours": (report("b1:f"), FailureKind.NO_TESTS),
    "an error in a fixture": (report("a1:f a2:e"), FailureKind.ASSERTION),
    "import error": (report(errors=(error("tests/test_a.py"),)), FailureKind.IMPORT),
    "syntax error": (report(errors=(error("tests/test_a.py", FailureKind.SYNTAX),)), FailureKind.SYNTAX),
    "unfinished": (report("a1:f", finished=False, verdict=Verdict.TIMEOUT), FailureKind.ASSERTION),
    "others do not import": (report("a1:f", errors=(error("tests/test_b.py"),)), None),
}


@pytest.mark.parametrize(("seen", "kind"), PROPER.values(), ids=PROPER)
def test_new_tests_must_run_and_fail_on_the_stub(seen: TestReport, kind: FailureKind | None) -> None:
    failure = fails_properly(seen, ["tests/test_a.py"])
    assert (failure and failure.kind) == kind


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("assert 1 == 2", FailureKind.ASSERTION),
        ("AssertionError: no", FailureKind.ASSERTION),
        ("Failed: DID NOT RAISE", FailureKind.ASSERTION),
        ("ImportError: cannot import name 'x'", FailureKind.IMPORT),
        ("ModuleNotFoundError: No module named 'x'", FailureKind.IMPORT),
        ("SyntaxError: invalid syntax", FailureKind.SYNTAX),
        ("ZeroDivisionError: division by zero", FailureKind.EXCEPTION),
        ("", FailureKind.EXCEPTION),
    ],
)
def test_a_failed_test_tells_what_sort_of_failure_it_is(message: str, kind: FailureKind) -> None:
    case = TestCase(id="test_a.py::test_x", outcome=Outcome.FAILED, message=message, path="a.py", line=3)
    failure = first_failure(report().model_copy(update={"cases": (case,)}))
    assert failure == Failure(kind=kind, test_id=case.id, message=message, path="a.py", line=3)
