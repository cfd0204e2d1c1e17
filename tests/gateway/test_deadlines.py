import asyncio
from collections.abc import AsyncGenerator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.chat import AssistantMessage, Delta, FinishReason, ModelReply, Usage
from domain.errors import ModelTimeout
from gateway.base import Endpoint
from gateway.deadlines import Deadlines, within
from tests.gateway import virtual_time

REPLY = ModelReply(message=AssistantMessage(content="x"), usage=Usage(), finish_reason=FinishReason.STOP)
LIMITS = Deadlines(first_s=10, between_s=5, total_s=30)


def test_the_client_of_a_provider_is_not_less_patient_than_the_deadline_of_all_of_an_answer() -> None:
    assert Endpoint(name="p", base_url="http://127.0.0.1:9").read_s >= Deadlines().total_s


class Slow:
    """A stream that pauses so many seconds before each piece, and knows whether it was closed."""

    def __init__(self, pauses: Sequence[float]) -> None:
        self._pauses = pauses
        self.given = 0
        self.closed = False

    async def stream(self) -> AsyncGenerator[Delta | ModelReply]:
        try:
            for pause in self._pauses:
                await asyncio.sleep(pause)
                self.given += 1
                yield Delta(text="x")
            yield REPLY
        finally:
            self.closed = True


async def watch(slow: Slow, deadlines: Deadlines = LIMITS, rest: float = 0) -> tuple[int, float]:
    """Reads everything, resting after each piece; how many pieces came, and when it was over."""
    pieces = 0
    async for _piece in within(deadlines, slow.stream()):
        pieces += 1
        await asyncio.sleep(rest)
    return pieces, asyncio.get_running_loop().time()


def test_a_stream_in_time_passes_whole_and_is_closed() -> None:
    slow = Slow([9.9, 4.9, 4.9])

    pieces, end = virtual_time.run(watch(slow))

    assert (pieces, round(end, 6)) == (4, 19.7)
    assert slow.closed


@pytest.mark.parametrize(
    ("pauses", "pieces", "ends", "limit"),
    [
        ([10.1], 0, 10, "10 s"),
        ([1, 5.1], 1, 6, "5 s"),
        ([9] + [4] * 9, 6, 30, "30 s in all"),
        ([1000], 0, 10, "10 s"),
    ],
    ids=["first", "between", "total", "hanging"],
)
def test_a_late_piece_is_a_timeout_at_the_very_moment_and_closes_the_stream(
    pauses: list[float], pieces: int, ends: float, limit: str
) -> None:
    slow = Slow(pauses)

    async def late() -> float:
        with pytest.raises(ModelTimeout, match=limit):
            await watch(slow)
        return asyncio.get_running_loop().time()

    assert round(virtual_time.run(late()), 6) == ends
    assert (slow.given, slow.closed) == (pieces, True)


def test_what_the_reader_does_between_two_pieces_is_not_held_against_the_provider() -> None:
    pieces, end = virtual_time.run(watch(Slow([1, 1, 1]), rest=6))

    assert (pieces, round(end, 6)) == (4, 27)


def test_a_reader_that_goes_away_closes_the_stream() -> None:
    slow = Slow([1, 1000])

    async def leave() -> None:
        reading = asyncio.ensure_future(watch(slow))
        await asyncio.sleep(3)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        assert reading.cancelled()

    virtual_time.run(leave())
    assert (slow.given, slow.closed) == (1, True)


def test_a_reader_that_has_heard_enough_closes_the_stream() -> None:
    slow = Slow([1, 1])

    async def leave() -> None:
        stream = within(LIMITS, slow.stream())
        assert isinstance(stream, AsyncGenerator)
        await anext(stream)
        await stream.aclose()
        assert slow.closed

    virtual_time.run(leave())


@settings(deadline=None)
@given(st.lists(st.floats(0, 15), max_size=10))
def test_a_stream_passes_exactly_when_every_piece_is_in_time(pauses: list[float]) -> None:
    limits = [LIMITS.first_s, *[LIMITS.between_s] * len(pauses)]
    slack = [limit - pause for limit, pause in zip(limits, pauses, strict=False)]
    slack += [LIMITS.total_s - sum(pauses)]
    if min(map(abs, slack)) < 1e-6:
        return

    async def outcome() -> bool:
        try:
            await watch(Slow(pauses))
        except ModelTimeout:
            return False
        return True

    assert virtual_time.run(outcome()) == (min(slack) > 0)
