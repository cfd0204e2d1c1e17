"""Noticing that a specialist goes round in circles."""

from hypothesis import given
from hypothesis import strategies as st

from specialists.stuck import NUDGE_AFTER, STOP_AFTER, Progress, StuckDetector


def test_the_same_step_with_the_same_result_is_nudged_and_then_stopped() -> None:
    detector = StuckDetector()
    seen = [detector.see("read a", "text", "c1") for _ in range(STOP_AFTER)]
    fine, nudge = [Progress.FINE] * (NUDGE_AFTER - 1), [Progress.NUDGE] * (STOP_AFTER - NUDGE_AFTER)
    assert seen == [*fine, *nudge, Progress.STUCK]


def test_going_to_and_fro_between_two_steps_is_noticed_as_well() -> None:
    detector = StuckDetector()
    seen = [detector.see(action, "text", "c1") for _ in range(STOP_AFTER) for action in ("a", "b")]
    assert seen[-1] is Progress.STUCK


@given(st.lists(st.tuples(st.text(), st.text(), st.text()), unique=True))
def test_steps_that_differ_in_anything_are_progress(steps: list[tuple[str, str, str]]) -> None:
    detector = StuckDetector()
    assert all(detector.see(*step) is Progress.FINE for step in steps)
