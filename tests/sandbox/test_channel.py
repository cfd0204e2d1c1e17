"""One request and its answer, against a runner that is played by the test."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import SandboxLost
from sandbox.channel import Channel
from sandbox.exchange import AT_ONCE, Exchange
from sandbox.runner import frames
from tests.sandbox.played_runner import PlayedRunner

GARBAGE = b"\xff" * 64
"""A header that announces far more than a frame may hold."""


MANY = 1000

ENDS: dict[str, bytes | Exception] = {
    "garbage": GARBAGE,
    "end of stream": b"",
    "broken pipe": OSError("broken"),
}


async def answer(channel: Channel, patience_s: float = 10.0, data: bytes = b"") -> list[tuple[int, bytes]]:
    """Every frame of the answer to one request."""
    async with Exchange(channel, {"op": "anything"}, data) as exchange:
        return [frame async for frame in exchange.frames(patience_s)]


async def test_a_request_travels_with_its_data_and_its_answer_comes_back() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.STDOUT, 1, b"out")
        runner.say(frames.RESULT, 1, b"{}")

        assert await answer(runner.channel, data=b"data") == [
            (frames.STDOUT, b"out"),
            (frames.RESULT, b"{}"),
        ]

    request, *data = runner.heard()
    assert (request[0], json.loads(request[2])) == (frames.REQUEST, {"op": "anything", "token": 0})
    assert data == [(frames.DATA, 1, b"data"), (frames.END, 1, b"")]


async def test_data_goes_in_pieces_that_fit_into_frames_and_its_end_is_said() -> None:
    for size in (0, 1, AT_ONCE, AT_ONCE + 1, frames.MAX_FRAME, frames.MAX_FRAME + 1):
        async with PlayedRunner() as runner:
            asking = asyncio.create_task(answer(runner.channel, data=b"x" * size))
            await runner.has_heard(frames.END)
            runner.say(frames.RESULT, 1, b"{}")
            await asking

        (_, *pieces, end) = runner.heard()
        assert {kind for kind, _, _ in pieces} <= {frames.DATA}
        assert sum(len(data) for _, _, data in pieces) == size
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
        async with Exchange(runner.channel, {}, b"") as exchange:
            stream = exchange.frames(10.0)

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
        exchange = Exchange(runner.channel, {}, b"")
        await exchange.__aenter__()
        await anext(exchange.frames(10.0))

        closing = asyncio.create_task(exchange.__aexit__())
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

            async with asyncio.timeout(30):
                await asyncio.wait([asking])
            runner.say(frames.RESULT, 2, b'"next"')
            assert await answer(runner.channel) == [(frames.RESULT, b'"next"')]


async def test_a_source_of_input_that_fails_cancels_the_request_and_its_error_arrives() -> None:
    async def failing() -> AsyncIterator[bytes]:
        yield b"first"
        raise ZeroDivisionError

    async with PlayedRunner() as runner:

        async def ask() -> None:
            async with Exchange(runner.channel, {}, failing()) as exchange:
                async for _ in exchange.frames(10.0):
                    pass

        asking = asyncio.create_task(ask())
        await runner.has_heard(frames.CANCEL)
        runner.say(frames.RESULT, 1, b"{}")

        with pytest.raises(ZeroDivisionError):
            await asking


async def test_a_slow_reader_gets_every_frame_though_the_stream_has_ended() -> None:
    async with PlayedRunner() as runner:
        for number in range(MANY):
            runner.say(frames.STDOUT, 1, b"%d" % number)
        runner.say(frames.RESULT, 1, b"{}")
        runner.say_raw(b"")
        received: list[bytes] = []

        with contextlib.suppress(SandboxLost):
            async with Exchange(runner.channel, {}, b"") as exchange:
                async for _, payload in exchange.frames(10.0):
                    await asyncio.sleep(0.05 if not received else 0)
                    received.append(payload)

        assert received == [*(b"%d" % number for number in range(MANY)), b"{}"]


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
