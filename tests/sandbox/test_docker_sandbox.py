"""Leases of the real thing: each is one container, which is gone when nobody needs it any more."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from pathlib import Path

import docker.errors
import pytest

from domain.command import shell
from domain.errors import EngineUnavailable, ImageMissing, SandboxLost, UsageError
from sandbox import hardening
from sandbox.base import SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.node import Node
from sandbox.profiles import PROFILES
from tests.sandbox.contract import output
from tests.sandbox.docker_place import DockerPlace, until

ROOT = Path(__file__).resolve().parents[2]


async def test_when_a_lease_ends_the_engine_does_not_know_its_container_any_more(place: DockerPlace) -> None:
    states = []
    for _ in range(5):
        async with place.lease() as sandbox:
            await sandbox.run(shell("true"))
            assert len(place.mine()) == 1
        await place.sandboxes.settled()
        states += [container["State"] for container in place.mine()]

    assert states == []


async def test_an_exception_in_a_lease_passes_and_ends_the_container(place: DockerPlace) -> None:
    with pytest.raises(ZeroDivisionError):
        async with place.lease():
            raise ZeroDivisionError

    await until(lambda: not place.mine())


async def test_cancelling_a_running_command_ends_the_container(place: DockerPlace) -> None:
    async def work() -> None:
        async with place.lease() as sandbox:
            await sandbox.run(shell("setsid sleep 60 & sleep 60", timeout_s=60))

    working = asyncio.create_task(work())
    await until(place.mine)
    await asyncio.sleep(0.3)
    working.cancel()
    await asyncio.wait([working])

    assert working.cancelled()
    await until(lambda: not place.mine())


async def test_a_lease_cancelled_at_any_moment_of_its_start_leaves_nothing(place: DockerPlace) -> None:
    async def work() -> None:
        async with place.lease():
            await asyncio.sleep(60)

    for milliseconds in (0, 1, 3, 5, 10, 20, 30, 40, 50, 60, 80, 120):
        working = asyncio.create_task(work())
        await asyncio.sleep(milliseconds / 1000)
        working.cancel()
        await asyncio.wait([working])
        assert working.cancelled()

    # A socket that was dropped on the way shows as an unclosed one.
    gc.collect()
    await until(lambda: not place.mine())


async def test_a_lease_cancelled_twice_at_any_moment_of_its_start_leaves_nothing(place: DockerPlace) -> None:
    async def work() -> None:
        async with place.lease():
            await asyncio.sleep(60)

    for milliseconds in (1, 5, 10, 20, 30, 40, 60, 80):
        working = asyncio.create_task(work())
        await asyncio.sleep(milliseconds / 1000)
        working.cancel()
        await asyncio.sleep(0.001)
        working.cancel()
        await asyncio.wait([working])

    # Calls of the engine that nobody waits for any more come to their end meanwhile.
    await asyncio.sleep(0.5)
    await place.sandboxes.close()
    gc.collect()
    assert place.mine() == []


async def test_closing_ends_the_containers_of_leases_that_are_still_open(place: DockerPlace) -> None:
    lease = place.lease()
    sandbox = await lease.__aenter__()

    await place.sandboxes.close()

    with pytest.raises(SandboxLost):
        await sandbox.run(shell("true"))
    await until(lambda: not place.mine())
    await lease.__aexit__(None, None, None)


async def test_a_container_killed_from_outside_is_a_lost_sandbox_and_leaves_nothing(place: DockerPlace) -> None:
    async with place.lease() as sandbox:
        running = asyncio.create_task(sandbox.run(shell("sleep 60", timeout_s=60)))
        await asyncio.sleep(0.2)
        place.kill()
        with pytest.raises(SandboxLost):
            await running

    await until(lambda: not place.mine())


async def test_a_container_ends_itself_at_its_deadline_whatever_runs_in_it(place: DockerPlace) -> None:
    async with place.lease(lifetime_s=1.0) as sandbox:
        stubborn = "trap '' TERM INT HUP ALRM; setsid sleep 60 & while :; do sleep 60; done"
        with pytest.raises(SandboxLost):
            await sandbox.run(shell(stubborn, timeout_s=60))
        # Nobody but the engine has removed anything here.
        await until(lambda: not place.mine())


ORPHAN = """
import asyncio, sys
from domain.command import Command
from sandbox.base import SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.node import Node

