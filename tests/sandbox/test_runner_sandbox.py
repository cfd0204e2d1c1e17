"""What the host makes of a runner's answers, also of those that no runner of ours would give."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from domain.command import Verdict, shell
from domain.errors import HostileOutput, SandboxLost, TransferFailed
from domain.files import File, TreeChange
from sandbox.base import ByteStream, Lease
from sandbox.runner import frames
from sandbox.runner_sandbox import RunnerSandbox
from sandbox.vetting import VettingLimits
from tests.sandbox.contract import assert_usable, output, python
from tests.sandbox.played_runner import PlayedRunner
from tests.sandbox.real_runner import killed, real_runner

TOLD = {"exit_code": 0, "signal": None, "ended": None, "oom_kills": 0, "duration_s": 0.1}
LEASE = Lease(token=0, owner="a test", deadline=0.0)


async def starved(since: float = 0.0) -> Verdict:
    """An autopsy that finds a lack of memory."""
    return Verdict.OOM


@pytest.mark.parametrize(
    ("more", "verdict"),
    [
        ({}, Verdict.OK),
        ({"exit_code": 1}, Verdict.FAILED),
        ({"exit_code": None, "signal": 9}, Verdict.KILLED),
        ({"exit_code": None, "signal": 9, "ended": "timeout"}, Verdict.TIMEOUT),
        ({"exit_code": None, "signal": 9, "ended": "output_limit"}, Verdict.OUTPUT_LIMIT),
        ({"exit_code": None, "signal": 9, "ended": "cancelled"}, Verdict.KILLED),
        ({"oom_kills": 1}, Verdict.OOM),
        ({"exit_code": None, "signal": 9, "ended": "timeout", "oom_kills": 2}, Verdict.OOM),
    ],
)
async def test_the_verdict_follows_from_what_the_runner_tells(more: dict[str, Any], verdict: Verdict) -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.RESULT, 1, json.dumps(TOLD | more).encode())

        assert (await RunnerSandbox(runner.channel, "none", LEASE, killed).run(shell("x"))).verdict is verdict


async def test_a_container_that_died_for_want_of_memory_gives_its_output_and_oom() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"so far")
        runner.say_raw(b"")

        result = await RunnerSandbox(runner.channel, "none", LEASE, starved).run(shell("x"))

        assert (result.verdict, result.exit_code, result.stdout) == (Verdict.OOM, None, b"so far")


HOSTILE_ANSWERS = [
    (frames.RESULT, b"no json"),
    (frames.RESULT, b"[]"),
    (frames.RESULT, b"{}"),
    (frames.RESULT, b"\xff\xfe"),
    (frames.RESULT, b"[" * 100_000),
    (frames.RESULT, json.dumps(TOLD | {"exit_code": "zero"}).encode()),
    (frames.RESULT, json.dumps({"deleted": 5, "refused": [], "exit_code": 0}).encode()),
    (frames.RESULT, json.dumps({"deleted": [5], "refused": [], "exit_code": 0}).encode()),
    (frames.RESULT, json.dumps({"deleted": [], "refused": [None], "exit_code": 0}).encode()),
    (99, b"a kind of frame that there is not"),
    (frames.ARCHIVE, b"an archive where none was asked for"),
]


@pytest.mark.parametrize("verb", ["run", "put", "fetch"])
async def test_an_answer_that_makes_no_sense_is_an_error_of_ours_or_is_passed_over(verb: str) -> None:
    escaped = []
    for kind, payload in HOSTILE_ANSWERS:
        async with PlayedRunner() as runner:
            runner.say(kind, 1, payload)
            runner.say_raw(b"")
            try:
                await attempt(RunnerSandbox(runner.channel, "none", LEASE, killed), verb)
            except Exception as error:  # noqa: BLE001 - what is not ours is the finding
                escaped.append(f"{type(error).__name__} for {payload[:40]!r}")

    assert escaped == []


async def attempt(sandbox: RunnerSandbox, verb: str) -> None:
    """Uses a verb; only errors that a caller can act on may come of it."""
    with contextlib.suppress(SandboxLost, TransferFailed, HostileOutput):
        if verb == "run":
            await sandbox.run(shell("x"))
        elif verb == "put":
            await sandbox.put(TreeChange())
        else:
            await sandbox.fetch()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["run", "put", "fetch"]),
    st.lists(st.tuples(st.sampled_from([16, 17, 18, 19, 20, 21]), st.binary(max_size=600)), max_size=4),
)
@example("fetch", [(frames.ARCHIVE, b"x" * 512), (frames.RESULT, b'{"deleted": [], "refused": [], "exit_code": 0}')])
def test_whatever_frames_come_only_errors_of_ours_are_raised(verb: str, answer: list[tuple[int, bytes]]) -> None:
    async def play() -> None:
        async with PlayedRunner() as runner:
            for kind, payload in answer:
                runner.say(kind, 1, payload)
            runner.say_raw(b"")
            await attempt(RunnerSandbox(runner.channel, "none", LEASE, killed), verb)

    asyncio.run(play())


async def test_a_file_that_is_too_large_stays_behind_and_the_others_leave(tmp_path: Path) -> None:
    async with real_runner(tmp_path) as runner:
        sandbox = runner.sandbox(0, VettingLimits(file_bytes=1000))
        await output(sandbox, "head -c 1001 /dev/zero > large; head -c 1000 /dev/zero > fits; sleep 0.1")

        fetched = await sandbox.fetch()

        assert fetched.change.written == {"fits": File(content=bytes(1000))}
        assert fetched.refused == ("large",)
        await output(sandbox, "head -c 10 /dev/zero > large")
        assert (await sandbox.fetch()).change.written == {"large": File(content=bytes(10))}


@pytest.mark.parametrize(
    "limits", [VettingLimits(total_bytes=100_000, entries=100), VettingLimits(entries=3)], ids=["bytes", "entries"]
)
async def test_too_much_output_is_hostile_and_the_sandbox_goes_on(tmp_path: Path, limits: VettingLimits) -> None:
    async with real_runner(tmp_path) as runner:
        sandbox = runner.sandbox(0, limits)
        await output(sandbox, "for n in 1 2 3 4; do head -c 5000000 /dev/zero > file$n; done")

        with pytest.raises(HostileOutput, match="Produce"):
            await sandbox.fetch()

        await output(sandbox, "rm file*")
        await assert_usable(sandbox)


async def test_a_refused_fetch_is_given_again_by_the_next_one(tmp_path: Path) -> None:
    async with real_runner(tmp_path) as runner:
        sandbox = runner.sandbox(0, VettingLimits(entries=2))
        await output(sandbox, "touch a b c; sleep 0.1")
        with pytest.raises(HostileOutput):
            await sandbox.fetch()
        await output(sandbox, "rm c; sleep 0.1")

        assert sorted((await sandbox.fetch()).change.written) == ["a", "b"]


class SlowStream:
    """Passes a runner's bytes on as a busy host does: a few at first, and late."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream = stream
        self._reads = 0
        self.close = stream.close
        self.write = stream.write

    async def read(self) -> bytes:
        """Some bytes, the second to fourth time late."""
        self._reads += 1
        if 1 < self._reads < 5:
            await asyncio.sleep(0.6)
        return await self._stream.read()


