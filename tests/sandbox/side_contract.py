"""What every sandbox promises about commands side by side, their signals and what they use."""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator

import pytest

from domain.command import Command, CommandResult, Verdict, shell
from sandbox.base import OutputChunk
from tests.sandbox.contract import Leased, assert_usable, output, python, tree

MIB = 1 << 20
BEAT = "while :; do echo x >> {0}; sleep 0.02; done"


async def beats(leased: Leased, file: str) -> bool:
    """Whether somebody still writes to a file."""
    before, after = (await output(leased.sandbox, f"wc -c < {file}; sleep 0.3; wc -c < {file}")).split()
    return before != after


async def end_of(items: AsyncIterator[OutputChunk | CommandResult]) -> CommandResult:
    """The result, which comes last."""
    *_, result = [item async for item in items]
    assert isinstance(result, CommandResult)
    return result


class SideContract:
    """Commands at the same time."""

    async def test_two_commands_that_wait_for_each_other_both_end(self, leased: Leased) -> None:
        meet = "touch {0}; until test -e {1}; do sleep 0.01; done"

        one, two = await asyncio.gather(
            leased.sandbox.run(shell(meet.format("a", "b"))), leased.sandbox.run(shell(meet.format("b", "a")))
        )

        assert (one.verdict, two.verdict) == (Verdict.OK, Verdict.OK)

    async def test_the_end_of_a_command_ends_its_children_and_nobody_elses(self, leased: Leased) -> None:
        long = f"({BEAT.format('theirs')}) & until test -e end; do sleep 0.02; done; kill -0 $! && echo alive"
        running = asyncio.create_task(leased.sandbox.run(shell(long)))
        for script, timeout_s in (
            (f"({BEAT.format('mine')}) & until test -s mine; do sleep 0.02; done", 30),
            (BEAT.format("mine"), 0.2),
        ):
            await leased.sandbox.run(shell(script, timeout_s=timeout_s))

            assert not await beats(leased, "mine")
            assert await beats(leased, "theirs")
        await output(leased.sandbox, "touch end")

        assert (await running).stdout == b"alive\n"
        assert not await beats(leased, "theirs")

    async def test_a_command_that_takes_its_time_to_go_takes_no_other_with_it(self, leased: Leased) -> None:
        slow = "import time\nmemory = bytearray(b'x') * (190 << 20)\nopen('full', 'w').close()\ntime.sleep(60)"
        other = asyncio.create_task(leased.sandbox.run(shell("until test -e end; do sleep 0.02; done")))
        for _ in range(3):
            ended = asyncio.create_task(leased.sandbox.run(python(slow)))
            await output(leased.sandbox, "until test -e full; do sleep 0.02; done; rm full")
            ended.cancel()
            await asyncio.wait([ended])
        await output(leased.sandbox, "touch end")

        assert (await other).ok

    async def test_a_command_whose_output_nobody_takes_holds_up_no_other(self, leased: Leased) -> None:
        data = "import sys\nfor n in range(24): sys.stdout.buffer.write(bytes([n]) * (1 << 20))"
        async with leased.sandbox.start(python(data, output_limit=64 * MIB)) as running:
            await asyncio.sleep(0.2)
            for number in range(5):
                assert await output(leased.sandbox, f"echo {number}") == str(number)
            await leased.sandbox.fetch()
            digest, size = hashlib.sha256(), 0
            async for item in running.items():
                if isinstance(item, OutputChunk):
                    digest.update(item.data)
                    size += len(item.data)

        assert size == 24 * MIB
        assert digest.digest() == hashlib.sha256(b"".join(bytes([n]) * MIB for n in range(24))).digest()

    async def test_a_stream_gives_all_and_a_result_the_first_eight_mebibytes(self, leased: Leased) -> None:
        command = Command(argv=("head", "-c", str(20 * MIB), "/dev/zero"), output_limit=32 * MIB)
        seen = 0
        async with contextlib.aclosing(leased.sandbox.stream(command)) as items:
            async for item in items:
                if isinstance(item, OutputChunk):
                    seen += len(item.data)
                else:
                    result = item

        assert (seen, len(result.stdout), result.verdict) == (20 * MIB, 8 * MIB, Verdict.OK)
        assert result.usage.output_bytes == 20 * MIB

    async def test_more_commands_than_may_run_at_once_fail_and_say_so_and_the_others_go_on(
        self, leased: Leased
    ) -> None:
        end = asyncio.Event()

        async def until_the_end() -> AsyncIterator[bytes]:
            await end.wait()
            yield b"read"

        async def reads() -> CommandResult:
            async with contextlib.aclosing(leased.sandbox.stream(Command(argv=("cat",)), until_the_end())) as items:
                return await end_of(items)

        running = [asyncio.create_task(reads()) for _ in range(32)]
        await asyncio.sleep(0.1)

        surplus = await leased.sandbox.run(shell("true"))
        end.set()

        assert (surplus.verdict, surplus.exit_code) == (Verdict.FAILED, 127)
        assert b"32 commands run already" in surplus.stderr
        assert {result.stdout for result in await asyncio.gather(*running)} == {b"read"}
        await assert_usable(leased.sandbox)


