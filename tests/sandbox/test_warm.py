"""The warm pool and many leases, on a real engine: what is leased is fresh, and nothing is left."""

import asyncio
import gc
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.command import Verdict, shell
from domain.errors import SandboxLost
from sandbox.base import SandboxRequest
from sandbox.docker_sandbox import build_of
from sandbox.engine import CALLS_AT_ONCE
from tests.sandbox.contract import assert_usable, output
from tests.sandbox.docker_place import DockerPlace, docker_place, until

REQUEST = SandboxRequest(task_id="a-task", purpose="a test", profile="small")
BUILD = build_of(REQUEST)


@pytest.fixture
async def warm(docker_engine: None) -> AsyncIterator[DockerPlace]:
    """A place where two sandboxes are ready."""
    async with docker_place(pool={BUILD: 2}) as there:
        there.sandboxes.pool.start()
        await there.sandboxes.pool.filled()
        yield there


def names(place: DockerPlace) -> set[str]:
    """The containers of a place."""
    return {container["Names"][0] for container in place.mine()}


async def test_a_warm_lease_is_marked_so_and_as_fresh_as_a_cold_one(warm: DockerPlace) -> None:
    seen = []
    for _ in range(4):
        await warm.sandboxes.pool.filled()
        async with warm.lease() as sandbox:
            assert sandbox.lease.warm
            assert sandbox.lease.waited_s == 0.0
            assert await output(sandbox, "ls -A . /tmp; set -- /proc/[0-9]*; echo $#") == ".:\n\n/tmp:\n2"
            assert (await sandbox.fetch()).change.written == {}
            seen.append(await output(sandbox, "echo x | tee file /tmp/file > /dev/null; id -u"))

    assert len(set(seen)) == 4


async def test_the_deadline_of_a_warm_lease_is_its_own_and_not_that_of_the_container(warm: DockerPlace) -> None:
    async with warm.lease(lifetime_s=1.0) as sandbox:
        assert sandbox.lease.warm
        with pytest.raises(SandboxLost):
            await sandbox.run(shell("sleep 60", timeout_s=60))


async def test_idle_containers_killed_from_outside_are_replaced_and_never_leased(warm: DockerPlace) -> None:
    killed = names(warm)
    for container in warm.mine():
        warm.client.kill(container["Id"])

    async with warm.lease() as sandbox:
        await assert_usable(sandbox)
    await warm.sandboxes.pool.filled()

    assert not names(warm) & killed


async def test_leases_more_than_are_ready_are_all_served(warm: DockerPlace) -> None:
    async def use(number: int) -> bool:
        async with warm.lease() as sandbox:
            assert await output(sandbox, f"echo {number}") == str(number)
            return sandbox.lease.warm

    served = await asyncio.gather(*(use(number) for number in range(6)))

    assert served.count(True) >= 2


async def test_what_one_lease_leaves_running_or_breaks_is_nothing_to_the_next(warm: DockerPlace) -> None:
    async with warm.lease() as sandbox:
        await sandbox.run(shell("setsid sleep 60 & kill -STOP -1; sleep 60", timeout_s=0.3))
        bomb = await sandbox.run(shell("head -c 400M /dev/zero | tail -c 400M > /dev/null"))
    async with warm.lease() as sandbox:
        await assert_usable(sandbox)

    assert bomb.verdict is Verdict.OOM


def open_files() -> int:
    """How many descriptors this process has open."""
    return len(os.listdir("/proc/self/fd"))


def children() -> int:
    """How many child processes this process has."""
    tasks = Path("/proc/self/task").glob("*/children")
    return sum(len(path.read_text().split()) for path in tasks)


async def test_forty_leases_leave_no_container_no_task_no_descriptor_and_no_process(place: DockerPlace) -> None:
    async def lease() -> None:
        async with place.lease() as sandbox:
            assert (await sandbox.run(shell("true"))).ok

    async def settled() -> tuple[int, int, int]:
        await place.sandboxes.settled()
        gc.collect()
        return open_files(), children(), len(asyncio.all_tasks())

    await asyncio.gather(*(lease() for _ in range(4)))
    before = await settled()
    threads = threading.active_count()

    for _ in range(20):
        await asyncio.gather(lease(), lease())

    after = await settled()
    assert place.mine() == []
    # The engine's client keeps a connection for each call that was ever made at once.
    assert after[0] <= before[0] + CALLS_AT_ONCE
    assert after[1:] == before[1:]
    assert threading.active_count() <= threads + CALLS_AT_ONCE


async def test_closing_gives_back_every_thread_and_every_descriptor(docker_engine: None) -> None:
    gc.collect()
    before, tasks = open_files(), asyncio.all_tasks()
    async with docker_place(pool={BUILD: 1}) as place, place.lease() as sandbox:
        await assert_usable(sandbox)
    gc.collect()

    assert asyncio.all_tasks() == tasks
    assert open_files() <= before
    await until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("engine")])
