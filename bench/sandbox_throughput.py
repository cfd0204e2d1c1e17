"""How many isolated snippets are run in a second: one container each."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from bench import place
from bench.measure import Figure
from sandbox.docker_sandbox import DockerSandboxes

SNIPPETS, AT_ONCE, BURST = 40, 4, 16


async def _many(work: "asyncio.Queue[None]", one: Callable[[], Awaitable[object]]) -> None:
    while not work.empty():
        work.get_nowait()
        await one()


async def _rate(one: Callable[[], Awaitable[object]]) -> float:
    """Snippets a second, so many at once."""
    work: asyncio.Queue[None] = asyncio.Queue()
    for _ in range(SNIPPETS):
        work.put_nowait(None)
    started = time.perf_counter()
    await asyncio.gather(*(_many(work, one) for _ in range(AT_ONCE)))
    return SNIPPETS / (time.perf_counter() - started)


async def sustained_and_burst() -> list[Figure]:
    """Four at a time without end, and sixteen at once from a full pool, against ``docker run --rm``."""

    async def theirs() -> None:
        await asyncio.to_thread(place.docker_run)

    before = await _rate(theirs)
    async with place.sandboxes(warm=AT_ONCE) as leasing:
        leasing.pool.start()
        mine = await _rate(lambda: _snippet(leasing))
        await leasing.settled()
    plain = (before + await _rate(theirs)) / 2
    burst = await _burst()
    return [
        Figure("sustained_vs_docker_run_x", mine / plain, "x", f"{mine:.1f}/s against {plain:.1f}/s; target: 1.05"),
        Figure("burst16_vs_docker_run_x", burst / plain, "x", f"{burst:.1f}/s against {plain:.1f}/s; target: 10"),
    ]


async def _snippet(leasing: DockerSandboxes) -> None:
    async with leasing.lease(place.request()) as sandbox:
        result = await sandbox.run(place.PYTHON)
    assert result.stdout == b"499500\n", result


async def _burst() -> float:
    async with place.sandboxes(warm=BURST) as leasing:
        await place.filled(leasing)
        started = time.perf_counter()
        await asyncio.gather(*(_snippet(leasing) for _ in range(BURST)))
        return BURST / (time.perf_counter() - started)