async def test_a_host_that_reads_slowly_loses_nothing_of_what_a_program_printed_before_it_ended(
    tmp_path: Path,
) -> None:
    # The pipe is made large enough for all of it, so that the program ends while most of it is unread.
    script = "import fcntl, os; fcntl.fcntl(1, 1031, 1 << 20); os.write(1, b'x' * (1 << 20))"

    async with real_runner(tmp_path, wrap=SlowStream) as runner:
        result = await runner.sandbox(0).run(python(script))

    assert (result.verdict, len(result.stdout)) == (Verdict.OK, 1 << 20)


async def test_a_cancelled_command_gives_its_result_though_nobody_takes_its_output_any_more(tmp_path: Path) -> None:
    ask = {
        "op": "run", "argv": ["head", "-c", "9000000", "/dev/zero"], "cwd": ".", "env": {}, "report": False,
        "timeout_s": 60, "output_limit": 1 << 30, "report_limit": 0,
    }  # fmt: skip
    async with real_runner(tmp_path) as runner:
        number, inbox, _ = runner.channel.open()
        await runner.channel.send(runner.channel.ask(number, ask) + frames.encode(frames.END, number))
        taken = 0
        while taken < frames.WINDOW:
            taken += frames.cost((await inbox.take(10.0))[1])

        # Nothing of it was granted again.
        await runner.channel.send(frames.encode(frames.CANCEL, number))

        kind, payload = await inbox.take(10.0)
        assert (kind, json.loads(payload)["ended"]) == (frames.RESULT, "cancelled")
