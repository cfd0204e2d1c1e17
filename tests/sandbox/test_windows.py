"""How much may be under way, and what comes of a runner that does not keep to it or goes away, played by the test."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import LeaseEnded, SandboxLost, TransferFailed
from sandbox.channel import Channel
from sandbox.exchange import Exchange
from sandbox.inbox import GRANTED_AT, Inbox, Window
from sandbox.relay import Connection, connect, listen
from sandbox.runner import frames
from tests.sandbox.played_runner import PlayedRunner

FIRST = frames.FIRST_CONNECTION
PIECE = b"x" * frames.MAX_FRAME


def number(value: int) -> bytes:
    """A number as frames carry it."""
    return value.to_bytes(4, "big")


def granted(runner: PlayedRunner, conversation: int) -> int:
    """How much the host has said that it took."""
    kinds = [(kind, at, int.from_bytes(payload, "big")) for kind, at, payload in runner.heard()]
    return sum(size for kind, at, size in kinds if (kind, at) == (frames.GRANT, conversation))


@settings(deadline=None)
@given(st.lists(st.binary(max_size=200), max_size=30), st.lists(st.booleans(), max_size=60))
def test_frames_are_taken_in_the_order_in_which_they_came_and_every_byte_is_granted_at_most_once(
    payloads: list[bytes], turns: list[bool]
) -> None:
    async def play() -> None:
        inbox, credit = Inbox(), 0
        taken: list[bytes] = []
        waiting = list(payloads)
        for puts in turns:
            if puts and waiting:
                assert inbox.put(frames.STDOUT, waiting.pop(0))
            elif len(taken) < len(payloads) - len(waiting):
                taken.append((await inbox.take(1.0))[1])
                credit += inbox.credit()
        assert taken == payloads[: len(taken)]
        assert credit <= sum(frames.cost(payload) for payload in taken)

    asyncio.run(play())


async def test_an_inbox_grants_again_what_was_taken_once_it_is_worth_a_frame() -> None:
    inbox = Inbox()
    granted = 0
    for _ in range(40):
        inbox.put(frames.STDOUT, b"x" * 300_000)
        await inbox.take(1.0)
        credit = inbox.credit()
        assert credit == 0 or credit >= GRANTED_AT
        granted += credit

    assert 40 * frames.cost(b"x" * 300_000) - granted < GRANTED_AT


async def test_a_lost_inbox_gives_what_had_come_and_then_says_so() -> None:
    inbox = Inbox()
    waiting = asyncio.create_task(inbox.take(None))
    await asyncio.sleep(0)
    inbox.put(frames.STDOUT, b"last")
    inbox.lose()

    assert await waiting == (frames.STDOUT, b"last")
    with pytest.raises(SandboxLost):
        await inbox.take(None)


async def test_nothing_comes_in_time_is_a_timeout() -> None:
    with pytest.raises(TimeoutError):
        await Inbox().take(0.01)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, frames.MAX_FRAME), max_size=40), st.lists(st.integers(0, frames.WINDOW), max_size=40))
def test_no_more_is_ever_under_way_than_the_window_allows(sizes: list[int], given: list[int]) -> None:
    async def play() -> None:
        window, sent, credited = Window(), 0, 0

        async def send() -> None:
            nonlocal sent
            for size in sizes:
                await window.take(size)
                sent += size

        sending = asyncio.create_task(send())
        for credit in [0, *given]:
            credit = min(credit, sent - credited)
            window.give(credit)
            credited += credit
            await asyncio.sleep(0)
            assert sent - credited <= frames.WINDOW
        window.give(sent - credited)
        window.lose()
        await asyncio.wait([sending])

    asyncio.run(play())


async def test_whoever_waits_for_a_window_is_told_of_its_loss_and_so_is_whoever_comes_later() -> None:
    window = Window()
    await window.take(frames.WINDOW)
    waiting = asyncio.create_task(window.take(1))
    await asyncio.sleep(0)
    window.lose()

    with pytest.raises(SandboxLost):
        await waiting
    window.give(frames.WINDOW)
    with pytest.raises(SandboxLost):
        await window.take(1)


async def test_a_runner_that_sends_beyond_its_window_is_given_up() -> None:
    async with PlayedRunner() as runner, Exchange(runner.channel, {}, b"") as exchange:
        for _ in range(13):
            runner.say(frames.STDOUT, 1, PIECE)
        await runner.channel.drained(10.0)
        assert runner.channel.lost

        with pytest.raises(SandboxLost):
            async for _ in exchange.frames(10.0):
                pass


async def test_a_runner_that_keeps_to_its_window_is_granted_what_is_taken_and_never_given_up() -> None:
    async with PlayedRunner() as runner, Exchange(runner.channel, {}, b"") as exchange:
        sent = taken = 0
        answer = exchange.frames(10.0)
        for _ in range(60):
            while sent - granted(runner, 1) < frames.WINDOW:
                runner.say(frames.STDOUT, 1, b"x" * 300_000)
                sent += frames.cost(b"x" * 300_000)
            _, payload = await anext(answer)
            taken += frames.cost(payload)
        runner.say(frames.RESULT, 1, b"{}")
        async for kind, payload in answer:
            taken += frames.cost(payload) if kind == frames.STDOUT else 0

    assert taken == sent > 4 * frames.WINDOW


async def test_input_waits_for_credit_and_goes_on_with_it() -> None:
    def sent(runner: PlayedRunner) -> int:
        return sum(len(payload) for kind, _, payload in runner.heard() if kind == frames.DATA)

    async with PlayedRunner() as runner, Exchange(runner.channel, {}, PIECE * 10) as exchange:
        for turn in range(7):
            for _ in range(50):
                await asyncio.sleep(0)
            assert sent(runner) == frames.WINDOW + turn * len(PIECE)
            runner.say(frames.CREDIT, 1, number(len(PIECE)))
        await runner.has_heard(frames.END)
        runner.say(frames.RESULT, 1, b"{}")
        assert [frame async for frame in exchange.frames(10.0)] == [(frames.RESULT, b"{}")]


@pytest.mark.parametrize("end", [b"", b"\xff" * 64, OSError("broken")], ids=["end", "garbage", "broken"])
@pytest.mark.parametrize("phase", ["before", "input", "output", "last word"])
async def test_a_runner_that_goes_away_at_any_phase_is_a_lost_sandbox(end: bytes | Exception, phase: str) -> None:
    async def use(runner: PlayedRunner) -> None:
        async with Exchange(runner.channel, {}, PIECE * 10 if phase == "input" else b"") as exchange:
            if phase == "last word":
                return
            async for _ in exchange.frames(10.0):
                pass

    async with PlayedRunner() as runner:
        using = asyncio.create_task(use(runner))
        await runner.has_heard(frames.CANCEL if phase == "last word" else frames.REQUEST)
        if phase == "output":
            runner.say(frames.STDOUT, 1, b"some")
        runner.say_raw(end)
        await asyncio.wait([using])

        assert runner.channel.lost
        # Whoever wanted nothing more of it is not bothered with its loss.
        error = using.exception()
        assert error is None if phase == "last word" else isinstance(error, SandboxLost)
        with pytest.raises(SandboxLost):
            runner.channel.open()


async def test_a_runner_without_a_last_word_is_given_up() -> None:
    async with PlayedRunner() as runner:
        async with Exchange(runner.channel, {}, b"", last_word_s=0.05):
            pass

        assert runner.channel.lost


async def test_a_request_cancelled_while_it_is_sent_is_ended_as_well() -> None:
    async with PlayedRunner() as runner:
        runner.holds_back = asyncio.Event()
        exchange = Exchange(runner.channel, {}, b"")
        asking = asyncio.create_task(exchange.__aenter__())
        await runner.has_heard(frames.REQUEST)
        asking.cancel()
        await asyncio.sleep(0)
        runner.holds_back.set()
        await runner.has_heard(frames.CANCEL)
        runner.say(frames.RESULT, 1, b"{}")
        await asyncio.wait([asking])

        assert asking.cancelled()
        assert not runner.channel.lost


async def test_an_endless_source_of_input_is_left_when_the_answer_has_come() -> None:
    left = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0)
        finally:
            left.set()

    async with PlayedRunner() as runner, Exchange(runner.channel, {}, endless()) as exchange:
        await runner.has_heard(frames.DATA)
        runner.say(frames.RESULT, 1, b"{}")
        assert [frame async for frame in exchange.frames(10.0)] == [(frames.RESULT, b"{}")]
    async with asyncio.timeout(30):
        await left.wait()


async def test_connections_are_told_apart_and_each_has_a_window_of_its_own() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.OPENED, 1, number(1))
        async with listen(runner.channel, 0, 80) as connections:
            for n in range(3):
                runner.say(frames.OPENED, 1, number(FIRST + n))
                runner.say(frames.BYTES, FIRST + n, b"%d" % n)
            found = [await anext(aiter(connections)) for _ in range(3)]
            unread = [frames.encode(frames.BYTES, FIRST, PIECE[:300_000]) for _ in range(13)]
            for data in unread:
                runner.say_raw(data)
            for n in (2, 1):
                assert await found[n].read() == b"%d" % n
            for n in (1, 2):
                await found[n].write(b"answer %d" % n)
            runner.say(frames.RESULT, 1, b"{}")

    assert (frames.DATA, FIRST + 1, b"answer 1") in runner.heard()
    assert {at for kind, at, _ in runner.heard() if kind == frames.CANCEL} >= {FIRST, FIRST + 1, FIRST + 2}


@pytest.mark.parametrize("conversation", [0, 2, 8080, FIRST - 1])
async def test_a_connection_under_the_number_of_a_request_is_no_runner_of_ours(conversation: int) -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.OPENED, 1, number(1))
        runner.say(frames.OPENED, 1, number(conversation))
        with pytest.raises(SandboxLost):
            async with listen(runner.channel, 0, 80) as connections:
                await anext(aiter(connections))


async def test_connections_without_end_are_no_runner_of_ours() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.OPENED, 1, number(1))
        async with listen(runner.channel, 0, 80):
            for n in range(2000):
                runner.say(frames.OPENED, 1, number(FIRST + n))
            await runner.channel.drained(10.0)
            assert runner.channel.lost


@pytest.mark.parametrize("answer", [b"{}", b"no json", b"[]", b'{"error": "taken"}', b'{"error": 5}'])
async def test_a_refused_connection_is_an_error_of_ours_whatever_the_reason_looks_like(answer: bytes) -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.RESULT, 1, answer)
        with pytest.raises((TransferFailed, SandboxLost)):
            await connect(runner.channel, 0, 80)
    async with PlayedRunner() as runner:
        runner.say(frames.RESULT, 1, answer)
        with pytest.raises((TransferFailed, SandboxLost)):
            async with listen(runner.channel, 0, 80):
                raise AssertionError("listens")


async def test_connections_carry_the_token_of_the_lease_and_say_when_it_has_ended() -> None:
    async def listening(channel: Channel, token: int, port: int) -> None:
        async with listen(channel, token, port):
            pass

    asked = []
    for verb in (connect, listening):
        async with PlayedRunner() as runner:
            runner.say(frames.RESULT, 1, b'{"error": "passed on", "stale": true}')
            with pytest.raises(LeaseEnded):
                await verb(runner.channel, 7, 80)
        asked += [json.loads(payload) for kind, _, payload in runner.heard() if kind == frames.REQUEST]

    assert [(ask["op"], ask["token"]) for ask in asked] == [("connect", 7), ("listen", 7)]


async def test_reading_a_connection_after_its_end_gives_the_end_again_and_writing_to_it_fails() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.OPENED, 1, number(1))
        stream = await connect(runner.channel, 0, 80)
        assert isinstance(stream, Connection)
        runner.say(frames.BYTES, 1, b"last")
        runner.say(frames.RESULT, 1, b"{}")

        assert [await stream.read() for _ in range(3)] == [b"last", b"", b""]
        with pytest.raises(TransferFailed):
            await stream.write(b"x")
        await stream.close()
        await stream.close()


async def test_a_connection_of_a_runner_that_goes_away_is_a_lost_sandbox_for_readers_and_writers() -> None:
    async with PlayedRunner() as runner:
        runner.say(frames.OPENED, 1, number(1))
        stream = await connect(runner.channel, 0, 80)
        writing = asyncio.create_task(stream.write(PIECE * 10))
        await runner.has_heard(frames.DATA)
        runner.say_raw(b"")

        with pytest.raises(SandboxLost):
            await stream.read()
        with pytest.raises(SandboxLost):
            await writing