SIGNALLED = """
trap 'echo parent; wait; exit 5' USR1
(trap 'echo child; exit' USR1; echo ready; while :; do sleep 0.05; done) &
wait
"""


class SignalContract:
    """Signals."""

    async def test_a_signal_reaches_the_whole_process_group(self, leased: Leased) -> None:
        async with leased.sandbox.start(shell(SIGNALLED)) as running:
            items = running.items()
            assert await anext(items) == OutputChunk(stream="stdout", data=b"ready\n")
            await running.signal(10)
            result = await end_of(items)

        assert (result.verdict, result.exit_code) == (Verdict.FAILED, 5)
        assert sorted(result.stdout.split()) == [b"child", b"parent", b"ready"]

    async def test_a_signal_ends_one_command_and_not_the_other(self, leased: Leased) -> None:
        async with leased.sandbox.start(shell("echo a; sleep 60")) as one, leased.sandbox.start(shell("cat")) as two:
            await anext(one.items())
            await one.signal(15)

            ended = await end_of(one.items())
            other = await end_of(two.items())

        assert (ended.verdict, other.verdict) == (Verdict.KILLED, Verdict.OK)

    async def test_a_signal_that_there_is_not_and_one_that_comes_too_late_change_nothing(self, leased: Leased) -> None:
        async with leased.sandbox.start(shell("echo a")) as running:
            await running.signal(200)
            result = await end_of(running.items())
            await running.signal(9)

        assert result.verdict is Verdict.OK
        await assert_usable(leased.sandbox)


ODD = {
    "NUL in a variable": {"argv": ("true",), "env": {"A": "a\0b"}},
    "NUL in a folder": {"argv": ("true",), "cwd": "a\0b"},
    "a variable whose name has an equals sign": {"argv": ("true",), "env": {"A=B": "c"}},
    "half a character in a variable": {"argv": ("true",), "env": {"A": "\ud800"}},
    "half a character in a folder": {"argv": ("true",), "cwd": "\ud800"},
    "three megabytes of arguments": {"argv": ("true", *("x" * 100_000 for _ in range(30)))},
    "no program": {"argv": ("",)},
    "a folder as a program": {"argv": ("/",)},
}


class OddContract:
    """Commands that cannot be carried out, and odd ones that can."""

    @pytest.mark.parametrize("what", sorted(ODD))
    async def test_what_cannot_be_started_fails_with_127_and_says_why(self, leased: Leased, what: str) -> None:
        result = await leased.sandbox.run(Command.model_validate(ODD[what]))

        assert (result.verdict, result.exit_code) == (Verdict.FAILED, 127), result
        assert result.stderr.startswith(b"sandbox: ")
        assert len(result.stderr) > len(b"sandbox: \n")
        await assert_usable(leased.sandbox)

    async def test_bytes_that_are_no_text_reach_a_program_as_argument_and_variable(self, leased: Leased) -> None:
        command = Command(argv=("/bin/sh", "-c", 'printf %s "$1$A"', "sh", "\udcff"), env={"A": "\udc80"})

        assert (await leased.sandbox.run(command)).stdout == b"\xff\x80"

    async def test_a_script_of_a_megabyte_runs(self, leased: Leased) -> None:
        script = b"echo " + b"x" * MIB + b"\n"

        result = await leased.sandbox.run(Command(argv=("/bin/sh",), stdin=script))

        assert (result.verdict, len(result.stdout)) == (Verdict.OK, MIB + 1)


class InputContract:
    """Input that comes as it is taken."""

    async def test_no_more_input_is_asked_for_than_the_program_takes(self, leased: Leased) -> None:
        given = 0

        async def source() -> AsyncIterator[bytes]:
            nonlocal given
            for number in range(32):
                given += 1
                yield bytes([number]) * MIB

        script = (
            "import hashlib, os, sys, time\nprint('here', flush=True)\n"
            "while not os.path.exists('go'): time.sleep(0.02)\n"
            "print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())"
        )
        async with leased.sandbox.start(python(script), source()) as running:
            items = running.items()
            await anext(items)
            await asyncio.sleep(0.3)
            before = given
            await output(leased.sandbox, "touch go")
            result = await end_of(items)

        assert before <= 8
        whole = hashlib.sha256(b"".join(bytes([number]) * MIB for number in range(32))).hexdigest()
        assert result.stdout.decode().split() == ["here", whole]

    async def test_input_for_one_command_waits_for_no_other(self, leased: Leased) -> None:
        async with leased.sandbox.start(Command(argv=("sleep", "60"), stdin=b"x" * (8 * MIB), timeout_s=60)):
            result = await leased.sandbox.run(Command(argv=("wc", "-c"), stdin=b"x" * (8 * MIB)))

        assert result.stdout.strip() == b"%d" % (8 * MIB)


