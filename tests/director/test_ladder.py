"""What is tried when work does not pass, and how often side by side."""

from hypothesis import given
from hypothesis import strategies as st

from director.ladder import Ladder, Rung
from director.sampling import UNCAPPED, candidates
from domain.money import NanoUsd


def test_the_rungs_are_climbed_in_order_and_candidates_are_left_at_the_end() -> None:
    ladder = Ladder()
    climbed = [ladder.climb(no_progress=False) for _ in range(5)]
    assert climbed == [Rung.FEEDBACK, Rung.CANDIDATES, Rung.REPLAN, Rung.CANDIDATES, Rung.CANDIDATES]


def test_the_same_is_not_told_again_where_nothing_changed() -> None:
    assert Ladder().climb(no_progress=True) is Rung.CANDIDATES


def test_a_free_model_gives_all_the_candidates_that_are_allowed() -> None:
    assert candidates(4, NanoUsd(0), NanoUsd(1)) == 4


def test_without_a_budget_a_priced_model_gives_a_few() -> None:
    assert candidates(8, NanoUsd(10), None) == UNCAPPED


@given(st.integers(1, 32), st.integers(1, 10**12), st.integers(0, 10**12))
def test_candidates_take_at_most_half_of_what_is_left_or_else_there_is_one(most: int, cost: int, left: int) -> None:
    number = candidates(most, NanoUsd(cost), NanoUsd(left))
    assert 1 <= number <= most
    assert number == 1 or 2 * number * cost <= left
