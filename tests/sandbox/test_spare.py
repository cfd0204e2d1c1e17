"""The child that waits for its order, what a command inherits, and processes side by side in a real container."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest

from domain.command import CommandResult, Verdict, shell
from domain.errors import TransferFailed
from sandbox.base import OutputChunk, Sandbox
from tests.sandbox.contract import assert_usable, output, python, tree
from tests.sandbox.docker_place import DockerPlace, until

CHILDREN = 'for f in /proc/[0-9]*/stat; do read -r pid _ _ parent _ < $f; [ "$parent" = 1 ] && echo $pid; done; true'


@pytest.fixture
async def sandbox(place: DockerPlace) -> AsyncIterator[Sandbox]:
    """A leased sandbox of the small profile."""
    async with place.lease() as leased:
        yield leased


def as_root(place: DockerPlace, script: str, uid: str = "0") -> str:
    """What a script prints that somebody runs beside the runner, with its own rights or with others."""
    (only,) = place.mine()
    made = place.client.exec_create(only["Id"], ["/bin/sh", "-c", script], user=uid)
    printed: bytes = place.client.exec_start(made["Id"])
    return printed.decode().strip()


def descriptors(place: DockerPlace) -> int:
    """How many the runner has open."""
    return int(as_root(place, "ls /proc/1/fd | wc -l"))


async def spare(place: DockerPlace) -> str:
    """The process id of the child that waits; there is no other child."""
    await until(lambda: len(as_root(place, CHILDREN).split()) == 1)
    return as_root(place, CHILDREN)


async def test_a_spare_that_was_killed_is_replaced_and_nothing_of_it_is_left(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    await assert_usable(sandbox)
    first, before = await spare(place), descriptors(place)

    for _ in range(3):
        killed = await spare(place)
        as_root(place, f"kill -9 {killed}")
        assert await spare(place) != killed
        await assert_usable(sandbox)

    assert await spare(place) != first
    assert descriptors(place) == before


async def test_an_order_for_a_spare_that_is_dead_already_is_carried_out_by_another_one(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    await assert_usable(sandbox)
    waiting, before = await spare(place), descriptors(place)
    (only,) = place.mine()
    for number in range(3):
        # While the runner sleeps, its spare dies and the order comes in: it learns of both at once.
        place.client.kill(only["Id"], signal.SIGSTOP)
        as_root(place, f"kill -9 {waiting}")
        running = asyncio.create_task(sandbox.run(shell(f"echo {number}")))
        await asyncio.sleep(0.1)
        place.client.kill(only["Id"], signal.SIGCONT)

        assert (await running).stdout == b"%d\n" % number
        waiting = await spare(place)

    assert descriptors(place) == before


async def test_a_command_right_after_one_that_killed_everybody_is_carried_out(sandbox: Sandbox) -> None:
    for number in range(10):
        suicide = await sandbox.run(shell("(sleep 60 &); kill -9 -1; exit 7"))
        assert suicide.exit_code == 7
        assert await output(sandbox, f"echo {number}") == str(number)


async def test_nobody_with_the_rights_of_a_command_reaches_the_spare(place: DockerPlace, sandbox: Sandbox) -> None:
    uid = await output(sandbox, "id -u")
    waiting = await spare(place)
    attacks = ("kill -9 {0}", "kill -STOP {0}", "ls /proc/{0}/fd/", "cat /proc/{0}/mem", "cat /proc/{0}/environ")

    for attack in attacks:
        assert as_root(place, f"{attack.format(waiting)} && echo done", uid).endswith(("denied", "permitted"))

    assert await spare(place) == waiting
    await assert_usable(sandbox)


FILL = """
import os, time
children = []
try:
    while True:
        pid = os.fork()
        if not pid: time.sleep(60); os._exit(0)
        children.append(pid)
except OSError: pass
print('full', flush=True); time.sleep(60)
"""


async def test_when_no_process_can_be_made_a_command_fails_with_the_reason_and_a_transfer_as_well(
    sandbox: Sandbox,
) -> None:
    async with sandbox.start(python(FILL)) as running:
        assert await anext(running.items()) == OutputChunk(stream="stdout", data=b"full\n")
        for _ in range(3):
            result = await sandbox.run(shell("true"))

            assert (result.verdict, result.exit_code) == (Verdict.FAILED, 127)
            assert b"Resource temporarily unavailable" in result.stderr
        with pytest.raises(TransferFailed, match="Resource temporarily unavailable"):
            await sandbox.put(tree(file="x"))

    await assert_usable(sandbox)


DESCRIPTORS = """
import json, os
seen = {}
for fd in os.listdir('/proc/self/fd'):
    try: seen[fd] = os.readlink('/proc/self/fd/' + fd)
    except FileNotFoundError: pass
