"""Images of others: one without Python is served by docker exec, one that cannot be served is said to be so."""

import asyncio
import contextlib
import io
import os
import secrets
import tarfile
from collections.abc import AsyncIterator, Iterator

import docker
import docker.errors
import pytest

from domain.command import Command, CommandResult, Verdict, shell
from domain.errors import ImageUnusable, LeaseEnded, SandboxLost, TransferFailed
from domain.files import File, TreeChange
from sandbox import images
from sandbox.base import OutputChunk, Sandbox
from tests.sandbox.contract import output, tree
from tests.sandbox.docker_place import DockerPlace, until

MIB = 1 << 20


@contextlib.contextmanager
def image(dockerfile: str) -> Iterator[str]:
    """An image of the test's own, which is removed at the end."""
    context = io.BytesIO()
    with tarfile.open(fileobj=context, mode="w") as archive:
        for name, content in (("Dockerfile", dockerfile.encode()), ("file", b"x")):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    tag = f"soundstage-test-{secrets.token_hex(8)}:1"
    client = docker.APIClient(base_url=os.environ.get("DOCKER_HOST"), version="auto", timeout=120)
    try:
        said = client.build(
            fileobj=io.BytesIO(context.getvalue()),
            custom_context=True,
            tag=tag,
            rm=True,
            network_mode="none",
            decode=True,
        )
        assert not [line["error"] for line in said if "error" in line]
        yield tag
    finally:
        with contextlib.suppress(docker.errors.ImageNotFound):
            client.remove_image(tag, force=True)
        client.close()


@pytest.fixture(scope="module")
def bare(docker_engine: None) -> Iterator[str]:
    """An image with a shell and tar, and without Python."""
    base = images.tag("python")
    with image(f"FROM {base}\nRUN rm -f /usr/bin/python3* /usr/local/bin/python3* && ! command -v python3\n") as tag:
        yield tag


@pytest.fixture
async def sandbox(place: DockerPlace, bare: str) -> AsyncIterator[Sandbox]:
    """A sandbox without a runner."""
    async with place.lease(image=bare, lifetime_s=120) as leased:
        yield leased


async def test_an_image_without_python_is_served_and_the_lease_says_how(sandbox: Sandbox) -> None:
    (note,) = sandbox.lease.notes
    assert "no Python" in note
    assert "docker exec" in note
    assert sandbox.isolation == "docker/runc"

    result = await sandbox.run(shell("echo out; echo err >&2; pwd; exit 3"))

    assert (result.verdict, result.exit_code) == (Verdict.FAILED, 3)
    assert (result.stdout, result.stderr) == (b"out\n/workspace\n", b"err\n")
    assert result.usage.output_bytes == 19
    assert (await sandbox.run(shell("true"))).verdict is Verdict.OK


async def test_it_is_contained_as_the_others_are(place: DockerPlace, sandbox: Sandbox) -> None:
    uid = int(await output(sandbox, "id -u"))

    assert uid > 20_000
    assert await output(sandbox, "sed -n 's/^CapEff:\\t//p' /proc/self/status") == "0" * 16
    assert await output(sandbox, "sed -n 's/^NoNewPrivs:\\t//p' /proc/self/status") == "1"
    assert await output(sandbox, "ls /sys/class/net") == "lo"
    assert not (await sandbox.run(shell("echo x > /probe"))).ok
    assert not (await sandbox.run(shell("kill -9 1"))).ok
    assert place.inspect()["HostConfig"]["ReadonlyRootfs"]


async def test_input_environment_and_folder_are_those_of_the_command(sandbox: Sandbox) -> None:
    data = bytes(range(256)) * 8_000
    assert (await sandbox.run(Command(argv=("cat",), stdin=data))).stdout == data
    await sandbox.put(tree(deep__folder__file="there"))

    command = Command(argv=("/bin/sh", "-c", 'echo "$A"; cat file'), cwd="deep/folder", env={"A": "b c"})

    assert (await sandbox.run(command)).stdout == b"b c\nthere"


@pytest.mark.parametrize("command", [Command(argv=("no-such-program",)), Command(argv=("true",), cwd="no/such/folder")])
async def test_what_cannot_be_started_is_a_result_that_failed(sandbox: Sandbox, command: Command) -> None:
    result = await sandbox.run(command)

    assert result.verdict is Verdict.FAILED
    assert result.exit_code in {126, 127}
    # These are the engine's own words.
    assert b"OCI runtime exec failed" in result.stdout


