"""The warm pool, on engines that are played by the test."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from domain.errors import EngineUnavailable
from sandbox.base import Sandbox
from sandbox.calm import Calm
from sandbox.cluster import Cluster
from sandbox.pool import WarmPool
from tests.sandbox.docker_place import until
from tests.sandbox.played_docker import PlayedDocker, build, node, played, request


async def becomes(holds: Callable[[], object]) -> None:
    """Waits for something, a minute at most."""
    async with asyncio.timeout(60):
        await until(holds)


async def hold(lease: AbstractAsyncContextManager[Sandbox]) -> None:
    """Takes a lease and gives it back."""
    async with lease:
        await asyncio.sleep(0.01)


async def test_a_lease_takes_a_container_that_is_ready_and_another_one_takes_its_place() -> None:
    engine = PlayedDocker()
    async with played(node(engine), pool={build(): 2}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()
        ready = set(engine.there)
        async with sandboxes.lease(request()) as sandbox:
            assert (sandbox.lease.warm, sandbox.lease.waited_s) == (True, 0.0)
            await becomes(lambda: sandboxes.pool.count(build()) == 2)
            assert len(engine.there) == 3
            assert ready < set(engine.there)
        await sandboxes.settled()

        assert sandboxes.pool.count(build()) == 2
        assert len(set(engine.there) & ready) == 1


async def test_no_container_serves_twice() -> None:
    engine = PlayedDocker()
    leased = []
    async with played(node(engine), pool={build(): 1}) as sandboxes:
        for _ in range(6):
            before = set(engine.there)
            async with sandboxes.lease(request()):
                await asyncio.sleep(0.01)
            await sandboxes.settled()
            leased += list(before - set(engine.there))
            await sandboxes.pool.filled()

    assert len(leased) == len(set(leased)) >= 5


async def test_a_lease_of_another_kind_finds_nothing_ready_and_starts_one() -> None:
    async with played(node(PlayedDocker()), pool={build(): 1}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()

        async with sandboxes.lease(request("another")) as sandbox:
            assert not sandbox.lease.warm
        assert sandboxes.pool.count(build()) == 1


@pytest.mark.parametrize(("fits", "containers"), [(3.5, 64), (64, 3)], ids=["memory", "count"])
async def test_no_more_is_kept_ready_than_there_is_room_for(fits: float, containers: int) -> None:
    engine = PlayedDocker()
    async with played(node(engine, fits=fits, containers=containers), pool={build(): 5}) as sandboxes:
        sandboxes.pool.start()
        await becomes(lambda: sandboxes.pool.count(build()) == 3)
        await asyncio.sleep(0.2)

        assert len(engine.made) == 3


@pytest.mark.parametrize(("fits", "containers"), [(3.5, 64), (64, 3)], ids=["memory", "count"])
async def test_what_is_ready_makes_room_for_a_lease_of_another_kind_and_is_made_anew_afterwards(
    fits: float,
    containers: int,
) -> None:
    engine = PlayedDocker()
    async with played(node(engine, fits=fits, containers=containers), pool={build(): 3}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()
        async with sandboxes.lease(request("another")) as one, sandboxes.lease(request("another")) as two:
            assert not one.lease.warm
            assert 0 < one.lease.waited_s < 5
            assert 0 < two.lease.waited_s < 5
            assert sandboxes.pool.count(build()) <= 1

        await becomes(lambda: sandboxes.pool.count(build()) == 3)


async def test_room_on_no_single_engine_is_made_until_there_is_some() -> None:
    engines = [PlayedDocker("played://one"), PlayedDocker("played://two")]
    nodes = [node(engine, containers=2) for engine in engines]
    async with played(*nodes, pool={build(): 4}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()

        async with asyncio.timeout(60):
            async with (
                sandboxes.lease(request("a")),
                sandboxes.lease(request("b")),
                sandboxes.lease(request("c")),
                sandboxes.lease(request("d")),
            ):
                assert sandboxes.pool.count(build()) == 0


async def test_a_container_that_gets_ready_while_somebody_waits_for_its_room_gives_way() -> None:
    engine = PlayedDocker()
    async with played(node(engine, containers=1), pool={build(): 1}) as sandboxes:
        engine.gate.clear()
        sandboxes.pool.start()
        await becomes(lambda: len(engine.made) == 1)

        async def lease() -> float:
            async with sandboxes.lease(request("another", wait_s=60.0)) as sandbox:
                return sandbox.lease.waited_s

        leasing = asyncio.create_task(lease())
        await asyncio.sleep(0.2)
        engine.gate.set()

        assert await leasing > 0.1


async def test_while_somebody_waits_nothing_is_made_ready() -> None:
    engine = PlayedDocker()
    async with played(node(engine, containers=2), pool={build(): 1}) as sandboxes:
        async with sandboxes.lease(request("a")), sandboxes.lease(request("a")):
            waiting = [asyncio.create_task(hold(sandboxes.lease(request("b")))) for _ in range(2)]
            await asyncio.sleep(0.2)
            made = len(engine.made)
        await asyncio.gather(*waiting)

        assert made <= 3


async def test_what_was_ended_from_outside_is_replaced() -> None:
    engine = PlayedDocker()
    async with played(node(engine), pool={build(): 3}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()
        ended = list(engine.there)[:2]
        for name in ended:
            await engine.kill(name)

        await becomes(lambda: len(engine.made) == 5 and sandboxes.pool.count(build()) == 3)
        assert not set(ended) & set(engine.there)


async def test_a_container_that_was_ended_a_moment_ago_is_never_what_a_lease_gets() -> None:
    engine = PlayedDocker()
    async with played(node(engine), pool={build(): 3}) as sandboxes:
        sandboxes.pool.start()
        for _ in range(5):
            await sandboxes.pool.filled()
            for name in list(engine.there):
                await engine.kill(name)

            async with sandboxes.lease(request()) as sandbox:
                assert await sandbox.stat([]) == []


async def test_a_lease_cancelled_while_its_container_is_handed_over_leaves_none() -> None:
    engine = PlayedDocker()
    engine.mute = True
    async with played(node(engine, containers=1), pool={build(): 1}) as sandboxes:
        sandboxes.pool.start()
        await sandboxes.pool.filled()
        leasing = asyncio.create_task(hold(sandboxes.lease(request())))
        await asyncio.sleep(0.1)
        leasing.cancel()
        await asyncio.wait([leasing])
        engine.mute = False
        await becomes(lambda: len(engine.made) == 2)

        async with sandboxes.lease(request()) as sandbox:
            assert await sandbox.stat([]) == []


async def test_what_has_been_ready_for_too_long_is_replaced() -> None:
    engine = PlayedDocker()
    cluster = Cluster([node(engine)])
    pool = WarmPool(cluster, Calm(), {build(): 1}, idle_s=0.2)
    pool.start()
    await pool.filled()
    (first,) = engine.there

    await becomes(lambda: first not in engine.there and pool.count(build()) == 1)

    await pool.close()
    await cluster.close()
    assert engine.there == {}


async def test_an_engine_that_fails_is_tried_again_later_and_leases_are_told_what_is_wrong() -> None:
    engine = PlayedDocker()
    engine.down = True
    async with played(node(engine), pool={build(): 1}) as sandboxes:
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                async with sandboxes.lease(request()):
                    raise AssertionError("leased")
        engine.down = False

        await becomes(lambda: sandboxes.pool.count(build()) == 1)


async def test_containers_are_made_ready_where_their_image_is_and_later_when_it_is_nowhere() -> None:
    one, two = PlayedDocker("played://one"), PlayedDocker("played://two")
    one.lacks = two.lacks = {"image"}
    async with played(node(one, weight=100), node(two), pool={build(): 2}) as sandboxes:
        sandboxes.pool.start()
        await asyncio.sleep(0.2)
        assert sandboxes.pool.count(build()) == 0
        two.lacks = set()

        await becomes(lambda: sandboxes.pool.count(build()) == 2)
        assert (len(one.there), len(two.there)) == (0, 2)


@pytest.mark.parametrize("moment", ["empty", "starting", "ready", "leased"])
async def test_closing_at_any_moment_leaves_neither_container_nor_task(moment: str) -> None:
    engine = PlayedDocker()
    before = asyncio.all_tasks()
    async with played(node(engine), pool={build(): 2}) as sandboxes:
        lease = sandboxes.lease(request())
        if moment != "empty":
            engine.gate.clear()
            sandboxes.pool.start()
            await becomes(lambda: len(engine.made) == 2)
        if moment in {"ready", "leased"}:
            engine.gate.set()
            await sandboxes.pool.filled()
        if moment == "leased":
            await lease.__aenter__()
        asyncio.get_running_loop().call_later(0.1, engine.gate.set)
    if moment == "leased":
        await lease.__aexit__(None, None, None)
        await sandboxes.settled()

    assert engine.there == {}
    assert asyncio.all_tasks() == before
