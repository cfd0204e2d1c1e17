"""How a run of tests is measured."""

from hypothesis import given
from hypothesis import strategies as st

from domain.command import Verdict
from domain.evidence import Failure, FailureKind, Outcome, TestCase, TestReport
from domain.test_outcome import MOST_IDS, outcome_of

CASES = st.dictionaries(st.text(max_size=5), st.sampled_from(Outcome), max_size=8)


def report(cases: dict[str, Outcome], errors: tuple[str, ...] = ()) -> TestReport:
    return TestReport(
        verdict=Verdict.OK,
        collected=len(cases),
        cases=tuple(TestCase(id=name, outcome=outcome) for name, outcome in cases.items()),
        errors=tuple(Failure(kind=FailureKind.IMPORT, test_id=name) for name in errors),
        finished=True,
    )


@given(CASES, CASES)
def test_two_runs_have_one_vector_where_the_same_tests_ended_in_the_same_way_in_any_order(
    first: dict[str, Outcome], second: dict[str, Outcome]
) -> None:
    backwards = dict(reversed(first.items()))
    assert outcome_of(report(first)).vector == outcome_of(report(backwards)).vector
    assert (outcome_of(report(first)).vector == outcome_of(report(second)).vector) == (first == second)


@given(CASES)
def test_every_test_is_counted_once(cases: dict[str, Outcome]) -> None:
    outcome = outcome_of(report(cases), ("a.py",))
    bad = {name for name, ended in cases.items() if ended in {Outcome.FAILED, Outcome.ERROR}}
    assert set(outcome.failing) == bad
    assert (outcome.collected, outcome.failed, outcome.selection) == (len(cases), len(bad), ("a.py",))
    assert outcome.passed == list(cases.values()).count(Outcome.PASSED)


def test_an_error_outside_of_any_test_is_another_vector_and_of_many_failures_the_first_are_named() -> None:
    good, broken = outcome_of(report({})), outcome_of(report({}, ("a.py",)))
    assert good.vector != broken.vector
    assert broken.errors == 1
    many = outcome_of(report({f"t{at}": Outcome.FAILED for at in range(MOST_IDS + 5)}))
    assert (many.failed, len(many.failing)) == (MOST_IDS + 5, MOST_IDS)
    assert str(broken) == "0 of 0 tests passed, 0 failed, 1 errors"
