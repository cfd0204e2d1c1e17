"""Hedged requests: when the first answer is slow to begin, a second one is asked for, and the quicker one is taken.

Source: Jeffrey Dean and Luiz Andre Barroso, The Tail at Scale (2013).
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import TypeVar

T = TypeVar("T")


async def hedged(
    first: AsyncGenerator[T], second: Callable[[], AsyncGenerator[T] | None], after_s: float
) -> AsyncGenerator[T]:
    """The pieces of ``first``, or of ``second`` where that begins earlier; never of both.

    ``second`` is asked after ``after_s`` seconds without a piece, and may say that there is none. The one that is
    not taken is closed. When both fail before they begin, the last failure is raised.
    """
    streams = [first]
    beginnings = {asyncio.create_task(_begin(first)): first}
    try:
        await asyncio.wait(beginnings, timeout=after_s)
        if not any(task.done() for task in beginnings) and (other := second()) is not None:
            streams.append(other)
            beginnings[asyncio.create_task(_begin(other))] = other
        begun = await _first_to_begin(set(beginnings))
        stream = beginnings.pop(begun)
        _leave(beginnings)
        yield begun.result()
        async for piece in stream:
            yield piece
    except StopAsyncIteration:
        return
    finally:
        _leave(beginnings)
        await asyncio.gather(*beginnings, return_exceptions=True)
        for stream in streams:
            await stream.aclose()


async def _begin(stream: AsyncGenerator[T]) -> T:
    return await anext(stream)


def _leave(tasks: Iterable[asyncio.Task[T]]) -> None:
    """Has them end, once: a second cancellation would cut short what they do to end."""
    for task in tasks:
        if not task.cancelling():
            task.cancel()


async def _first_to_begin(tasks: set[asyncio.Task[T]]) -> asyncio.Task[T]:
    """The first one that has a piece; else the one that failed last."""
    while True:
        done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        begun = next((task for task in done if task.exception() is None), None)
        if begun is not None or not tasks:
            return begun or done.pop()
