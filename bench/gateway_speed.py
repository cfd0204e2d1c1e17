"""What the gateway adds to a call of the bare SDK, and how many calls pass in a second."""

import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing

from bench.gateway_place import asked, bare, call, conversation, gateway
from bench.measure import Figure
from domain.chat import Delta

CALLS = 400
ROUNDS = 5
ROUND_CALLS = 640
CONCURRENCY = 16
STEPS = 40
Calling = Callable[[], Awaitable[object]]


async def seconds(calling: Calling) -> float:
    """How long one call takes."""
    started = time.perf_counter()
    await calling()
    return time.perf_counter() - started


async def in_turn(one: Calling, other: Calling, calls: int) -> tuple[list[float], list[float]]:
    """Sorted seconds of two ways to call, which take turns so that the machine is the same for both."""
    for _ in range(calls // 10):
        await one()
        await other()
    found = [(await seconds(one), await seconds(other)) for _ in range(calls)]
    return sorted(first for first, _ in found), sorted(second for _, second in found)


async def overhead(url: str) -> list[Figure]:
    """Added latency with one call at a time."""
    async with bare(url) as client, gateway(openai=url) as door:
        direct, through = await in_turn(
            lambda: client.chat.completions.create(**asked()), lambda: door.complete(call()), CALLS
        )
    p50, p95 = ((through[int(CALLS * share)] - direct[int(CALLS * share)]) * 1e3 for share in (0.5, 0.95))
    return [
        Figure("overhead_p50_ms", p50, "ms", f"at most 1; the bare SDK takes {direct[CALLS // 2] * 1e3:.2f} ms"),
        Figure("overhead_p95_ms", p95, "ms", "at most 3"),
    ]


async def overhead_long(url: str) -> list[Figure]:
    """Added latency of a call that ends a long conversation, of which both ways are given what they send ready-made."""
    before = conversation(STEPS)
    made, body = call(before=before), asked(before)
    async with bare(url) as client, gateway(openai=url) as door:
        direct, through = await in_turn(
            lambda: client.chat.completions.create(**body), lambda: door.complete(made), CALLS // 2
        )
    added, plain = (statistics.median(through) - statistics.median(direct)) * 1e3, statistics.median(direct) * 1e3
    size = len(json.dumps(body)) / 1000
    told = f"{STEPS} steps, {size:.0f} KB; the bare SDK takes {plain:.2f} ms"
    return [Figure("overhead_long_p50_ms", added, "ms", told)]


async def first_token(url: str) -> list[Figure]:
    """Added time to the first piece of a streamed answer."""
    async with bare(url) as client, gateway(openai=url) as door:

        async def direct() -> None:
            async with await client.chat.completions.create(
                **asked(stream=True, stream_options={"include_usage": True})
            ) as chunks:
                async for chunk in chunks:
                    if chunk.choices and chunk.choices[0].delta.content:
                        return

        async def through() -> None:
            async with aclosing(door.stream(call())) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Delta) and piece.text:
                        return

        plain, ours = await in_turn(direct, through, CALLS // 2)
    added = (statistics.median(ours) - statistics.median(plain)) * 1e3
    return [Figure("ttft_overhead_ms", added, "ms", "at most 1")]


async def per_second(calling: Calling, calls: int = ROUND_CALLS) -> float:
    """Calls in a second, 16 at a time."""
    left = iter(range(calls))

    async def worker() -> None:
        for _ in left:
            await calling()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
    return calls / (time.perf_counter() - started)


async def throughput(url: str) -> tuple[list[Figure], float]:
    """The share of the bare SDK's calls a second, and the calls a second themselves."""
    async with bare(url) as client, gateway(openai=url) as door:
        rounds = []
        for _ in range(ROUNDS):
            direct = await per_second(lambda: client.chat.completions.create(**asked()))
            rounds.append((direct, await per_second(lambda: door.complete(call()))))
    share = statistics.median(ours / direct for direct, ours in rounds)
    ours = statistics.median(ours for _, ours in rounds)
    told = f"at least 0.7; {ours:.0f} calls/s against {ours / share:.0f}"
    return [Figure("rps_vs_direct_x", share, "x", told)], ours
