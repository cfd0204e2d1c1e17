import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import ModelOverloaded
from gateway.limiter import Limiter, RateLimits
from tests.gateway import virtual_time

PATIENT_S = 1e6


def run(work: Coroutine[Any, Any, Any]) -> Any:
    return virtual_time.run(work)


async def call(limiter: Limiter, done: list[str], task: str, tokens: int = 1, seconds: float = 1.0) -> None:
    await limiter.enter(task, tokens, PATIENT_S)
    try:
        await asyncio.sleep(seconds)
        done.append(task)
    finally:
        limiter.leave(tokens, tokens)


def test_two_hundred_calls_of_one_task_do_not_starve_one_of_another() -> None:
    async def work() -> list[str]:
        limiter, done = Limiter(RateLimits(concurrency=2)), list[str]()
        many = [asyncio.create_task(call(limiter, done, "big")) for _ in range(200)]
        await asyncio.sleep(0.5)
        few = [asyncio.create_task(call(limiter, done, "small")) for _ in range(2)]
        await asyncio.gather(*many, *few)
        return done

    done = run(work())

    assert len(done) == 202
    assert max(place for place, task in enumerate(done) if task == "small") < 8


def test_no_more_calls_run_at_a_time_than_are_allowed() -> None:
    async def work() -> tuple[float, int]:
        limiter, done, most, running = Limiter(RateLimits(concurrency=3)), list[str](), 0, 0

        async def counted() -> None:
            nonlocal most, running
            await limiter.enter("t", 1, PATIENT_S)
            running += 1
            most = max(most, running)
            await asyncio.sleep(1)
            running -= 1
            done.append("t")
            limiter.leave(1, 1)

        await asyncio.gather(*(counted() for _ in range(10)))
        return asyncio.get_running_loop().time(), most

    assert run(work()) == (4.0, 3)


@pytest.mark.parametrize(
    ("limits", "tokens"),
    [(RateLimits(requests_per_minute=60), 1), (RateLimits(tokens_per_minute=6000), 100)],
    ids=["requests", "tokens"],
)
def test_a_minute_takes_as_much_as_it_may_and_the_rest_comes_at_an_even_pace(limits: RateLimits, tokens: int) -> None:
    async def work() -> float:
        limiter, done = Limiter(limits), list[str]()
        await asyncio.gather(*(call(limiter, done, "t", tokens, 0) for _ in range(180)))
        return asyncio.get_running_loop().time()

    assert run(work()) == pytest.approx(120, abs=1)


def test_tokens_that_were_not_used_are_given_back() -> None:
    async def work() -> float:
        limiter = Limiter(RateLimits(tokens_per_minute=600))
        for _ in range(20):
            await limiter.enter("t", 600, PATIENT_S)
            limiter.leave(600, 30)
        return asyncio.get_running_loop().time()

    assert run(work()) <= 20 * 3 + 1


def test_a_call_larger_than_a_minute_takes_is_let_through_when_the_minute_is_whole() -> None:
    async def work() -> float:
        limiter = Limiter(RateLimits(tokens_per_minute=60))
        for _ in range(2):
            await limiter.enter("t", 120, PATIENT_S)
            limiter.leave(120, 120)
        return asyncio.get_running_loop().time()

    assert run(work()) == pytest.approx(120, abs=1)


def test_a_call_whose_turn_does_not_come_in_time_says_so_and_holds_nothing() -> None:
    async def work() -> None:
        limiter = Limiter(RateLimits(concurrency=1))
        await limiter.enter("t", 1, PATIENT_S)
        with pytest.raises(ModelOverloaded, match="No turn within 3 s"):
            await limiter.enter("t", 1, 3)
        assert limiter.waiting == 0
        limiter.leave(1, 1)
        assert limiter.has_room(1)

    run(work())


@settings(deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40), st.booleans()), max_size=30), st.integers(1, 4))
def test_however_calls_come_and_are_cancelled_all_places_are_free_in_the_end(
    calls: list[tuple[str, int, bool]], places: int
) -> None:
    async def work() -> None:
        limits = RateLimits(concurrency=places, requests_per_minute=30, tokens_per_minute=100)
        limiter, done = Limiter(limits), list[str]()
        tasks = [asyncio.create_task(call(limiter, done, task, tokens)) for task, tokens, _ in calls]
        await asyncio.sleep(1.5)
        for task, (_, _, cancelled) in zip(tasks, calls, strict=True):
            if cancelled:
                task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter.waiting == 0
        await asyncio.sleep(120)
        for _ in range(places):
            assert limiter.has_room(1)
            await limiter.enter("d", 1, PATIENT_S)
        assert not limiter.has_room(1)

    run(work())
