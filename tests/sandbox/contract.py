"""What every sandbox promises about commands. Each implementation must pass it as it is."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest

from domain.command import Command, CommandResult, Verdict, shell
from domain.errors import SandboxLost
from domain.files import File, TreeChange
from sandbox.base import OutputChunk, Sandbox


class Leased(NamedTuple):
    """A sandbox in use, and a way to end its runner from outside."""

    sandbox: Sandbox
    kill_runner: Callable[[], Awaitable[None]]


def python(script: str, **more: object) -> Command:
    """The command that runs a Python script."""
    return Command.model_validate({"argv": ("python3", "-c", script), **more})


def tree(**files: str | bytes) -> TreeChange:
    """A change that writes files; ``__`` in a name stands for ``/``."""
    encoded = {name: content.encode() if isinstance(content, str) else content for name, content in files.items()}
    return TreeChange(written={name.replace("__", "/"): File(content=content) for name, content in encoded.items()})


async def output(sandbox: Sandbox, script: str) -> str:
    """What a shell script prints; it must succeed."""
    result = await sandbox.run(shell(script))
    assert result.ok, result
    return result.stdout.decode().strip()


async def assert_usable(sandbox: Sandbox) -> None:
    """Both kinds of verb work."""
    assert await output(sandbox, "echo here") == "here"
    await sandbox.put(tree(usable="yes"))
    assert await output(sandbox, "cat usable") == "yes"


class CommandContract:
    """Commands: how they start, what they are given, how they end."""

    async def test_a_program_that_succeeds_is_ok_with_its_two_streams_apart(self, leased: Leased) -> None:
        result = await leased.sandbox.run(shell("echo out; echo err >&2"))

        assert (result.verdict, result.exit_code) == (Verdict.OK, 0)
        assert (result.stdout, result.stderr, result.report) == (b"out\n", b"err\n", b"")
        assert result.duration_s > 0

    async def test_a_program_that_fails_is_a_result_with_its_exit_code(self, leased: Leased) -> None:
        result = await leased.sandbox.run(shell("exit 7"))

        assert (result.verdict, result.exit_code, result.ok) == (Verdict.FAILED, 7, False)

    async def test_a_program_that_a_signal_ends_is_killed_and_has_no_exit_code(self, leased: Leased) -> None:
        result = await leased.sandbox.run(shell("echo before; kill -SEGV $$"))

        assert (result.verdict, result.exit_code, result.stdout) == (Verdict.KILLED, None, b"before\n")

    async def test_arguments_reach_the_program_unchanged(self, leased: Leased) -> None:
        arguments = ("", "a b", "$HOME", "*", "-n", "'\"\\", "línea\n2", "🎭")

        result = await leased.sandbox.run(
            Command(argv=("python3", "-c", "import sys; print(ascii(sys.argv[1:]))", *arguments))
        )

        assert result.stdout.decode().strip() == ascii(list(arguments))

    async def test_more_arguments_than_fit_into_one_frame_reach_the_program(self, leased: Leased) -> None:
        many = tuple("x" * 100_000 for _ in range(12))

        result = await leased.sandbox.run(Command(argv=("python3", "-c", "import sys; print(len(sys.argv))", *many)))

        assert result.stdout == b"13\n"

    async def test_a_program_that_does_not_exist_fails_with_127_and_says_so(self, leased: Leased) -> None:
        for program in ("no-such-program", "/no/such/program", "./no-such-program"):
            result = await leased.sandbox.run(Command(argv=(program,)))

            assert (result.verdict, result.exit_code) == (Verdict.FAILED, 127)
            assert b"No such file" in result.stderr

    async def test_environment_and_folder_are_those_of_the_command_and_of_no_other(self, leased: Leased) -> None:
        await leased.sandbox.put(tree(deep__folder__file="there"))
        script = 'echo "$GREETING"; cat file'
        command = Command(argv=("/bin/sh", "-c", script), cwd="deep/folder", env={"GREETING": "hello"})

        assert (await leased.sandbox.run(command)).stdout == b"hello\nthere"
        assert await output(leased.sandbox, 'echo "<$GREETING>"; ls') == "<>\ndeep"

    async def test_a_folder_that_does_not_exist_fails_and_says_so(self, leased: Leased) -> None:
        result = await leased.sandbox.run(Command(argv=("true",), cwd="no/such/folder"))

        assert (result.verdict, result.exit_code) == (Verdict.FAILED, 127)
        assert b"No such file" in result.stderr

    async def test_every_byte_of_a_large_input_reaches_the_program_and_comes_back(self, leased: Leased) -> None:
        data = bytes(range(256)) * 24_000

        result = await leased.sandbox.run(Command(argv=("cat",), stdin=data))

        assert result.ok
        assert result.stdout == data

    async def test_a_program_that_does_not_read_its_input_ends_all_the_same(self, leased: Leased) -> None:
        result = await leased.sandbox.run(Command(argv=("echo", "done"), stdin=b"x" * (6 << 20)))

        assert (result.verdict, result.stdout) == (Verdict.OK, b"done\n")
        await assert_usable(leased.sandbox)

    async def test_without_input_a_program_sees_its_end_at_once(self, leased: Leased) -> None:
        result = await leased.sandbox.run(Command(argv=("cat",)))

        assert (result.verdict, result.stdout) == (Verdict.OK, b"")

    async def test_the_report_is_apart_from_what_is_printed(self, leased: Leased) -> None:
        script = "echo printed; echo reported >&3; echo '{}' >&3"

        result = await leased.sandbox.run(Command(argv=("/bin/sh", "-c", script), report=True))

        assert (result.stdout, result.report, result.exit_code) == (b"printed\n", b"reported\n{}\n", 0)

    async def test_a_program_without_report_has_three_descriptors_and_no_more(self, leased: Leased) -> None:
        script = "import os; print(sorted(int(fd) for fd in os.listdir('/proc/self/fd'))[:-1])"

        result = await leased.sandbox.run(python(script))

        assert result.stdout == b"[0, 1, 2]\n"

    async def test_bytes_that_are_no_text_arrive_as_they_are(self, leased: Leased) -> None:
        result = await leased.sandbox.run(python(r"import os; os.write(1, b'\xff\x00\xfe'); os.write(2, b'\x80')"))

        assert (result.stdout, result.stderr) == (b"\xff\x00\xfe", b"\x80")
        assert result.text() == "\ufffd\x00\ufffd\n\ufffd"


class EndContract:
    """Commands that do not end by themselves, and what is left of them."""

    async def test_a_deadline_ends_the_program_and_its_children_and_keeps_what_was_printed(
        self, leased: Leased
    ) -> None:
        beat = "while :; do echo x >> beat; sleep 0.02; done"
        command = shell(f"echo before; ({beat}) & ({beat}) & trap '' TERM; sleep 60", timeout_s=2)

        result = await leased.sandbox.run(command)

        assert (result.verdict, result.exit_code, result.stdout) == (Verdict.TIMEOUT, None, b"before\n")
        counts = await output(leased.sandbox, "wc -c < beat; sleep 0.3; wc -c < beat")
        before, after = counts.split()
        assert before == after

    async def test_what_a_program_leaves_running_ends_with_it(self, leased: Leased) -> None:
        beat = "(while :; do echo x >> beat; sleep 0.02; done)"
        result = await leased.sandbox.run(shell(f"{beat} & until test -s beat; do sleep 0.02; done"))

        assert result.verdict is Verdict.OK
        before, after = (await output(leased.sandbox, "wc -c < beat; sleep 0.3; wc -c < beat")).split()
        assert before == after

    async def test_output_past_the_limit_ends_the_program_at_exactly_the_limit(self, leased: Leased) -> None:
        result = await leased.sandbox.run(Command(argv=("yes",), output_limit=100_001))

        assert result.verdict is Verdict.OUTPUT_LIMIT
        assert result.stdout == b"y\n" * 50_000 + b"y"
        await assert_usable(leased.sandbox)

    async def test_both_streams_count_against_the_limit_and_the_report_does_not(self, leased: Leased) -> None:
        script = "import os; os.write(3, b'r' * 900); os.write(1, b'o' * 600); os.write(2, b'e' * 600)"

        within = await leased.sandbox.run(python(script, output_limit=1200, report=True))
        beyond = await leased.sandbox.run(python(script, output_limit=1199, report=True))

        assert (within.verdict, len(within.report)) == (Verdict.OK, 900)
        assert (beyond.verdict, len(beyond.stdout) + len(beyond.stderr)) == (Verdict.OUTPUT_LIMIT, 1199)

    async def test_output_that_is_cut_is_never_ok_even_when_the_program_has_ended_before(self, leased: Leased) -> None:
        # The pipe is made large enough for all of it, so that the program is gone before most of it is read.
        script = "import fcntl, os; fcntl.fcntl(1, 1031, 1 << 20); os.write(1, b'x' * (1 << 20))"

        verdicts = {(await leased.sandbox.run(python(script, output_limit=900_000))).verdict for _ in range(5)}

        assert verdicts == {Verdict.OUTPUT_LIMIT}

    async def test_output_arrives_before_the_program_ends_and_closing_the_stream_ends_it(self, leased: Leased) -> None:
        async with contextlib.aclosing(leased.sandbox.stream(shell("echo first; sleep 60", timeout_s=60))) as items:
            first = await anext(items)

        assert first == OutputChunk(stream="stdout", data=b"first\n")
        await assert_usable(leased.sandbox)

    async def test_a_stream_is_its_chunks_in_order_and_then_its_result(self, leased: Leased) -> None:
        items = [item async for item in leased.sandbox.stream(shell("echo a; echo b >&2; seq 50000; exit 3"))]

        *chunks, result = items
        assert isinstance(result, CommandResult)
        for stream, whole in (("stdout", result.stdout), ("stderr", result.stderr)):
            data = [chunk.data for chunk in chunks if isinstance(chunk, OutputChunk) and chunk.stream == stream]
            assert b"".join(data) == whole
        assert (result.exit_code, result.stderr, result.stdout[-6:]) == (3, b"b\n", b"50000\n")

    async def test_input_that_comes_bit_by_bit_is_answered_bit_by_bit(self, leased: Leased) -> None:
        answers: asyncio.Queue[bytes] = asyncio.Queue()

        async def conversation() -> AsyncIterator[bytes]:
            for word in (b"one\n", b"two\n"):
                yield word
                assert await answers.get() == word.upper()

        script = "import sys\nfor line in sys.stdin: print(line.upper(), end='', flush=True)"
        async with contextlib.aclosing(leased.sandbox.stream(python(script), conversation())) as items:
            async for item in items:
                if isinstance(item, OutputChunk):
                    answers.put_nowait(item.data)
                else:
                    assert (item.verdict, item.stdout) == (Verdict.OK, b"ONE\nTWO\n")

    async def test_cancelling_a_run_ends_it_and_leaves_the_sandbox_usable(self, leased: Leased) -> None:
        running = asyncio.create_task(leased.sandbox.run(shell("echo $$ > pid; exec sleep 60", timeout_s=60)))
        await asyncio.sleep(0.3)
        running.cancel()

        with pytest.raises(asyncio.CancelledError):
            await running

        await assert_usable(leased.sandbox)
        assert await output(leased.sandbox, "kill -0 $(cat pid) 2>/dev/null && echo alive || echo gone") == "gone"

    async def test_a_run_whose_large_input_nobody_reads_can_be_cancelled(self, leased: Leased) -> None:
        command = Command(argv=("sleep", "60"), stdin=b"x" * (20 << 20), timeout_s=60)
        running = asyncio.create_task(leased.sandbox.run(command))
        await asyncio.sleep(0.5)
        running.cancel()

        async with asyncio.timeout(60):
            await asyncio.wait([running])

        assert running.cancelled()
        await assert_usable(leased.sandbox)

    async def test_transfers_take_turns_and_a_running_command_holds_none_of_them_up(self, leased: Leased) -> None:
        waits = "until grep -q 7 last 2> /dev/null; do sleep 0.01; done; cat file0 file7"
        waiting = asyncio.create_task(leased.sandbox.run(shell(waits)))
        trees = [tree(**{f"file{number}": "x" * 300_000, "last": f"{number}"}) for number in range(8)]

        await asyncio.gather(*(leased.sandbox.put(one) for one in trees))

        assert len((await waiting).stdout) == 600_000
        assert await output(leased.sandbox, "cat last; ls | wc -l") == "79"

    async def test_a_runner_that_dies_in_the_middle_is_a_lost_sandbox_from_then_on(self, leased: Leased) -> None:
        async with contextlib.aclosing(leased.sandbox.stream(shell("echo started; sleep 60", timeout_s=60))) as items:
            await anext(items)
            await leased.kill_runner()
            with pytest.raises(SandboxLost):
                await anext(items)

        with pytest.raises(SandboxLost):
            await leased.sandbox.run(shell("true"))
        with pytest.raises(SandboxLost):
            await leased.sandbox.put(tree(file="x"))
        with pytest.raises(SandboxLost):
            await leased.sandbox.fetch()
