"""Noticing that a specialist makes no progress."""

from hypothesis import given
from hypothesis import strategies as st

from domain.test_outcome import TestOutcome
from mcp_server.client import Observation
from specialists.stuck import Circle, Seen, Stuck, StuckDetector, StuckLimits

LIMITS = StuckLimits(same_result=4, same_error=3, alternating=6, idle_steps=5, readings=3)
NAMES = st.sampled_from(["a", "b", "c"])


def seen(
    call: str, text: str = "text", tree: str = "t0", ok: bool = True, vector: str | None = None, reads: bool = False
) -> Seen:
    tests = None if vector is None else TestOutcome(vector=vector)
    return Seen(call, Observation(text=text, ok=ok, commit="c", tree=tree, tests=tests, read_only=reads))


def play(*steps: Seen, limits: StuckLimits = LIMITS) -> list[Circle | None]:
    detector = StuckDetector(limits, "t0")
    found = [detector.see([step]) for step in steps]
    return [None if stuck is None else stuck.circle for stuck in found]


def test_the_same_call_that_shows_the_same_on_the_same_files_is_stuck_at_the_fourth_time_and_each_time_after() -> None:
    assert play(*[seen("ls")] * 5) == [None, None, None, Circle.SAME_RESULT, Circle.SAME_RESULT]


def test_the_same_call_that_fails_in_the_same_way_is_stuck_at_the_third_time() -> None:
    assert play(*[seen("ls", ok=False)] * 4) == [None, None, Circle.SAME_ERROR, Circle.SAME_ERROR]


def test_it_is_no_circle_where_the_call_or_what_it_shows_or_the_files_are_others() -> None:
    wide = LIMITS.model_copy(update={"idle_steps": 50})
    assert set(play(*(seen(f"ls {at}") for at in range(12)), limits=wide)) == {None}
    assert set(play(*(seen("ls", text=f"{at}") for at in range(12)), limits=wide)) == {None}
    assert set(play(*(seen("ls", tree=f"t{at}") for at in range(12)), limits=wide)) == {None}


def test_a_repetition_is_found_also_where_other_calls_are_in_between() -> None:
    steps = [seen("ls"), seen("a"), seen("ls"), seen("b"), seen("ls"), seen("c"), seen("ls")]
    assert play(*steps, limits=LIMITS.model_copy(update={"idle_steps": 50}))[-1] is Circle.SAME_RESULT


def test_one_reply_that_makes_the_same_call_many_times_counts_once() -> None:
    detector = StuckDetector(LIMITS, "t0")
    assert detector.see([seen("ls")] * 10) is None


def test_going_to_and_fro_for_six_steps_is_stuck_also_where_files_and_answers_go_to_and_fro_as_well() -> None:
    there, back = seen("edit 1", tree="t1"), seen("edit 2", tree="t2")
    wide = LIMITS.model_copy(update={"idle_steps": 50, "same_result": 50})
    assert play(*[there, back] * 4, limits=wide) == [None] * 5 + [Circle.ALTERNATING] * 3
    other = [seen("x", text=f"{at}") if at % 2 else seen("y", text=f"{at}") for at in range(7)]
    assert play(*other, limits=wide) == [None] * 5 + [Circle.ALTERNATING] * 2
    assert play(*[there, back, there, back, there, seen("ls", tree="t2")], limits=wide)[-1] is None


def test_steps_that_change_neither_files_nor_results_are_stuck_and_are_told_again_after_as_many() -> None:
    found = play(*(seen(f"echo {at}", text=f"{at}") for at in range(11)))
    assert [at for at, circle in enumerate(found, 1) if circle is Circle.IDLE] == [5, 10]


def test_changed_files_and_changed_results_are_progress_and_a_state_that_was_there_before_is_none() -> None:
    idle = [seen(f"echo {at}", text=f"{at}") for at in range(20)]
    assert play(*idle[:4], seen("write", tree="t1"), *(one for one in idle[5:9]))[-1] is None
    assert play(*idle[:4], seen("run_tests", vector="v1"), *idle[5:9])[-1] is None
    assert play(*idle[:4], seen("run_tests", vector=""), *idle[5:9])[4] is Circle.IDLE
    assert play(*idle[:4], seen("undo", tree="t0"))[4] is Circle.IDLE


def test_looking_at_something_new_is_progress_up_to_a_bound() -> None:
    looks = [seen(f"read_file {at}", text=f"{at}", reads=True) for at in range(20)]
    assert play(*looks).index(Circle.IDLE) + 1 == LIMITS.readings + LIMITS.idle_steps
    again = [seen("read_file a", text=f"{at}", reads=True) for at in range(20)]
    assert play(*again, limits=LIMITS.model_copy(update={"readings": 50})).index(Circle.IDLE) + 1 == 6
    failed = [seen(f"read_file {at}", text=f"{at}", reads=True, ok=False) for at in range(20)]
    assert play(*failed).index(Circle.IDLE) + 1 == LIMITS.idle_steps


def test_files_that_were_put_back_forgive_what_was_repeated_and_make_nothing_new_of_what_was_there() -> None:
    detector = StuckDetector(LIMITS, "t0")
    step = [seen("write", tree="t1")]
    assert [detector.see(step) for _ in range(4)][-1] == Stuck(Circle.SAME_RESULT, 4, ("write",))
    detector.start_again()
    assert detector.see(step) is None
    assert not detector.progressed


@given(st.lists(st.tuples(NAMES, NAMES, NAMES), max_size=40))
def test_whoever_changes_the_files_at_every_step_is_never_stuck(steps: list[tuple[str, str, str]]) -> None:
    made = [seen(call, text, f"{tree}{at}", vector=text) for at, (call, text, tree) in enumerate(steps)]
    assert set(play(*made)) <= {None}


@given(st.lists(st.tuples(NAMES, NAMES, st.booleans()), min_size=100, max_size=120))
def test_whoever_never_changes_anything_is_stuck_before_long(steps: list[tuple[str, str, bool]]) -> None:
    found = play(*(seen(call, text, reads=reads) for call, text, reads in steps))
    assert any(found[: LIMITS.readings + LIMITS.idle_steps + 1])
