"""What it costs that a provider does not answer."""

import statistics
from functools import partial

from bench.gateway_place import MODEL, call, gateway
from bench.gateway_speed import in_turn
from bench.measure import Figure
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.policy import GatewayPolicy

NOBODY = "http://127.0.0.1:9/v1"
NEVER = BreakerPolicy(failures=1_000_000)
DEADLINE_S = 0.3
CALLS = 60


async def refused(url: str) -> list[Figure]:
    """From a refused connection, and from a provider that is left alone."""
    left_alone = BreakerPolicy(failures=1, rest_s=3600, longest_rest_s=3600)
    return [
        Figure("failover_refused_ms", await _added(url, NEVER), "ms", "at most 5"),
        Figure("failover_open_breaker_ms", await _added(url, left_alone), "ms", "nothing measurable"),
    ]


async def _added(url: str, breaker: BreakerPolicy) -> float:
    """Milliseconds that a first provider adds at whose address nobody listens."""
    async with gateway(GatewayPolicy(breaker=breaker), openai=url, dead=NOBODY) as door:
        plain, second = await in_turn(
            partial(door.complete, call()),
            partial(door.complete, call(route=f"dead/{MODEL},openai/{MODEL}")),
            CALLS,
        )
    return (statistics.median(second) - statistics.median(plain)) * 1e3


async def hanging(url: str) -> list[Figure]:
    """From a provider that takes the request and says nothing: the time beyond its deadline and a plain call."""
    policy = GatewayPolicy(breaker=NEVER, deadlines=Deadlines(first_s=DEADLINE_S))
    async with gateway(policy, openai=url, mute=url.replace("/v1", "/mute/v1")) as door:
        route = f"mute/{MODEL},openai/{MODEL}"
        plain, second = await in_turn(partial(door.collect, call()), partial(door.collect, call(route=route)), 20)
    added = statistics.median(second) - statistics.median(plain) - DEADLINE_S
    return [Figure("failover_hang_over_deadline_ms", added * 1e3, "ms", "at most 50")]
