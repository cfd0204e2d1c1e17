"""Who gets the next sandbox and where, on engines that are played by the test."""

import asyncio
from typing import cast

import pytest

from domain.errors import EngineUnavailable, ImageMissing, SandboxesBusy
from sandbox.cluster import Cluster
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.node import Node
from tests.sandbox.played_docker import INSTANCE, PAUSE_S, PlayedDocker, build, node, played, request


async def take(sandboxes: DockerSandboxes, order: list[str], name: str, end: asyncio.Event) -> float:
    """Leases, notes when its turn came, and gives back at the end; returns how long it had waited."""
    async with sandboxes.lease(request()) as sandbox:
        order.append(name)
        await end.wait()
        return sandbox.lease.waited_s


async def settle() -> None:
    """Lets everything happen that can; a machine that is busy elsewhere takes none of its turns away."""
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_whoever_waits_is_served_in_the_order_in_which_they_came_and_told_how_long_it_took() -> None:
    order: list[str] = []
    ends = {name: asyncio.Event() for name in "abcd"}
    async with played(node(PlayedDocker(), containers=1)) as sandboxes:
        waiting = {}
        for name, end in ends.items():
            waiting[name] = asyncio.create_task(take(sandboxes, order, name, end))
            await settle()
        assert order == ["a"]
        for name in "abcd":
            ends[name].set()
            await waiting[name]
            await settle()

        assert order == list("abcd")
        assert waiting["a"].result() == 0.0
        assert min(waiting[name].result() for name in "bcd") > 0.1


async def test_nobody_slips_in_before_somebody_who_waits_in_the_moment_in_which_room_becomes_free() -> None:
    cluster = Cluster([node(PlayedDocker(), containers=1)])
    first, _ = await cluster.reserve(build(), 0.0)
    waiting = asyncio.create_task(cluster.reserve(build(), 30.0))
    await settle()

    await cluster.release(first)
    assert await cluster.spare(build()) is None
    with pytest.raises(SandboxesBusy):
        await cluster.reserve(build(), 0.0)

    second, _ = await waiting
    await cluster.release(second)
    await cluster.close()


async def test_a_full_machine_is_busy_after_the_wait_that_was_asked_for_and_then_as_before() -> None:
    async with played(node(PlayedDocker(), containers=1)) as sandboxes:
        async with sandboxes.lease(request()):
            for wait_s in (0.0, 0.2):
                with pytest.raises(SandboxesBusy, match=r"No room .* in 0\.\d s.*SOUNDSTAGE_SANDBOX"):
                    async with sandboxes.lease(request(wait_s=wait_s)):
                        raise AssertionError("leased")

        async with sandboxes.lease(request()):
            pass


async def test_somebody_who_waits_no_more_is_in_nobodys_way() -> None:
    order: list[str] = []
    end = asyncio.Event()
    async with played(node(PlayedDocker(), containers=1)) as sandboxes:
        async with sandboxes.lease(request()):
            waiting = [asyncio.create_task(take(sandboxes, order, name, end)) for name in "abc"]
            await settle()
            waiting[0].cancel()
            waiting[1].cancel()
            await settle()
            assert order == []
        await settle()
        end.set()
        await asyncio.wait(waiting)

    assert order == ["c"]


async def test_memory_that_is_promised_is_promised_once_and_a_sandbox_too_large_gets_the_machine_alone() -> None:
    small, tiny = PlayedDocker(), PlayedDocker()
    async with played(node(small, fits=2.9)) as sandboxes, played(node(tiny, fits=0.5)) as alone:
        async with sandboxes.lease(request()), sandboxes.lease(request()):
            with pytest.raises(SandboxesBusy):
                async with sandboxes.lease(request(wait_s=0.1)):
                    raise AssertionError("leased")
        async with alone.lease(request()):
            with pytest.raises(SandboxesBusy):
                async with alone.lease(request(wait_s=0.1)):
                    raise AssertionError("leased")