class CancelContract:
    """A caller who goes away, at any moment."""

    @pytest.mark.parametrize("stdin", [b"", b"x" * (8 * MIB)], ids=["no input", "much input"])
    @pytest.mark.parametrize("twice", [False, True], ids=["once", "twice"])
    async def test_a_command_cancelled_at_any_moment_leaves_nothing_at_work(
        self, leased: Leased, stdin: bytes, twice: bool
    ) -> None:
        script = "echo $$ >> pids; yes | head -c 30000000; sleep 60"
        command = Command(argv=("/bin/sh", "-c", script), stdin=stdin, timeout_s=60, output_limit=64 * MIB)
        for turns in (0, 1, 2, 3, 4, 6, 8, 12, 20, 40):
            running = asyncio.create_task(leased.sandbox.run(command))
            for _ in range(turns):
                await asyncio.sleep(0.001)
            running.cancel()
            if twice:
                await asyncio.sleep(0)
                running.cancel()
            await asyncio.wait([running])
            assert running.cancelled()

        alive = "for pid in $(cat pids); do kill -0 $pid 2> /dev/null && echo $pid; done"
        await output(leased.sandbox, f'touch pids; while [ -n "$({alive})" ]; do sleep 0.05; done')
        await assert_usable(leased.sandbox)

    async def test_commands_whose_callers_went_away_in_a_hurry_do_not_count_as_running(self, leased: Leased) -> None:
        async def ignore() -> None:
            command = Command(argv=("head", "-c", str(5 * MIB), "/dev/zero"), output_limit=64 * MIB)
            async with leased.sandbox.start(command):
                await asyncio.sleep(60)

        for _ in range(33):
            ignoring = asyncio.create_task(ignore())
            await asyncio.sleep(0.03)
            ignoring.cancel()
            await asyncio.sleep(0)
            ignoring.cancel()
            await asyncio.wait([ignoring])

        await assert_usable(leased.sandbox)

    async def test_a_transfer_cancelled_at_any_moment_leaves_the_next_one_a_clear_way(self, leased: Leased) -> None:
        for turns in (0, 1, 2, 4, 8, 16, 32):
            putting = asyncio.create_task(leased.sandbox.put(tree(large=b"x" * (4 * MIB), small=f"{turns}")))
            await asyncio.sleep(turns / 1000)
            putting.cancel()
            await asyncio.wait([putting])

            await leased.sandbox.put(tree(small=f"{turns}"))
            assert await output(leased.sandbox, "cat small") == f"{turns}"


class UsageContract:
    """What a command used."""

    async def test_processor_time_is_counted(self, leased: Leased) -> None:
        burn = "import time\nwhile time.process_time() < 0.3: pass"

        busy = await leased.sandbox.run(python(burn))
        idle = await leased.sandbox.run(shell("sleep 0.3"))

        assert busy.usage.cpu_s is not None
        assert idle.usage.cpu_s is not None
        assert 0.25 <= busy.usage.cpu_s < 1.0
        assert idle.usage.cpu_s < 0.2

    async def test_the_time_of_children_is_counted_as_well(self, leased: Leased) -> None:
        burn = "import time\nwhile time.process_time() < 0.2: pass"

        result = await leased.sandbox.run(shell(f"python3 -c '{burn}'; python3 -c '{burn}'"))

        assert result.usage.cpu_s is not None
        assert 0.35 <= result.usage.cpu_s < 1.5

    async def test_memory_at_its_peak_is_seen_though_it_was_given_back(self, leased: Leased) -> None:
        result = await leased.sandbox.run(python("held = b'x' * 100_000_000; del held"))
        small = await leased.sandbox.run(shell("true"))

        assert result.usage.peak_memory is not None
        assert small.usage.peak_memory is not None
        assert 100_000_000 <= result.usage.peak_memory < 200_000_000
        assert small.usage.peak_memory < 100_000_000

    async def test_bytes_written_are_counted_and_those_of_the_runner_are_not(self, leased: Leased) -> None:
        written = await leased.sandbox.run(shell("head -c 5000000 /dev/zero > file; echo done"))
        nothing = await leased.sandbox.run(Command(argv=("cat",), stdin=b"x" * 3_000_000, env={"A": "x" * 100_000}))

        assert written.usage.written_bytes is not None
        assert nothing.usage.written_bytes is not None
        assert 5_000_005 <= written.usage.written_bytes < 5_010_000
        assert 3_000_000 <= nothing.usage.written_bytes < 3_010_000

    async def test_output_is_counted_to_the_last_byte(self, leased: Leased) -> None:
        result = await leased.sandbox.run(shell("printf 12345; printf 678 >&2"))
        cut = await leased.sandbox.run(Command(argv=("yes",), output_limit=1000))

        assert result.usage.output_bytes == 8
        assert cut.usage.output_bytes > 1000
