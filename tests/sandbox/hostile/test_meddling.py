"""Attacks in company: with a neighbour, under a service that dies, in a container that is ended from outside."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.command import Command, CommandResult, Verdict, shell
from domain.errors import SandboxLost
from domain.files import File, TreeChange
from sandbox.base import OutputChunk
from tests.sandbox.docker_place import until
from tests.sandbox.hostile.arena import PROFILE, arena, record
from tests.sandbox.hostile.case import PROGRAMS
from tests.sandbox.hostile.cases import CANCELLED, CLIENT_DIES, ENDED_OUTSIDE, NEIGHBOUR
from tests.sandbox.test_docker_sandbox import python_process

SERVICE = """
import asyncio, sys
from domain.command import shell
from sandbox.base import OutputChunk, SandboxRequest
from sandbox.container import Instance
from sandbox.docker_sandbox import DockerSandboxes
from sandbox.engine import DockerEngine
from sandbox.node import Node

async def main(host, instance, home, isolation, profile):
    owner = Instance(id=instance, home=home)
    sandboxes = DockerSandboxes([Node(DockerEngine(host or None), owner)], owner)
    request = SandboxRequest(task_id="t", purpose="p", profile=profile, isolation=isolation)
    async with sandboxes.lease(request) as sandbox:
        script = "trap '' HUP INT TERM; setsid sh -c 'while :; do :; done' & echo started; while :; do sleep 1; done"
        async for item in sandbox.stream(shell(script, timeout_s=600)):
            if isinstance(item, OutputChunk):
                print("started", flush=True)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


def output(item: OutputChunk | CommandResult) -> bytes:
    assert isinstance(item, OutputChunk), f"the command has ended: {item}"
    return item.data


async def rest(items: AsyncIterator[OutputChunk | CommandResult]) -> list[OutputChunk | CommandResult]:
    return [item async for item in items]


async def test_a_neighbour_is_out_of_reach(isolation: str, tmp_path: Path) -> None:
    listens = "network_listens_for_others.py"
    async with arena(tmp_path, isolation) as there, there.lease() as neighbour, there.lease() as sandbox:
        programs = {listens: File(content=(PROGRAMS / listens).read_bytes()), "neighbour": File(content=b"x")}
        await neighbour.put(TreeChange(written=programs))
        await neighbour.run(shell("touch /dev/shm/neighbour /tmp/neighbour"))
        async with contextlib.aclosing(neighbour.stream(Command(argv=("python3", listens)))) as heard:
            said = b""
            while b"listening" not in said:
                said += output(await anext(heard))
            hears = asyncio.create_task(rest(heard))

            result = await there.attack(sandbox, NEIGHBOUR)

            assert not hears.done(), "the neighbour did not listen any more"
            await neighbour.run(shell("touch enough"))
            *later, end = await hears
        assert isinstance(end, CommandResult)
        assert (end.verdict, b"ESCAPED" in b"".join((said, *map(output, later)))) == (Verdict.OK, False)
    record(NEIGHBOUR, isolation, result.verdict)


async def test_a_program_ends_with_the_service_that_was_killed(isolation: str, tmp_path: Path) -> None:
    async with arena(tmp_path, isolation) as there:
        instance = there.place.instance
        host = os.environ.get("DOCKER_HOST", "")
        with python_process(SERVICE, host, instance.id, instance.home, isolation, PROFILE) as service:
            assert service.stdout is not None
            assert await asyncio.to_thread(service.stdout.readline) == b"started\n"
            await there.remember()
            service.send_signal(signal.SIGKILL)
        await until(lambda: not there.place.mine())
    record(CLIENT_DIES, isolation, Verdict.INFRASTRUCTURE)


async def test_a_container_that_is_ended_from_outside_is_an_error_and_no_result(isolation: str, tmp_path: Path) -> None:
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        script = "trap '' TERM; echo started; while :; do :; done"
        async with contextlib.aclosing(sandbox.stream(shell(script, timeout_s=60))) as items:
            await anext(items)
            await asyncio.to_thread(there.place.kill)
            with pytest.raises(SandboxLost):
                await anext(items)
    record(ENDED_OUTSIDE, isolation, Verdict.INFRASTRUCTURE)


async def test_a_client_that_cancels_is_heard_above_any_load(isolation: str, tmp_path: Path) -> None:
    spinning = "channel_spinning.py"
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        await sandbox.put(TreeChange(written={spinning: File(content=(PROGRAMS / spinning).read_bytes())}))
        running = asyncio.create_task(sandbox.run(Command(argv=("python3", spinning), timeout_s=600)))
        await asyncio.sleep(1)
        running.cancel()
        verdict = Verdict.KILLED
        try:
            await running
            pytest.fail("the program was not cancelled")
        except asyncio.CancelledError:
            pass
        except SandboxLost:
            verdict = Verdict.INFRASTRUCTURE
        expect = CANCELLED.at(isolation)
        assert verdict in expect.verdicts
        if expect.survives:
            await there.goes_on(sandbox)
    record(CANCELLED, isolation, verdict)