async def test_without_a_limit_a_share_of_what_the_machine_has_is_promised() -> None:
    engine = PlayedDocker(memory=1 << 30)
    sandboxes = DockerSandboxes([Node(cast("DockerEngine", engine), INSTANCE)], INSTANCE)
    held = [sandboxes.lease(request(wait_s=0.1)) for _ in range(4)]
    for lease in held[:3]:
        await lease.__aenter__()

    with pytest.raises(SandboxesBusy):
        await held[3].__aenter__()

    for lease in held[:3]:
        await lease.__aexit__(None, None, None)
    await sandboxes.close()


async def test_engines_share_the_load_by_their_weights() -> None:
    light, heavy = PlayedDocker("played://light"), PlayedDocker("played://heavy")
    end = asyncio.Event()
    async with played(node(light, weight=1), node(heavy, weight=3)) as sandboxes:
        order: list[str] = []
        held = [asyncio.create_task(take(sandboxes, order, f"{number}", end)) for number in range(8)]
        while len(order) < 8:
            await settle()
        shares = (len(light.there), len(heavy.there))
        end.set()
        await asyncio.gather(*held)

    assert shares == (2, 6)


async def test_an_engine_that_does_not_answer_is_passed_over_and_taken_back_when_it_does() -> None:
    one, two = PlayedDocker("played://one"), PlayedDocker("played://two")
    async with played(node(one), node(two, weight=0.5)) as sandboxes:
        one.down = True
        for _ in range(3):
            async with sandboxes.lease(request()) as sandbox:
                assert sandbox.lease.engine == "played://two"
        one.down = False
        async with sandboxes.lease(request()) as sandbox:
            assert sandbox.lease.engine == "played://two"
        await asyncio.sleep(PAUSE_S)

        async with sandboxes.lease(request()) as sandbox:
            assert sandbox.lease.engine == "played://one"


async def test_when_no_engine_answers_nobody_waits() -> None:
    engines = [PlayedDocker("played://one"), PlayedDocker("played://two")]
    for engine in engines:
        engine.down = True
    async with played(*(node(engine) for engine in engines)) as sandboxes:
        for _ in range(3):
            with pytest.raises(EngineUnavailable):
                async with asyncio.timeout(60), sandboxes.lease(request()):
                    raise AssertionError("leased")


async def test_an_engine_that_is_away_is_no_room_for_whoever_waits_at_a_full_one() -> None:
    full, away = PlayedDocker("played://full"), PlayedDocker("played://away")
    away.down = True
    async with played(node(full, containers=1), node(away, weight=0.1)) as sandboxes:
        async with sandboxes.lease(request()):
            with pytest.raises((SandboxesBusy, EngineUnavailable)):
                async with sandboxes.lease(request(wait_s=0.1)):
                    raise AssertionError("leased")
        async with sandboxes.lease(request()) as sandbox:
            assert sandbox.lease.engine == "played://full"


async def test_the_room_of_sandboxes_that_went_with_their_engine_is_given_back_when_it_is_there_again() -> None:
    engine = PlayedDocker()
    async with played(node(engine, containers=2)) as sandboxes:
        async with sandboxes.lease(request()), sandboxes.lease(request()):
            engine.down = True
            for name in list(engine.there):
                await engine.kill(name)
        await sandboxes.settled()
        with pytest.raises(EngineUnavailable):
            async with sandboxes.lease(request()):
                raise AssertionError("leased")
        engine.down = False
        await asyncio.sleep(PAUSE_S)

        async with sandboxes.lease(request()), sandboxes.lease(request()):
            pass


async def test_a_start_that_fails_for_another_reason_is_told_at_once_and_takes_no_room() -> None:
    engine = PlayedDocker()
    async with played(node(engine, containers=1)) as sandboxes:
        for trouble in (ImageMissing(), RuntimeError("unforeseen")):
            engine.trouble = trouble
            with pytest.raises(type(trouble)):
                async with sandboxes.lease(request()):
                    raise AssertionError("leased")
        engine.trouble = None

        async with sandboxes.lease(request()):
            pass


async def test_an_engine_that_lacks_the_image_is_passed_over_and_leases_of_another_image_are_not() -> None:
    one, two = PlayedDocker("played://one"), PlayedDocker("played://two")
    one.lacks = {"image"}
    async with played(node(one, weight=100), node(two)) as sandboxes:
        for _ in range(4):
            async with sandboxes.lease(request()) as sandbox:
                assert sandbox.lease.engine == "played://two"
        async with sandboxes.lease(request("another")) as sandbox:
            assert sandbox.lease.engine == "played://one"
        one.lacks = set()
        async with sandboxes.lease(request()) as sandbox:
            assert sandbox.lease.engine == "played://one"


