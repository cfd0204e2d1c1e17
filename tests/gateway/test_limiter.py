import asyncio
from collections.abc import Coroutine
from itertools import zip_longest
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
    assert done[:7] == ["big", "big", "big", "small", "big", "small", "big"]


@settings(deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=20))
def test_who_waits_is_let_in_when_the_turn_is_his_tasks_and_his_own_in_it(tasks: list[str]) -> None:
    waiting = [f"{task}{place}" for place, task in enumerate(tasks)]

    async def work() -> list[str]:
        limiter, let_in = Limiter(RateLimits(concurrency=1)), list[str]()

        async def one(name: str) -> None:
            await limiter.enter(name[0], 1, PATIENT_S)
            let_in.append(name)
            limiter.leave(1, 1)

        await limiter.enter("first", 1, PATIENT_S)
        calls = [asyncio.create_task(one(name)) for name in waiting]
        await asyncio.sleep(1)
        limiter.leave(1, 1)
        await asyncio.gather(*calls)
        return let_in

    by_task = [[name for name in waiting if name[0] == task] for task in dict.fromkeys(tasks)]
    assert run(work()) == [name for turn in zip_longest(*by_task) for name in turn if name is not None]


def test_small_calls_that_keep_coming_do_not_overtake_a_large_one_that_waits() -> None:
    async def work() -> list[str]:
        limiter, done = Limiter(RateLimits(tokens_per_minute=60)), list[str]()
        await call(limiter, done, "first", 60, 0)
        large = asyncio.create_task(call(limiter, done, "large", 60, 0))
        small = []
        for _ in range(100):
            await asyncio.sleep(1)
            small.append(asyncio.create_task(call(limiter, done, "small", 1, 0)))
        await asyncio.gather(large, *small)
        return done[:3]

    assert run(work()) == ["first", "large", "small"]


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


@pytest.mark.parametrize("idle_s", [0.0, 7200.0], ids=["at once", "after hours"])
@pytest.mark.parametrize(
    ("limits", "tokens"),
    [(RateLimits(requests_per_minute=60), 1), (RateLimits(tokens_per_minute=6000), 100)],
    ids=["requests", "tokens"],
)
def test_a_minute_takes_as_much_as_it_may_and_the_rest_comes_at_an_even_pace(
    limits: RateLimits, tokens: int, idle_s: float
) -> None:
    async def work() -> list[float]:
        limiter, passed = Limiter(limits), list[float]()

        async def one() -> None:
            await limiter.enter("t", tokens, PATIENT_S)
            passed.append(asyncio.get_running_loop().time() - idle_s)
            limiter.leave(tokens, tokens)

        await asyncio.sleep(idle_s)
        await asyncio.gather(*(one() for _ in range(180)))
        return passed

    assert run(work()) == pytest.approx([0.0] * 60 + [float(second) for second in range(1, 121)], abs=0.1)


@pytest.mark.parametrize(("used", "waited_s"), [(0, 0), (30, 57), (600, 1140), (700, 1330)])
def test_a_call_counts_with_the_tokens_that_it_used_in_the_end(used: int, waited_s: float) -> None:
    async def work() -> float:
        limiter = Limiter(RateLimits(tokens_per_minute=600))
        for _ in range(20):
            await limiter.enter("t", 600, PATIENT_S)
            limiter.leave(600, used)
        return asyncio.get_running_loop().time()

    assert run(work()) == pytest.approx(waited_s, abs=0.1)


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


def test_who_gives_up_makes_way_for_those_behind_him() -> None:
    async def work() -> float:
        limiter = Limiter(RateLimits(tokens_per_minute=60))
        await limiter.enter("t", 60, PATIENT_S)
        large = asyncio.create_task(limiter.enter("large", 60, 3))
        small = asyncio.create_task(limiter.enter("small", 1, PATIENT_S))
        with pytest.raises(ModelOverloaded):
            await large
        await small
        return asyncio.get_running_loop().time()

    assert run(work()) == pytest.approx(3)


def test_who_is_cancelled_at_the_moment_at_which_he_is_let_in_holds_nothing() -> None:
    async def work() -> None:
        limiter = Limiter(RateLimits(concurrency=1, tokens_per_minute=100))
        await limiter.enter("t", 0, PATIENT_S)
        late = asyncio.create_task(limiter.enter("t", 100, PATIENT_S))
        await asyncio.sleep(0)
        limiter.leave(0, 0)
        late.cancel()
        await asyncio.wait([late])
        assert limiter.has_room(100)

    run(work())


def test_who_waits_and_who_would_have_to_is_counted_without_those_who_gave_up() -> None:
    async def work() -> list[int]:
        limiter = Limiter(RateLimits(concurrency=1))
        load = [limiter.load(1)]
        await limiter.enter("t", 1, PATIENT_S)
        load.append(limiter.load(1))
        waiting = [asyncio.create_task(limiter.enter(task, 1, PATIENT_S)) for task in "abc"]
        await asyncio.sleep(0)
        load.append(limiter.load(1))
        waiting[1].cancel()
        await asyncio.wait(waiting[1:2])
        load.append(limiter.load(1))
        limiter.leave(1, 1)
        await waiting[0]
        limiter.leave(1, 1)
        await waiting[2]
        return [*load, limiter.waiting]

    assert run(work()) == [0, 1, 4, 3, 0]


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