async def main(owner, home, host, stdin_mib):
    instance = Instance(id=owner, home=home)
    sandboxes = DockerSandboxes([Node(DockerEngine(host or None), instance)], instance)
    async with sandboxes.lease(SandboxRequest(task_id="t", purpose="p", profile="small")) as sandbox:
        command = ("/bin/sh", "-c", "echo leased; setsid sleep 60 & sleep 60")
        stream = sandbox.stream(Command(argv=command, timeout_s=60, stdin=b"x" * (int(stdin_mib) << 20)))
        async for item in stream:
            print(item.data.decode().strip(), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


def python_process(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process of its own that runs a script against this repository."""
    return subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, cwd=ROOT)


@pytest.mark.parametrize("stdin_mib", [0, 20])
async def test_the_container_of_a_killed_service_ends_itself(place: DockerPlace, stdin_mib: int) -> None:
    arguments = (place.instance.id, place.instance.home, os.environ.get("DOCKER_HOST", ""), str(stdin_mib))
    with python_process(ORPHAN, *arguments) as service:
        assert service.stdout is not None
        assert await asyncio.to_thread(service.stdout.readline) == b"leased\n"
        assert len(place.mine()) == 1

        service.send_signal(signal.SIGKILL)

    await until(lambda: not place.mine())


async def test_two_sandboxes_at_once_have_different_users_and_files(place: DockerPlace) -> None:
    async with place.lease() as one, place.lease() as two:
        assert (await one.run(shell("touch file"))).ok

        assert await output(one, "id -u") != await output(two, "id -u")
        assert await output(two, "ls") == ""
        assert len(place.mine()) == 2


async def test_sandboxes_leased_at_once_are_all_different_and_none_ends_another(place: DockerPlace) -> None:
    together = asyncio.Barrier(6)

    async def user() -> str:
        async with place.lease() as sandbox:
            await sandbox.run(shell("sleep 1"))
            async with asyncio.timeout(30):
                await together.wait()
            return await output(sandbox, "id -u")

    users = await asyncio.gather(*(user() for _ in range(6)))

    assert len(set(users)) == 6


async def test_an_image_that_is_not_built_is_said_with_its_remedy(place: DockerPlace) -> None:
    labels = hardening.Labels(lease="x", owner="x", home="x", task_id="x", deadline=0)
    body = hardening.Body(image="soundstage-none:none", profile=PROFILES["small"], uid=30_000, labels=labels)
    config = hardening.runner_config(body, 1.0)

    with pytest.raises(ImageMissing, match="soundstage images build"):
        await place.engine.create("soundstage-x", config)


async def test_a_language_and_a_profile_that_do_not_exist_are_the_mistake_of_the_caller(place: DockerPlace) -> None:
    for wrong in ({"language": "cobol"}, {"profile": "gigantic"}):
        with pytest.raises(UsageError, match="Use one of"):
            async with place.lease(**wrong):
                raise AssertionError("leased")


# docker-py does not close the socket of a connection that was refused.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
async def test_an_engine_that_does_not_answer_is_unavailable_and_closing_is_fine() -> None:
    instance = Instance(id="x", home="x")
    sandboxes = DockerSandboxes([Node(DockerEngine("unix:///nonexistent.sock"), instance)], instance)

    with pytest.raises(EngineUnavailable, match="make engine"):
        async with sandboxes.lease(SandboxRequest(task_id="t", purpose="p")):
            raise AssertionError("leased")
    with pytest.raises(EngineUnavailable):
        await sandboxes.reap(set)
    await sandboxes.close()
    gc.collect()


def test_a_container_that_is_gone_is_no_error_to_remove(place: DockerPlace) -> None:
    asyncio.run(place.engine.remove("soundstage-never-was"))
    with pytest.raises(docker.errors.NotFound):
        place.client.inspect_container("soundstage-never-was")