async def test_whoever_waits_for_the_only_engine_that_has_the_image_gets_it_there() -> None:
    one, two = PlayedDocker("played://one"), PlayedDocker("played://two")
    one.lacks = {"image"}
    order: list[str] = []
    ends = {name: asyncio.Event() for name in "ab"}
    async with played(node(one, weight=100), node(two, containers=1)) as sandboxes:
        first = asyncio.create_task(take(sandboxes, order, "a", ends["a"]))
        await settle()
        second = asyncio.create_task(take(sandboxes, order, "b", ends["b"]))
        await settle()
        assert order == ["a"]
        for end in ends.values():
            end.set()
        await first

        assert await second > 0


async def test_an_image_is_missing_only_when_every_engine_lacks_it_however_many_there_are() -> None:
    engines = [PlayedDocker(f"played://{number}") for number in range(5)]
    for engine in engines:
        engine.lacks = {"image"}
    async with played(*map(node, engines)) as sandboxes:
        with pytest.raises(ImageMissing):
            async with sandboxes.lease(request()):
                raise AssertionError("leased")
        engines[3].lacks = set()
        async with sandboxes.lease(request()) as sandbox:
            assert sandbox.lease.engine == "played://3"
        engines[3].down = True
        with pytest.raises(EngineUnavailable):
            async with sandboxes.lease(request()):
                raise AssertionError("leased")


async def test_a_start_that_is_cancelled_takes_no_room() -> None:
    engine = PlayedDocker()
    async with played(node(engine, containers=1)) as sandboxes:
        engine.gate.clear()
        leasing = asyncio.create_task(take(sandboxes, [], "a", asyncio.Event()))
        await settle()
        assert len(engine.made) == 1
        leasing.cancel()
        await asyncio.wait([leasing])
        engine.gate.set()

        async with sandboxes.lease(request()):
            assert len(engine.there) == 1


async def test_one_engine_that_is_down_keeps_no_other_from_being_reaped() -> None:
    one, two = PlayedDocker("played://one"), PlayedDocker("played://two")
    one.down = True
    async with played(node(one), node(two)) as sandboxes:
        assert await sandboxes.reap(set) == []
        two.down = True
        with pytest.raises(EngineUnavailable):
            await sandboxes.reap(set)
        two.down = False


async def test_everything_is_let_go_of_once() -> None:
    engine = PlayedDocker()
    before = asyncio.all_tasks()
    async with played(node(engine)) as sandboxes:
        lease = sandboxes.lease(request())
        await lease.__aenter__()
    await lease.__aexit__(None, None, None)
    await sandboxes.settled()

    assert (engine.closed, engine.late) == (1, 0)
    assert asyncio.all_tasks() == before


async def test_a_container_that_an_engine_will_not_remove_keeps_nobody_waiting() -> None:
    engine = PlayedDocker()
    machine = node(engine, fits=1)
    async with played(machine) as sandboxes:
        async with sandboxes.lease(request()):
            engine.stubborn = True
        await sandboxes.settled()

        with pytest.raises(SandboxesBusy):
            async with asyncio.timeout(60), sandboxes.lease(request(wait_s=1.0)):
                raise AssertionError("leased")

        engine.stubborn = False
        async with sandboxes.lease(request()):
            pass


async def test_tidying_that_is_cancelled_forgets_no_container() -> None:
    engine = PlayedDocker()
    machine = node(engine)
    async with played(machine) as sandboxes:
        async with sandboxes.lease(request()):
            engine.stubborn = True
        await sandboxes.settled()
        await asyncio.sleep(PAUSE_S)
        engine.stubborn, engine.slow = False, asyncio.Event()

        tidying = asyncio.create_task(machine.tidy())
        await asyncio.sleep(0.1)
        tidying.cancel()
        await asyncio.wait([tidying])
        engine.slow.set()
        await asyncio.sleep(PAUSE_S)
        await machine.tidy()

        assert machine.load == 0
