"""Leases: whose sandbox it is, until when, and that nobody else gets a word in."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.command import Verdict, shell
from domain.errors import LeaseEnded, SandboxLost
from domain.files import TreeChange
from sandbox.base import Sandbox, SandboxRequest
from sandbox.fake import FakeSandboxes
from sandbox.runner import frames
from tests.sandbox.contract import assert_usable, output
from tests.sandbox.docker_place import DockerPlace, until
from tests.sandbox.played_runner import PlayedRunner
from tests.sandbox.real_runner import QUIET_BOOT, RealRunner, real_runner


@pytest.fixture
async def runner(tmp_path: Path) -> AsyncIterator[RealRunner]:
    """A runner that nobody has leased."""
    async with real_runner(tmp_path) as there:
        yield there


async def refusals(sandbox: Sandbox) -> list[type[BaseException]]:
    """What each verb raises."""

    async def start() -> None:
        async with sandbox.start(shell("true")) as running:
            async for _ in running.items():
                pass

    async def listen() -> None:
        async with sandbox.listen(1):
            pass

    verbs = [
        sandbox.run(shell("touch mark")),
        start(),
        sandbox.put(TreeChange()),
        sandbox.fetch(),
        sandbox.changes(),
        sandbox.stat(["x"]),
        sandbox.collect(["x"]),
        sandbox.connect(1),
        listen(),
    ]
    ends: list[object] = await asyncio.gather(*verbs, return_exceptions=True)
    return [type(end) for end in ends if isinstance(end, BaseException)]


async def test_an_older_token_is_refused_by_every_verb_and_the_new_holder_is_served(runner: RealRunner) -> None:
    old = await runner.lease(5)
    await assert_usable(old)

    new = await runner.lease(6)

    assert set(await refusals(old)) == {LeaseEnded}
    assert len(await refusals(old)) == 9
    await assert_usable(new)
    assert await new.stat(["mark"]) == [None]


async def test_a_token_that_was_never_given_out_is_refused(runner: RealRunner) -> None:
    await runner.lease(5)

    for token in (0, 4, 6):
        with pytest.raises(LeaseEnded):
            await runner.sandbox(token).run(shell("true"))


@pytest.mark.parametrize("token", [5, 4, 0])
async def test_a_lease_passes_on_only_to_a_newer_token(runner: RealRunner, token: int) -> None:
    holder = await runner.lease(5)

    with pytest.raises(LeaseEnded):
        await runner.lease(token)

    await assert_usable(holder)


async def test_what_the_older_holder_has_at_work_ends_when_the_lease_passes_on(
    runner: RealRunner, tmp_path: Path
) -> None:
    old = await runner.lease(5)
    running = asyncio.create_task(old.run(shell("echo $$ > pid; sleep 60", timeout_s=60)))
    await until((tmp_path / "workspace" / "pid").exists)

    new = await runner.lease(6)

    assert (await running).verdict is Verdict.KILLED
    assert await output(new, "kill -0 $(cat pid) 2> /dev/null || echo gone") == "gone"


async def test_a_runner_ends_at_the_deadline_of_the_lease(runner: RealRunner) -> None:
    holder = await runner.lease(5, seconds=3.0)
    await assert_usable(holder)

    with pytest.raises(SandboxLost):
        await holder.run(shell("sleep 60", timeout_s=60))
    async with asyncio.timeout(60):
        await runner.process.wait()

    with pytest.raises(SandboxLost):
        await holder.run(shell("true"))


async def test_a_runner_that_hears_nothing_ends_by_itself_and_ends_its_commands(tmp_path: Path) -> None:
    async with real_runner(tmp_path, QUIET_BOOT, seconds=3.0) as runner:
        command = shell("echo $$ > pid; sleep 60", timeout_s=60)
        with pytest.raises(SandboxLost):
            await runner.sandbox(0).run(command)
        async with asyncio.timeout(60):
            assert await runner.process.wait() == 0

    pid = (tmp_path / "workspace" / "pid").read_text().strip()
    await until(lambda: not Path(f"/proc/{pid}/exe").exists())


async def test_signs_of_life_keep_an_idle_runner(tmp_path: Path) -> None:
    async with real_runner(tmp_path, QUIET_BOOT, seconds=2.0, beat_s=0.05) as runner:
        await asyncio.sleep(3.0)

        await assert_usable(runner.sandbox(0))


async def test_the_host_gives_signs_of_life_until_it_lets_go() -> None:
    async with PlayedRunner(waits=False, beat_s=0.01) as runner:
        await runner.has_heard(frames.BEAT)
    heard = len(runner.heard())
    await asyncio.sleep(0.1)

    assert len(runner.heard()) == heard


async def test_after_the_context_of_a_lease_every_verb_says_at_once_that_it_has_ended() -> None:
    fakes = FakeSandboxes()
    async with fakes.lease(SandboxRequest(task_id="t", purpose="a test")) as sandbox:
        await assert_usable(sandbox)

    assert set(await refusals(sandbox)) == {LeaseEnded}


async def test_after_the_context_of_a_real_lease_every_verb_says_at_once_that_it_has_ended(place: DockerPlace) -> None:
    async with place.lease() as sandbox:
        running = asyncio.create_task(sandbox.run(shell("sleep 60", timeout_s=60)))
        await asyncio.sleep(0.1)

    # The container is still there: nobody has had the time to remove it.
    assert set(await refusals(sandbox)) == {LeaseEnded}
    with pytest.raises(SandboxLost):
        await running
    await place.sandboxes.settled()
    assert set(await refusals(sandbox)) == {LeaseEnded}
    assert place.mine() == []


async def test_the_deadline_of_a_real_lease_ends_the_sandbox_and_its_container(place: DockerPlace) -> None:
    async with place.lease(lifetime_s=1.0) as sandbox:
        assert 0 < sandbox.lease.deadline - time.time() <= 1.0
        with pytest.raises(SandboxLost):
            await sandbox.run(shell("sleep 60", timeout_s=60))
        assert set(await refusals(sandbox)) == {SandboxLost}


async def test_a_lease_says_whose_it_is_and_every_one_has_a_larger_token(place: DockerPlace) -> None:
    tokens = []
    for _ in range(2):
        async with place.lease() as one, place.lease() as two:
            tokens += [one.lease.token, two.lease.token]
            assert one.lease.owner == place.instance.id
            assert (one.lease.warm, one.lease.waited_s, one.lease.notes) == (False, 0.0, ())
            assert one.lease.engine == (place.engine.host or "the default engine")

    assert tokens[0] != tokens[1]
    assert min(tokens[2:]) > max(tokens[:2])
