"""The host's end of the conversation, against a runner that is played by the test."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SandboxLost
from sandbox.channel import QUEUE_FRAMES, Channel
from sandbox.runner import frames
from tests.sandbox.played_runner import PlayedRunner

GARBAGE = b"\xff" * 64
"""A header that announces far more than a frame may hold."""


ENDS: dict[str, bytes | Exception] = {
    "garbage": GARBAGE,
    "end of stream": b"",
    "broken pipe": OSError("broken"),
}


async def answer(channel: Channel, patience_s: float = 10.0, data: bytes = b"") -> list[tuple[int, bytes]]:
    """Every frame of the answer to one request."""
    return [frame async for frame in channel.request({"op": "anything"}, data, patience_s)]


async def test_a_request_travels_with_its_data_and_its_answer_comes_back() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"out")
        runner.say(frames.RESULT, 1, b"{}")

        assert await answer(runner.channel, data=b"x" * (frames.MAX_FRAME + 1)) == [
            (frames.STDOUT, b"out"),
            (frames.RESULT, b"{}"),
        ]

    (request, *pieces, end) = runner.heard()
    assert (request[0], json.loads(request[2])) == (frames.REQUEST, {"op": "anything"})
    assert [(kind, len(data)) for kind, _, data in pieces] == [(frames.DATA, frames.MAX_FRAME), (frames.DATA, 1)]
    assert end == (frames.END, 1, b"")


async def test_frames_of_other_requests_are_passed_over() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.RESULT, 77, b"{}")
        runner.say(frames.RESULT, 1, b'"mine"')

        assert await answer(runner.channel) == [(frames.RESULT, b'"mine"')]


@pytest.mark.parametrize("end", sorted(ENDS))
async def test_a_stream_that_breaks_is_a_lost_sandbox_now_and_for_every_later_request(end: str) -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"before")
        runner.say_raw(ENDS[end])
        stream = runner.channel.request({}, b"", 10.0)

        assert await anext(stream) == (frames.STDOUT, b"before")
        with pytest.raises(SandboxLost):
            await anext(stream)
        with pytest.raises(SandboxLost):
            await answer(runner.channel)


async def test_half_a_frame_and_then_the_end_is_a_lost_sandbox() -> None:
    async with PlayedRunner() as runner:
        runner.say_raw(frames.encode(frames.RESULT, 1, b"{}")[:-1])
        runner.say_raw(b"")

        with pytest.raises(SandboxLost):
            await answer(runner.channel)


async def test_a_runner_that_falls_silent_is_lost_after_the_patience() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"before")

        with pytest.raises(SandboxLost, match="does not answer"):
            await answer(runner.channel, patience_s=0.05)


@pytest.mark.parametrize("end", [b"", GARBAGE])
async def test_a_sandbox_that_ends_before_it_is_ready_says_so(end: bytes) -> None:
    async with PlayedRunner(waits=False) as runner:
        runner.say_raw(end)

        with pytest.raises(SandboxLost, match="before it was ready"):
            await runner.channel.ready(10.0)


async def test_a_sandbox_that_is_not_ready_in_time_says_so() -> None:
    async with PlayedRunner(waits=False) as runner:
        with pytest.raises(SandboxLost, match="not ready within"):
            await runner.channel.ready(0.01)


async def test_closing_an_answer_early_tells_the_runner_and_waits_for_its_last_word() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"first")
        stream = runner.channel.request({}, b"", 10.0)
        await anext(stream)

        closing = asyncio.create_task(stream.aclose())
        await runner.has_heard(frames.CANCEL)
        assert not closing.done()
        runner.say(frames.STDOUT, 1, b"late")
        runner.say(frames.RESULT, 1, b"{}")
        await closing

        runner.say(frames.RESULT, 2, b'"next"')
        assert await answer(runner.channel) == [(frames.RESULT, b'"next"')]


async def test_a_request_cancelled_in_the_very_moment_its_answer_comes_ends_and_the_next_one_is_answered() -> None:
    for turns in range(12):
        async with PlayedRunner() as runner:
            asking = asyncio.create_task(answer(runner.channel))
            await runner.has_heard(frames.END)
            runner.say(frames.RESULT, 1, b"{}")
            for _ in range(turns):
                await asyncio.sleep(0)

            asking.cancel()

            async with asyncio.timeout(5):
                await asyncio.wait([asking])
            runner.say(frames.RESULT, 2, b'"next"')
            assert await answer(runner.channel) == [(frames.RESULT, b'"next"')]


async def test_a_source_of_input_that_fails_cancels_the_request_and_its_error_arrives() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    async with PlayedRunner() as runner:

        async def ask() -> None:
            async for _ in runner.channel.request({}, failing(), 10.0):
                pass

        asking = asyncio.create_task(ask())
        await runner.has_heard(frames.CANCEL)
        runner.say(frames.RESULT, 1, b"{}")

        with pytest.raises(ZeroDivisionError):
            await asking


async def test_a_slow_reader_gets_every_frame_though_the_stream_has_ended() -> None:
    async with PlayedRunner() as runner:
        for number in range(QUEUE_FRAMES - 1):
            runner.say(frames.STDOUT, 1, b"%d" % number)
        runner.say(frames.RESULT, 1, b"{}")
        runner.say_raw(b"")
        received: list[bytes] = []

        with contextlib.suppress(SandboxLost):
            async for _, payload in runner.channel.request({}, b"", 10.0):
                await asyncio.sleep(0.05 if not received else 0)
                received.append(payload)

        assert len(received) == QUEUE_FRAMES
        assert received[0] == b"0"


@settings(max_examples=50, deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=6))
def test_whatever_bytes_come_the_answer_is_frames_or_a_lost_sandbox(pieces: list[bytes]) -> None:
    async def listen() -> None:
        async with PlayedRunner(waits=False) as runner:
            for piece in pieces:
                runner.say_raw(piece)
            runner.say_raw(b"")
            with contextlib.suppress(SandboxLost):
                await runner.channel.ready(1.0)
            with contextlib.suppress(SandboxLost):
                await answer(runner.channel, 1.0)

    asyncio.run(listen())