async def test_a_deadline_ends_the_command_and_all_that_it_started(sandbox: Sandbox) -> None:
    beat = "while :; do echo x >> beat; sleep 0.02; done"

    result = await sandbox.run(shell(f"setsid sh -c '{beat}' & echo here; trap '' TERM; sleep 60", timeout_s=3))

    assert (result.verdict, result.exit_code, result.stdout) == (Verdict.TIMEOUT, None, b"here\n")
    before, after = (await output(sandbox, "wc -c < beat; sleep 0.3; wc -c < beat")).split()
    assert before == after


async def test_output_past_the_limit_ends_the_command_at_exactly_the_limit(sandbox: Sandbox) -> None:
    result = await sandbox.run(Command(argv=("yes",), output_limit=100_001))

    assert (result.verdict, result.stdout) == (Verdict.OUTPUT_LIMIT, b"y\n" * 50_000 + b"y")
    assert await output(sandbox, "echo here") == "here"


async def test_a_stream_gives_all_as_it_comes_and_a_result_the_first_eight_mebibytes(sandbox: Sandbox) -> None:
    script = f"echo first; sleep 0.2; head -c {12 * MIB} /dev/zero"
    sizes = []
    async with contextlib.aclosing(
        sandbox.stream(Command(argv=("/bin/sh", "-c", script), output_limit=32 * MIB))
    ) as items:
        async for item in items:
            if isinstance(item, OutputChunk):
                sizes.append(len(item.data))
            else:
                assert (item.verdict, len(item.stdout)) == (Verdict.OK, 8 * MIB)

    assert sizes[0] == len("first\n")
    assert sum(sizes) == 12 * MIB + len("first\n")


async def test_whoever_takes_the_output_slowly_is_not_interrupted_by_the_deadline(sandbox: Sandbox) -> None:
    async with contextlib.aclosing(sandbox.stream(shell("echo here; sleep 60", timeout_s=3))) as items:
        assert await anext(items) == OutputChunk(stream="stdout", data=b"here\n")
        await asyncio.sleep(3.5)
        result = await anext(items)

    assert isinstance(result, CommandResult)
    assert result.verdict is Verdict.TIMEOUT


async def test_leaving_a_command_ends_it_and_a_cancelled_one_as_well(sandbox: Sandbox) -> None:
    script = "echo $$ >> pids; echo here; exec sleep 60"
    async with sandbox.start(shell(script, timeout_s=60)) as running:
        await anext(running.items())
    for milliseconds in (0, 5, 20, 60, 200):
        task = asyncio.create_task(sandbox.run(shell(script, timeout_s=60)))
        await asyncio.sleep(milliseconds / 1000)
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()

    alive = "sleep 0.2; for pid in $(cat pids); do kill -0 $pid 2> /dev/null && echo $pid; done; true"
    assert await output(sandbox, alive) == ""


async def test_a_signal_reaches_the_command(sandbox: Sandbox) -> None:
    async with sandbox.start(shell("trap 'echo got; exit 5' USR1; echo here; while :; do sleep 0.05; done")) as running:
        items = running.items()
        await anext(items)
        await running.signal(10)
        *_, result = [item async for item in items]

    assert isinstance(result, CommandResult)
    assert (result.exit_code, result.stdout) == (5, b"here\ngot\n")


async def test_files_go_in_and_what_changed_comes_out(sandbox: Sandbox) -> None:
    written = {
        "plain.txt": File(content=b"plain"),
        "bin/run": File(content=b"#!/bin/sh\necho ran", executable=True),
        "link": File(link="plain.txt"),
        "gone/file": File(content=b"x"),
        "large": File(content=bytes(range(256)) * 8_000),
    }
    await sandbox.put(TreeChange(written=written))
    assert await output(sandbox, "bin/run; cat link") == "ran\nplain"
    await output(sandbox, "echo more >> plain.txt; mkdir d .git; echo new > d/new; rm -r gone; echo x > .git/config")

    first = await sandbox.fetch()
    second = await sandbox.fetch()

    assert first.change == TreeChange(
        written={"plain.txt": File(content=b"plainmore\n"), "d/new": File(content=b"new\n")},
        deleted=frozenset({"gone/file"}),
    )
    assert not second.change
    await sandbox.put(TreeChange(deleted=frozenset({"d/new"})))
    await sandbox.put(tree(only="x"), clear=True)
    assert await output(sandbox, "ls -A") == "only"


async def test_files_are_collected_by_name(sandbox: Sandbox) -> None:
    await output(sandbox, "mkdir -p d/node_modules; echo 1 > d/a; echo 2 > d/node_modules/b; ln -s a d/link")

    found = await sandbox.collect(["d"])

    assert found.change.written == {
        "d/a": File(content=b"1\n"),
        "d/node_modules/b": File(content=b"2\n"),
        "d/link": File(link="a"),
    }
    with pytest.raises(TransferFailed, match="could not be moved"):
        await sandbox.collect(["none"])


