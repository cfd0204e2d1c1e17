import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import Breaker, BreakerPolicy
from tests.gateway.clock import Clock

POLICY = BreakerPolicy(failures=3, rest_s=5, longest_rest_s=30)


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(POLICY, clock)


def passed(breaker: Breaker) -> object:
    found = breaker.enter()
    assert found is not None
    return found


def fail(breaker: Breaker, times: int = 1) -> None:
    for _ in range(times):
        breaker.failed(passed(breaker))


def test_failures_in_a_row_open_it_and_a_success_between_them_does_not(breaker: Breaker) -> None:
    fail(breaker, 2)
    breaker.succeeded()
    fail(breaker, 2)
    before = breaker.closed
    fail(breaker)

    assert (before, breaker.closed) == (True, False)
    assert not breaker.enter()
    assert breaker.rest_s == 5


def test_after_the_rest_one_call_finds_out_and_the_others_wait(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 5

    assert breaker.enter()
    assert not breaker.enter()
    assert breaker.rest_s > 0
    breaker.succeeded()

    assert breaker.closed
    assert all(breaker.enter() for _ in range(3))


def test_a_provider_that_fails_again_at_once_rests_twice_as_long_up_to_the_longest(
    breaker: Breaker, clock: Clock
) -> None:
    fail(breaker, 3)
    rests = []
    for _ in range(5):
        rests.append(breaker.rest_s)
        clock.now += breaker.rest_s
        fail(breaker)

    assert rests == [5, 10, 20, 30, 30]
    clock.now += 30
    assert breaker.enter()
    breaker.succeeded()
    fail(breaker, 3)
    assert breaker.rest_s == 5


def test_a_call_that_finds_nothing_out_leaves_the_next_one_to_it(breaker: Breaker, clock: Clock) -> None:
    fail(breaker, 3)
    clock.now += 5
    probe = passed(breaker)

    breaker.left(probe)

    breaker.left(passed(breaker))
    assert not breaker.closed


def test_calls_that_fail_together_open_it_once(breaker: Breaker) -> None:
    together = [passed(breaker) for _ in range(16)]

    for each in together:
        breaker.failed(each)

    assert breaker.rest_s == 5


def test_what_began_before_the_rest_ends_nobody_elses_probe(breaker: Breaker, clock: Clock) -> None:
    early, late = passed(breaker), passed(breaker)
    fail(breaker, 3)
    clock.now += 5
    probe = passed(breaker)

    breaker.left(early)
    breaker.failed(late)

    assert breaker.enter() is None
    breaker.left(probe)
    assert breaker.enter() is not None


@given(st.lists(st.sampled_from(["ok", "fail", "left", "wait"]), max_size=60))
def test_whatever_happens_somebody_may_pass_after_the_longest_rest(steps: list[str]) -> None:
    clock = Clock()
    breaker = Breaker(POLICY, clock)
    for step in steps:
        if step == "wait":
            clock.now += 3
        elif step == "ok":
            breaker.succeeded()
        elif (found := breaker.enter()) is not None:
            (breaker.failed if step == "fail" else breaker.left)(found)
        assert 0 <= breaker.rest_s <= 30
    clock.now += 30
    assert breaker.enter()
