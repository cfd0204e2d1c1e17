"""What it costs that a provider does not answer."""

import statistics
import time

from bench.gateway_place import MODEL, call, gateway
from bench.gateway_speed import in_turn, seconds
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
    figures = []
    for key, breaker, told in (
        ("failover_refused_ms", NEVER, "at most 5"),
        ("failover_open_breaker_ms", BreakerPolicy(failures=1, rest_s=3600, longest_rest_s=3600), "nothing measurable"),
    ):
        async with gateway(GatewayPolicy(breaker=breaker), openai=url, dead=NOBODY) as door:
            plain, second = await in_turn(
                lambda door=door: door.complete(call()),
                lambda door=door: door.complete(call(route=f"dead/{MODEL},openai/{MODEL}")),
                CALLS,
            )
        figures.append(Figure(key, (statistics.median(second) - statistics.median(plain)) * 1e3, "ms", told))
    return figures


async def hanging(url: str) -> list[Figure]:
    """From a provider that takes the request and says nothing."""
    policy = GatewayPolicy(breaker=NEVER, deadlines=Deadlines(first_s=DEADLINE_S))
    route = f"mute/{MODEL},openai/{MODEL}"
    async with gateway(policy, openai=url, mute=url) as door:
        found = []
        for _ in range(CALLS // 5):
            started = time.perf_counter()
            # The first provider hangs for such a prompt and the second one as well: both are waited for.
            await seconds(lambda: door.collect(call()))
            found.append(time.perf_counter() - started)
    return [Figure("failover_hang_over_deadline_ms", statistics.median(found) * 1e3, "ms", route)]
