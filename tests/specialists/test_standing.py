"""Which snapshot is the best one, by a specialist's own tests."""

from hypothesis import given
from hypothesis import strategies as st

from domain.test_outcome import TestOutcome
from specialists.standing import HandsOver, Snapshot, Standing

START = Snapshot("c0", "t0")
COUNTS = st.tuples(st.integers(0, 3), st.integers(0, 3))


def at(number: int) -> Snapshot:
    return Snapshot(f"c{number}", f"t{number}")


def ran(passed: int, failed: int = 0, selection: tuple[str, ...] = (), errors: int = 0) -> TestOutcome:
    return TestOutcome(
        selection=selection, collected=passed + failed, passed=passed, failed=failed, errors=errors,
        vector=f"{passed} {failed}",
    )  # fmt: skip


def standing(*steps: tuple[int, TestOutcome | None], hands_over: HandsOver = HandsOver.CODE) -> Standing:
    made = Standing(START, hands_over)
    for number, outcome in steps:
        made.see(at(number), outcome)
    return made


def best(*steps: tuple[int, TestOutcome | None], hands_over: HandsOver = HandsOver.CODE) -> str:
    found = standing(*steps, hands_over=hands_over).best
    return found.at.commit if found else ""


def test_more_passed_then_fewer_failed_then_newer_is_better() -> None:
    assert best((1, ran(2, 9)), (2, ran(1, 0))) == "c1"
    assert best((1, ran(2, 2)), (2, ran(2, 1)), (3, ran(2, 3))) == "c2"
    assert best((1, ran(2, 1)), (2, ran(2, 1))) == "c2"
    assert best((1, ran(2)), (2, ran(2, errors=1))) == "c1"
    assert best((1, None)) == ""


def test_of_new_tests_those_are_better_of_which_more_can_run_though_they_fail() -> None:
    assert best((1, ran(3)), (2, ran(0, 5)), hands_over=HandsOver.TESTS) == "c2"
    assert best((1, ran(0, 5)), (2, ran(0, 5, errors=1)), hands_over=HandsOver.TESTS) == "c1"


def test_where_findings_are_handed_over_no_tree_is_better() -> None:
    assert best((1, ran(3)), (2, ran(0, 5)), hands_over=HandsOver.FINDINGS) == ""


def test_only_the_same_tests_are_compared_and_those_that_were_not_run_are_named() -> None:
    made = standing((1, ran(5)), (2, ran(1, 0, ("a.py",))))
    assert (made.worse, made.unknown) == (None, ())
    made.see(at(2), ran(4, 1))
    assert made.worse == ran(4, 1)
    assert made.unknown is None
    made.see(at(1))
    assert made.to_hand_over is None


def test_files_that_no_test_saw_are_handed_over_unless_the_tests_had_shown_a_gain_before() -> None:
    assert standing((1, None)).to_hand_over is None
    assert standing((0, ran(0, 5)), (1, None)).to_hand_over is None
    gained = standing((0, ran(0, 5)), (1, ran(4, 1)), (2, None)).to_hand_over
    assert gained is not None
    assert gained.at == at(1)
    assert standing((0, ran(0, 5)), (1, ran(4, 1)), (2, None), (1, None)).to_hand_over is None


@given(st.lists(st.tuples(st.integers(0, 4), st.none() | COUNTS), max_size=12))
def test_what_is_handed_over_is_never_worse_than_any_snapshot_that_was_tried(
    steps: list[tuple[int, tuple[int, int] | None]],
) -> None:
    # Each tree has one result, as the same tests on the same files do.
    results: dict[int, tuple[int, int]] = {}
    tried = [(number, None if found is None else results.setdefault(number, found)) for number, found in steps]
    made = standing(*((number, None if found is None else ran(*found)) for number, found in tried))
    if made.unknown is not None and (number := int(made.now.commit[1:])) in results:
        made.see(at(number), ran(*results[number]))
    chosen = made.to_hand_over
    commit = chosen.at.commit if chosen else made.now.commit
    ranks = {f"c{number}": (passed, -failed) for number, (passed, failed) in results.items()}
    if commit in ranks:
        assert ranks[commit] == max(ranks.values())