print(json.dumps(seen))
"""


async def test_a_command_has_the_descriptors_of_its_own_and_none_of_the_runner_or_of_another_command(
    sandbox: Sandbox,
) -> None:
    async with sandbox.listen(7001), sandbox.start(shell("sleep 60", timeout_s=60)):
        for report, expected in ((False, {"0", "1", "2"}), (True, {"0", "1", "2", "3"})):
            for _ in range(2):
                result = await sandbox.run(python(DESCRIPTORS, report=report))
                seen = json.loads(result.stdout)

                assert set(seen) == expected
                assert all(name.startswith("pipe:") for name in seen.values())
                assert len(set(seen.values())) == len(expected)


async def test_after_many_commands_the_runner_has_nothing_more_open_than_before(
    place: DockerPlace, sandbox: Sandbox
) -> None:
    async def busy(number: int) -> None:
        await sandbox.run(shell(f"head -c {number}000 /dev/zero; sleep 0.01 &"))
        await sandbox.run(shell("yes", timeout_s=0.05))

    await assert_usable(sandbox)
    before = descriptors(place)
    await asyncio.gather(*(busy(number) for number in range(20)))
    await sandbox.fetch()

    await spare(place)
    assert descriptors(place) == before


BEAT = "while :; do echo x >> {0}; sleep 0.02; done"


async def beats(sandbox: Sandbox, file: str) -> bool:
    """Whether somebody still writes to a file."""
    before, after = (await output(sandbox, f"wc -c < {file}; sleep 0.3; wc -c < {file}")).split()
    return before != after


async def test_daemons_end_with_their_command_also_beside_another_one_whose_children_go_on(sandbox: Sandbox) -> None:
    mine = BEAT.format("mine")
    theirs = f"setsid sh -c '{BEAT.format('theirs')}' & echo here; wait"
    async with sandbox.start(shell(theirs, timeout_s=60)) as other:
        items = other.items()
        await anext(items)
        for script in (f"(setsid sh -c '{mine}' &) ; sleep 0.2", f"setsid sh -c '{mine}' & sleep 0.2; kill -9 $$"):
            await sandbox.run(shell(script))

            assert not await beats(sandbox, "mine")
            assert await beats(sandbox, "theirs")

    assert not await beats(sandbox, "theirs")


async def test_a_daemon_whose_command_runs_on_ends_with_it_at_the_latest(sandbox: Sandbox) -> None:
    daemon = f"(setsid sh -c '{BEAT.format('beat')}' &); until test -e beat; do :; done; echo here; sleep 60"
    async with sandbox.start(shell(daemon, timeout_s=60)) as running:
        await anext(running.items())

    assert not await beats(sandbox, "beat")


async def test_a_command_that_forks_without_end_takes_others_with_it_at_the_most_and_never_the_sandbox(
    sandbox: Sandbox,
) -> None:
    bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
    async with sandbox.start(shell("echo here; sleep 60", timeout_s=60)) as other:
        items = other.items()
        await anext(items)

        assert (await sandbox.run(python(bomb, timeout_s=0.5))).verdict is Verdict.TIMEOUT

    await assert_usable(sandbox)
    assert isinstance(await sandbox.run(shell("true")), CommandResult)


GIVES = """
import os, socket, time
while not os.path.exists('socket'): time.sleep(0.01)
s = socket.socket(socket.AF_UNIX); s.connect('socket')
socket.send_fds(s, [b'x'], [1, 2]); s.recv(1); time.sleep(0.3)
"""
HOLDS = """
import os, socket, threading
server = socket.socket(socket.AF_UNIX); server.bind('s'); server.listen(); os.rename('s', 'socket')
c, _ = server.accept()
_, (out, err), _, _ = socket.recv_fds(c, 1, 2); c.send(b'x')
def flood(fd):
    while True: os.write(fd, b'f' * 65536)
threading.Thread(target=flood, args=(out,)).start(); flood(err)
"""


async def test_a_command_that_lends_its_output_to_another_one_which_floods_it_ends_at_its_limit(
    sandbox: Sandbox,
) -> None:
    mib = 1 << 20
    async with sandbox.start(python(HOLDS, timeout_s=60)), sandbox.start(python(GIVES, output_limit=6 * mib)) as lent:
        # Nobody takes the output until long after its command has ended.
        await asyncio.sleep(1.5)
        *chunks, result = [item async for item in lent.items()]

        assert isinstance(result, CommandResult)
        assert result.verdict is Verdict.OUTPUT_LIMIT
        assert sum(len(chunk.data) for chunk in chunks if isinstance(chunk, OutputChunk)) == 6 * mib
    await assert_usable(sandbox)