async def test_what_needs_the_runner_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(TransferFailed, match="needs the runner"):
        await sandbox.changes()
    with pytest.raises(TransferFailed, match="needs the runner"):
        await sandbox.stat(["x"])
    with pytest.raises(TransferFailed, match="needs the runner"):
        await sandbox.connect(80)
    with pytest.raises(TransferFailed, match="needs the runner"):
        async with sandbox.listen(80):
            raise AssertionError("listens")


async def test_a_container_killed_from_outside_is_a_lost_sandbox(place: DockerPlace, sandbox: Sandbox) -> None:
    async with sandbox.start(shell("echo here; sleep 60", timeout_s=60)) as running:
        items = running.items()
        await anext(items)
        place.kill()
        with pytest.raises(SandboxLost):
            await anext(items)

    await until(lambda: not place.mine())
    with pytest.raises(SandboxLost):
        await sandbox.run(shell("true"))


async def test_a_command_that_leaves_room_for_no_other_process_is_ended_or_costs_the_sandbox(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    fill = """
        $| = 1;
        while (defined(my $pid = fork)) { if (!$pid) { sleep 600; exit } }
        print "x" x 1000 while 1;
    """

    # Whether one more can be started to end them differs from one OCI runtime to the other.
    try:
        result = await sandbox.run(Command(argv=("perl", "-e", fill), timeout_s=60, output_limit=1000))
    except SandboxLost:
        assert place.mine() == []
        return

    assert result.verdict is Verdict.OUTPUT_LIMIT
    (only,) = place.mine()
    assert len(place.client.top(only["Id"])["Processes"]) < 5


def pause(place: DockerPlace) -> None:
    """Stops the only container: from now on nothing can be started in it."""
    (only,) = place.mine()
    place.client.pause(only["Id"])


async def test_a_command_that_cannot_be_ended_at_its_deadline_costs_the_sandbox(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    async with sandbox.start(shell("echo here; sleep 60", timeout_s=5)) as running:
        items = running.items()
        await anext(items)
        pause(place)
        with pytest.raises(SandboxLost):
            await anext(items)

        assert place.mine() == []
    with pytest.raises(SandboxLost):
        await sandbox.run(shell("true"))


async def test_whoever_leaves_a_command_that_cannot_be_ended_is_told(place: DockerPlace, sandbox: Sandbox) -> None:
    async def leave() -> None:
        async with sandbox.start(shell("echo here; sleep 60", timeout_s=60)) as running:
            await anext(running.items())
            pause(place)

    with pytest.raises(SandboxLost):
        await leave()

    assert place.mine() == []


async def test_what_went_wrong_first_is_told_when_the_command_cannot_be_ended_either(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    started = asyncio.Event()

    async def work() -> None:
        async with sandbox.start(shell("echo here; sleep 60", timeout_s=60)) as running:
            await anext(running.items())
            started.set()
            await asyncio.sleep(60)

    working = asyncio.create_task(work())
    await started.wait()
    pause(place)
    working.cancel()
    await asyncio.wait([working])

    assert working.cancelled()
    assert place.mine() == []


async def test_the_sandbox_ends_with_its_lease_and_at_its_deadline(place: DockerPlace, bare: str) -> None:
    async with place.lease(image=bare) as sandbox:
        assert await output(sandbox, "echo here") == "here"
    with pytest.raises(LeaseEnded):
        await sandbox.run(shell("true"))
    await place.sandboxes.settled()
    assert place.mine() == []

    async with place.lease(image=bare, lifetime_s=1.0) as sandbox:
        with pytest.raises(SandboxLost):
            await sandbox.run(shell("sleep 60", timeout_s=60))


async def test_an_image_with_python_and_without_our_runner_is_said_to_be_unusable(place: DockerPlace) -> None:
    with image(f"FROM {images.tag('python')}\nRUN rm -rf /opt/soundstage\n") as tag:
        for _ in range(2):
            with pytest.raises(ImageUnusable, match=f"{tag} has Python.*images list"):
                async with place.lease(image=tag):
                    raise AssertionError("leased")
        await place.sandboxes.settled()
        assert place.mine() == []


async def test_an_image_with_nothing_at_all_is_said_to_be_unusable(place: DockerPlace) -> None:
    with image("FROM scratch\nCOPY file /file\n") as tag:
        with pytest.raises(ImageUnusable, match=f"{tag} has neither Python nor a shell"):
            async with place.lease(image=tag):
                raise AssertionError("leased")
        await place.sandboxes.settled()
        assert place.mine() == []
