"""What is noted of a provider, and who waits for a turn at it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable

import pytest

from domain.chat import Delta, ModelReply, ModelRequest
from domain.errors import ModelAuthenticationFailed, ModelOverloaded, ModelTimeout, RateLimited, SoundstageError
from gateway.base import Call, Completion
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.gateway import Gateway
from gateway.limiter import RateLimits
from gateway.policy import GatewayPolicy, RetryPolicy
from gateway.upstream import Upstream
from tests.gateway import virtual_time
from tests.gateway.clock import Clock
from tests.gateway.house import SWIFT, Purse, Slow, Voice, call, house, upstream

Way = Callable[[Gateway, Call], Awaitable[Completion]]
ways = pytest.mark.parametrize("way", [Gateway.complete, Gateway.collect], ids=["complete", "collect"])
CALL = call("only/m")
ONE_AT_A_TIME = {"only": RateLimits(concurrency=1)}
ONCE = RetryPolicy(attempts=1)


class Hanging(Voice):
    """Never answers."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[Delta | ModelReply]:
        self.requests.append(request)
        await asyncio.sleep(1e6)
        yield Delta()


@ways
async def test_failures_with_answers_between_them_do_not_open_the_breaker(way: Way) -> None:
    only = Voice("only", *[ModelOverloaded(), None] * 6)
    gateway = house(Purse(), [only])

    for _ in range(6):
        await way(gateway, CALL)

    assert gateway.upstreams[0].breaker.closed
    assert len(only.requests) == 12


@ways
async def test_an_answer_after_the_rest_ends_it(way: Way, clock: Clock) -> None:
    policy = GatewayPolicy(breaker=BreakerPolicy(failures=1, rest_s=5), retry=ONCE)
    only = upstream(Voice("only", ModelOverloaded()), policy=policy, now=clock)
    gateway = house(Purse(), [only], retry=ONCE)
    with pytest.raises(ModelOverloaded):
        await way(gateway, CALL)
    clock.now += 5

    await way(gateway, CALL)

    assert only.breaker.closed


@ways
async def test_how_long_an_answer_takes_is_measured_and_the_fastest_is_asked_first(
    way: Way,
) -> None:
    gateway = house(Purse(), [Slow("slow", 0.05), Voice("quick")])

    asked = [(await way(gateway, call("fastest: slow/m, quick/m"))).provider for _ in range(4)]

    assert asked == ["slow", "quick", "quick", "quick"]


async def test_an_answer_ends_the_strikes_of_a_key(clock: Clock) -> None:
    only = upstream(Voice("only", RateLimited(), None, RateLimited()), now=clock)
    gateway = house(Purse(), [only], retry=ONCE)
    rests = []
    for _ in range(2):
        with pytest.raises(RateLimited) as raised:
            await gateway.complete(CALL)
        rests.append(raised.value.retry_after_s)
        clock.now += 60
        await gateway.complete(CALL)

    assert rests == [1, 1]


@pytest.mark.parametrize(
    ("deadlines", "policy"), [(Deadlines(first_s=10, total_s=10), BreakerPolicy(failures=3, rest_s=1e4))]
)
def test_who_waits_while_the_provider_fails_is_not_sent(deadlines: Deadlines, policy: BreakerPolicy) -> None:
    hanging = Hanging("only")

    async def work() -> list[object]:
        gateway = house(Purse(), [hanging], retry=ONCE, limits=ONE_AT_A_TIME, deadlines=deadlines, breaker=policy)
        return await asyncio.gather(*(gateway.collect(CALL) for _ in range(20)), return_exceptions=True)

    ends = virtual_time.run(work())

    assert len(hanging.requests) == 3
    assert [type(end) for end in ends] == [ModelTimeout] * 3 + [ModelOverloaded] * 17


