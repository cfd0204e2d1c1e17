import asyncio
from collections.abc import AsyncGenerator

import pytest

from gateway.hedge import hedged
from tests.gateway import virtual_time


class Source:
    """An answer that begins after some seconds, and knows whether it was closed or came to its end."""

    def __init__(self, name: str, after_s: float, error: Exception | None = None) -> None:
        self.name, self.after_s, self.error = name, after_s, error
        self.asked = self.ended = self.left = False

    async def pieces(self) -> AsyncGenerator[str]:
        self.asked = True
        try:
            await asyncio.sleep(self.after_s)
            if self.error is not None:
                raise self.error
            for number in range(3):
                yield f"{self.name}{number}"
                await asyncio.sleep(0.1)
            self.ended = True
        finally:
            self.left = not self.ended


def heard(first: Source, second: Source | None, after_s: float = 1.0) -> list[str]:
    async def listen() -> list[str]:
        spare = second.pieces() if second is not None else None
        try:
            return [piece async for piece in hedged(first.pieces(), lambda: spare, after_s)]
        finally:
            if spare is not None:
                await spare.aclose()

    return virtual_time.run(listen())


def test_a_first_one_that_begins_in_time_is_the_only_one_that_is_asked() -> None:
    first, second = Source("a", 0.5), Source("b", 0)

    assert heard(first, second) == ["a0", "a1", "a2"]
    assert not second.asked


def test_the_second_one_answers_alone_when_it_begins_earlier() -> None:
    first, second = Source("a", 5), Source("b", 1)

    assert heard(first, second) == ["b0", "b1", "b2"]
    assert first.left


def test_the_first_one_answers_alone_when_it_begins_earlier_after_all() -> None:
    first, second = Source("a", 1.5), Source("b", 5)

    assert heard(first, second) == ["a0", "a1", "a2"]
    assert second.left


def test_one_that_fails_leaves_the_answer_to_the_other() -> None:
    assert heard(Source("a", 2, ValueError("a")), Source("b", 5)) == ["b0", "b1", "b2"]
    assert heard(Source("a", 5), Source("b", 1, ValueError("b"))) == ["a0", "a1", "a2"]


def test_a_first_one_that_fails_soon_is_no_matter_of_hedging() -> None:
    second = Source("b", 0)

    with pytest.raises(ValueError, match="a"):
        heard(Source("a", 0.1, ValueError("a")), second)
    assert not second.asked


def test_when_both_fail_the_failure_is_told() -> None:
    with pytest.raises(ValueError, match="a"):
        heard(Source("a", 3, ValueError("a")), Source("b", 1, ValueError("b")))


def test_without_a_second_one_the_first_is_waited_for() -> None:
    assert heard(Source("a", 9), None) == ["a0", "a1", "a2"]


def test_who_is_cancelled_while_the_one_that_was_left_takes_its_time_is_cancelled() -> None:
    async def lingering() -> AsyncGenerator[str]:
        try:
            await asyncio.sleep(50)
            yield "a0"
        finally:
            await asyncio.sleep(10)

    async def listen() -> list[str]:
        second = Source("b", 1).pieces()
        return [piece async for piece in hedged(lingering(), lambda: second, 1.0)]

    async def work() -> bool:
        listening = asyncio.create_task(listen())
        await asyncio.sleep(5)
        listening.cancel()
        await asyncio.wait([listening])
        return listening.cancelled()

    assert virtual_time.run(work())


def test_who_stops_listening_leaves_none_open() -> None:
    first, second = Source("a", 5), Source("b", 1)

    async def listen() -> None:
        spare = second.pieces()
        stream = hedged(first.pieces(), lambda: spare, 1.0)
        assert await anext(stream) == "b0"
        await stream.aclose()

    virtual_time.run(listen())
    assert first.left
    assert second.left


def test_who_is_cancelled_while_both_are_waited_for_leaves_none_open() -> None:
    first, second = Source("a", 50), Source("b", 50)

    async def listen() -> None:
        spare = second.pieces()
        stream = hedged(first.pieces(), lambda: spare, 1.0)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(10):
                await anext(stream)
        await stream.aclose()

    virtual_time.run(listen())
    assert first.left
    assert second.left
