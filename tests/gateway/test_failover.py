import asyncio
from collections.abc import AsyncGenerator

import pytest
from pydantic import JsonValue

from domain.chat import Delta, ModelReply, ModelRequest
from domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    ModelAuthenticationFailed,
    ModelConnectionFailed,
    ModelConnectionLost,
    ModelOverloaded,
    ModelProtocolError,
    ModelRequestRejected,
    ModelTimeout,
    NoModelAnswered,
    NotRecorded,
    RateLimited,
    SoundstageError,
    UnknownModel,
)
from domain.money import NanoUsd
from domain.tokens import estimate_most
from gateway.base import Completion, Restarted
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.policy import GatewayPolicy, RetryPolicy
from tests.gateway import virtual_time
from tests.gateway.house import Purse, Slow, Voice, call, house, upstream

BOTH = "first/m, second/m"


@pytest.fixture
def purse() -> Purse:
    return Purse()


class Breaking(Voice):
    """Begins to answer and breaks off, so many times."""

    def __init__(self, name: str, times: int = 1) -> None:
        super().__init__(name)
        self.times = times

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        if self.times:
            self.times -= 1
            yield Delta(text="half of ")
            raise ModelConnectionLost
        async for piece in super().stream(request):
            yield piece


@pytest.mark.parametrize(
    "error",
    [
        ModelConnectionFailed(), ModelTimeout(), ModelOverloaded(), RateLimited(), ModelProtocolError(),
        ModelAuthenticationFailed(), UnknownModel(), ModelRequestRejected(), ContextTooLong(), NotRecorded(),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
async def test_a_second_provider_answers_when_the_first_does_not(purse: Purse, error: SoundstageError) -> None:
    completion = await house(purse, [Voice("first", error), Voice("second")]).complete(call(BOTH))

    assert completion.reply.message.content == "I am second"
    assert (completion.provider, completion.model, completion.attempts) == ("second", "m", 2)
    assert [outcome for _, _, outcome in purse.told()] == ["failed", "ok"]


async def test_the_first_one_is_asked_again_the_next_time(purse: Purse) -> None:
    gateway = house(purse, [Voice("first", ModelTimeout()), Voice("second")])
    answers = [await gateway.complete(call(BOTH)) for _ in range(2)]

    assert [answer.provider for answer in answers] == ["second", "first"]


async def test_when_all_fail_there_is_another_round_and_then_one_error_for_all(purse: Purse) -> None:
    down = [ModelOverloaded("first is full")] * 3
    gateway = house(purse, [Voice("first", *down), Voice("second", *[ModelTimeout("second is late")] * 3)])

    with pytest.raises(NoModelAnswered, match=r"first/m: first is full; second/m: second is late"):
        await gateway.complete(call(BOTH))

    assert [provider for provider, _, _ in purse.told()] == ["first", "second"] * 3


async def test_one_that_cannot_get_better_is_not_asked_again(purse: Purse) -> None:
    gateway = house(purse, [Voice("first", UnknownModel()), Voice("second", ModelTimeout(), ModelTimeout())])

    assert (await gateway.complete(call(BOTH))).provider == "second"
    assert [provider for provider, _, _ in purse.told()] == ["first", "second", "second", "second"]


@pytest.mark.parametrize("kind", [ModelRequestRejected, ContextTooLong])
async def test_a_rejection_by_all_is_a_rejection(purse: Purse, kind: type[SoundstageError]) -> None:
    gateway = house(purse, [Voice("first", kind("no")), Voice("second", ModelRequestRejected("neither"))])

    with pytest.raises(kind, match="no"):
        await gateway.complete(call(BOTH))


async def test_an_answer_that_breaks_off_is_never_continued_by_another(purse: Purse) -> None:
    gateway = house(purse, [Breaking("first"), Voice("second")])

    half, restarted, *deltas, completion = [piece async for piece in gateway.stream(call(BOTH))]

    assert half == Delta(text="half of ")
    assert isinstance(restarted, Restarted)
    assert "".join(piece.text for piece in deltas if isinstance(piece, Delta)) == "I am second"
    assert isinstance(completion, Completion)
    assert completion.reply.message.content == "I am second"
    assert (await gateway.collect(call("first/m"))).reply.message.content == "I am first"
    first = purse.settled[0].usage
    assert first.estimated
    assert first.output_tokens > 0


async def test_a_provider_that_fails_again_and_again_is_left_alone(purse: Purse) -> None:
    first = Voice("first", *[ModelConnectionFailed()] * 3)
    gateway = house(purse, [first, Voice("second")], breaker=BreakerPolicy(failures=3, rest_s=60))

    answers = [await gateway.complete(call(BOTH)) for _ in range(6)]

    assert {answer.provider for answer in answers} == {"second"}
    assert len(first.requests) == 3
    assert len(purse.told()) == 9, "who is not asked costs no reservation"


def test_an_only_provider_that_is_left_alone_is_waited_for() -> None:
    async def work() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        policy = GatewayPolicy(breaker=BreakerPolicy(failures=1, rest_s=5))
        one = upstream(Voice("only", ModelTimeout()), policy=policy, now=loop.time)
        gateway = house(Purse(), [one], retry=RetryPolicy(pause_s=0.1))
        answer = await gateway.complete(call("only/m"))
        return answer.provider, loop.time()

    provider, seconds = virtual_time.run(work())

    assert provider == "only"
    assert 5 <= seconds <= 6


async def test_another_key_of_the_same_provider_comes_before_another_provider(purse: Purse) -> None:
    keys = [Voice("first", ModelAuthenticationFailed()), Voice("first", RateLimited(retry_after_s=60)), Voice("first")]
    gateway = house(purse, [upstream(*keys), Voice("second")])

    answers = [await gateway.complete(call(BOTH)) for _ in range(2)]

    assert [answer.provider for answer in answers] == ["first", "first"]
    assert purse.told() == [
        ("first", "key0", "failed"), ("first", "key1", "failed"), ("first", "key2", "ok"), ("first", "key2", "ok"),
    ]  # fmt: skip


async def test_a_provider_that_limits_the_rate_for_no_time_is_not_asked_for_ever(purse: Purse) -> None:
    gateway = house(purse, [upstream(*(Voice("first", *[RateLimited(retry_after_s=0)] * 50) for _ in range(2)))])

    with pytest.raises(RateLimited):
        await gateway.complete(call("first/m"))

    assert 3 <= len(purse.told()) <= 6


async def test_when_every_key_is_refused_the_other_provider_answers_and_no_key_is_tried_again(purse: Purse) -> None:
    keys = [Voice("first", ModelAuthenticationFailed()), Voice("first", ModelAuthenticationFailed())]
    gateway = house(purse, [upstream(*keys), Voice("second")])

    answers = [await gateway.complete(call(BOTH)) for _ in range(2)]

    assert [answer.provider for answer in answers] == ["second", "second"]
    assert [key for provider, key, _ in purse.told() if provider == "first"] == ["key0", "key1"]
    with pytest.raises(ModelAuthenticationFailed):
        await gateway.complete(call("first/m"))


async def test_a_call_that_may_cost_more_than_one_call_may_is_not_made(purse: Purse) -> None:
    dear, free = Voice("openai"), Voice("second", local=True)
    free.name = "scripted"
    gateway = house(purse, [dear, free])
    route = "openai/gpt-4o, scripted/m"

    with pytest.raises(BudgetExceeded, match="one call may cost"):
        await gateway.complete(call("openai/gpt-4o", max_cost=NanoUsd(1)))
    assert (await gateway.complete(call(route, max_cost=NanoUsd(1)))).provider == "scripted"
    assert dear.requests == []


def test_a_slow_answer_is_overtaken_by_a_hedged_one_and_only_one_is_told() -> None:
    purse = Purse()

    async def work() -> list[object]:
        gateway = house(purse, [Slow("first", 30), Slow("second", 1)], hedge_after_s=2.0)
        return [piece async for piece in gateway.stream(call(BOTH))] + [asyncio.get_running_loop().time()]

    *deltas, completion, seconds = virtual_time.run(work())

    assert isinstance(completion, Completion)
    assert (completion.provider, completion.attempts) == ("second", 2)
    assert "".join(piece.text for piece in deltas if isinstance(piece, Delta)) == "I am second"
    assert seconds == pytest.approx(3)
    assert sorted(purse.told()) == [("first", "key0", "cancelled"), ("second", "key0", "ok")]


@pytest.mark.parametrize("leave", [False, True], ids=["silent", "cancelled"])
def test_what_nobody_told_counts_as_the_most_that_it_may_be(leave: bool) -> None:
    purse = Purse()

    async def work() -> None:
        gateway = house(purse, [Slow("first", 1e6)], deadlines=Deadlines(first_s=7), retry=RetryPolicy(attempts=1))
        with pytest.raises((ModelTimeout, TimeoutError)):
            async with asyncio.timeout(5 if leave else None):
                await gateway.collect(call("first/m"))

    virtual_time.run(work())

    (settled,) = purse.settled
    assert settled.usage == estimate_most(call("first/m").request)
    assert settled.usage.output_tokens == 100


def test_a_provider_that_hangs_is_left_at_its_deadline() -> None:
    async def work() -> tuple[str, float]:
        gateway = house(Purse(), [Slow("first", 1e6), Voice("second")], deadlines=Deadlines(first_s=7))
        return (await gateway.collect(call(BOTH))).provider, asyncio.get_running_loop().time()

    assert virtual_time.run(work()) == ("second", 7.0)


@pytest.mark.parametrize(
    ("streams_schemas", "schema", "ends"),
    [(False, {"type": "object"}, 30), (True, {"type": "object"}, 7), (False, None, 7)],
)
def test_an_answer_that_comes_in_one_piece_all_the_same_has_all_of_the_time(
    streams_schemas: bool, schema: dict[str, JsonValue] | None, ends: float
) -> None:
    async def work() -> tuple[str, float]:
        first, asked = Slow("first", 30), call(BOTH)
        first.streams_schemas = streams_schemas
        gateway = house(Purse(), [first, Voice("second")], deadlines=Deadlines(first_s=7))
        request = asked.request.model_copy(update={"json_schema": schema})
        answer = await gateway.collect(asked.model_copy(update={"request": request}))
        return answer.provider, asyncio.get_running_loop().time()

    assert virtual_time.run(work()) == ("first" if ends == 30 else "second", ends)


async def test_who_leaves_in_the_middle_of_an_answer_leaves_an_entry_and_no_open_stream(purse: Purse) -> None:
    class Watched(Voice):
        closed = False

        async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
            try:
                async for piece in super().stream(request):
                    yield piece
            finally:
                self.closed = True

    first = Watched("first")
    gateway = house(purse, [first])
    stream = gateway.stream(call("first/m"))
    assert isinstance(await anext(stream), Delta)
    await stream.aclose()

    assert first.closed
    await gateway.settled()
    assert purse.told() == [("first", "key0", "cancelled")]
    assert purse.settled[0].usage.estimated


def test_the_time_that_one_provider_asks_for_is_not_cut_short_by_another() -> None:
    first, second = Voice("first", ModelOverloaded(retry_after_s=20)), Voice("second", *[ModelOverloaded()] * 9)

    async def work() -> tuple[str, float]:
        gateway = house(Purse(), [first, second], retry=RetryPolicy(pause_s=0.3))
        return (await gateway.complete(call(BOTH))).provider, asyncio.get_running_loop().time()

    provider, seconds = virtual_time.run(work())

    assert (provider, len(first.requests), len(second.requests)) == ("first", 2, 3)
    assert seconds == pytest.approx(20)


def test_a_key_that_is_limited_for_an_unknown_time_is_sent_all_its_tries() -> None:
    only = Voice("only", RateLimited(), RateLimited())

    async def work() -> int:
        one = upstream(only, now=asyncio.get_running_loop().time)
        return (await house(Purse(), [one], retry=RetryPolicy(pause_s=0.1)).complete(call("only/m"))).attempts

    assert virtual_time.run(work()) == len(only.requests) == 3


def test_when_a_hedged_pair_fails_both_are_tried_again_as_they_failed() -> None:
    first, second = Slow("first", 3, ModelTimeout()), Slow("second", 2, ModelRequestRejected())

    async def work() -> Completion:
        return await house(Purse(), [first, second], hedge_after_s=0.5).collect(call(BOTH))

    completion = virtual_time.run(work())

    assert (completion.provider, completion.attempts) == ("first", 3)
    assert (len(first.requests), len(second.requests)) == (2, 1)


def test_who_was_left_for_one_that_breaks_off_is_asked_again() -> None:
    class Late(Breaking):
        async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
            await asyncio.sleep(1)
            async for piece in super().stream(request):
                yield piece

    async def work() -> Completion:
        retry = RetryPolicy(attempts=1)
        gateway = house(Purse(), [Slow("first", 3), Late("second")], hedge_after_s=0.5, retry=retry)
        return await gateway.collect(call(BOTH))

    assert virtual_time.run(work()).provider == "first"