def test_who_waits_while_the_key_is_refused_is_not_sent_with_it() -> None:
    refused, good = Slow("only", 1, *[ModelAuthenticationFailed()] * 40), Voice("only")

    async def work() -> list[Completion | BaseException]:
        policy = GatewayPolicy(limits=ONE_AT_A_TIME)
        gateway = house(Purse(), [upstream(refused, policy=policy)], retry=ONCE)
        alone = await asyncio.gather(*(gateway.collect(CALL) for _ in range(20)), return_exceptions=True)
        two = house(Purse(), [upstream(refused, good, policy=policy)], retry=ONCE)
        return alone + await asyncio.gather(*(two.collect(CALL) for _ in range(20)), return_exceptions=True)

    ends = virtual_time.run(work())

    assert [type(end) for end in ends[:20]] == [ModelAuthenticationFailed] * 20
    assert not any(isinstance(end, SoundstageError) for end in ends[20:])
    assert len(refused.requests) == 2
    assert len(good.requests) == 20


def test_a_second_key_takes_what_the_first_has_no_room_for() -> None:
    keys = [Slow("only", 1), Slow("only", 1)]

    async def work() -> float:
        gateway = house(Purse(), [upstream(*keys, policy=GatewayPolicy(limits=ONE_AT_A_TIME))])
        await asyncio.gather(*(gateway.collect(CALL) for _ in range(6)))
        return asyncio.get_running_loop().time()

    assert virtual_time.run(work()) == pytest.approx(3)
    assert [len(key.requests) for key in keys] == [3, 3]


async def test_a_limit_for_one_model_leaves_the_key_to_the_others(clock: Clock) -> None:
    only = Voice("only", RateLimited(retry_after_s=60))
    gateway = house(Purse(), [upstream(only, now=clock)], retry=ONCE)

    first = await gateway.complete(call("only/large, only/small"))
    second = await gateway.complete(call("only/large, only/small"))

    assert [first.model, second.model] == ["small", "small"]
    assert [request.model for request in only.requests] == ["large", "small", "small"]


class Listing(Voice):
    """Lists its models, or fails to."""

    error: SoundstageError | None = None

    async def models(self) -> list[str]:
        if self.error is not None:
            raise self.error
        return await super().models()


async def opened(voice: Voice, clock: Clock) -> tuple[Gateway, Upstream]:
    one = upstream(voice, policy=GatewayPolicy(breaker=BreakerPolicy(failures=1, rest_s=5)), now=clock)
    gateway = house(Purse(), [one], retry=ONCE)
    with pytest.raises(SoundstageError):
        await gateway.complete(CALL)
    clock.now += 5
    return gateway, one


@pytest.mark.parametrize("error", [None, ModelAuthenticationFailed()], ids=["listed", "refused"])
async def test_who_answers_a_probe_is_found_well_by_the_next_call_and_not_before(
    clock: Clock, error: SoundstageError | None
) -> None:
    voice = Listing("only", ModelTimeout(), ModelTimeout())
    voice.error = error
    gateway, one = await opened(voice, clock)

    await one.probe()
    with pytest.raises(ModelTimeout):
        await gateway.complete(CALL)
    assert one.breaker.rest_s == 10, "a list of models is no answer of one: the rest grows"
    clock.now += 10
    await one.probe()
    assert not one.breaker.closed
    await gateway.complete(CALL)

    assert one.breaker.closed


async def test_who_does_not_answer_a_probe_rests_on(clock: Clock) -> None:
    voice = Listing("only", ModelTimeout())
    voice.error = ModelTimeout()
    gateway, one = await opened(voice, clock)

    await one.probe()

    assert one.breaker.rest_s == 10
    with pytest.raises(ModelOverloaded):
        await gateway.complete(CALL)
    assert len(voice.requests) == 1


def test_what_was_not_sent_uses_up_no_tokens_of_the_minute() -> None:
    only = Voice("only", *[ModelOverloaded()] * 2)
    limits = {"only": RateLimits(tokens_per_minute=300)}

    async def work() -> float:
        gateway = house(Purse(), [only], retry=SWIFT, limits=limits)
        await gateway.complete(CALL)
        return asyncio.get_running_loop().time()

    assert virtual_time.run(work()) < 1
