"""Hedged requests: when the first answer is slow to begin, a second one is asked for, and the quicker one is taken.

Source: Jeffrey Dean and Luiz Andre Barroso, The Tail at Scale (2013).
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

T = TypeVar("T")


async def hedged(
    first: AsyncGenerator[T], second: Callable[[], AsyncGenerator[T] | None], after_s: float
) -> AsyncGenerator[T]:
    """The pieces of ``first``, or of ``second`` where that begins earlier; never of both.

    ``second`` is asked after ``after_s`` seconds without a piece, and may say that there is none. The one that is
    not taken is closed. When both fail before they begin, the failure of ``first`` is raised.
    """
    streams = [first]
    beginnings: dict[asyncio.Future[T], AsyncGenerator[T]] = {asyncio.ensure_future(anext(first)): first}
    try:
        await asyncio.wait(beginnings, timeout=after_s)
        if not any(task.done() for task in beginnings) and (other := second()) is not None:
            streams.append(other)
            beginnings[asyncio.ensure_future(anext(other))] = other
        begun = await _first_to_begin(set(beginnings))
        stream = beginnings.pop(begun)
        await _leave(beginnings)
        yield begun.result()
        async for piece in stream:
            yield piece
    except StopAsyncIteration:
        return
    finally:
        await _leave(beginnings)
        for stream in streams:
            await stream.aclose()


async def _first_to_begin(tasks: set[asyncio.Future[T]]) -> asyncio.Future[T]:
    """The first one that has a piece; else the one that was begun first, which has failed then."""
    failed: list[asyncio.Future[T]] = []
    while tasks:
        done, tasks = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            if task.exception() is None:
                return task
            failed.append(task)
    return failed[-1]


async def _leave(beginnings: dict[asyncio.Future[T], AsyncGenerator[T]]) -> None:
    for task in beginnings:
        task.cancel()
    for task in beginnings:
        with contextlib.suppress(BaseException):  # it is left, however it ends
            await task
    beginnings.clear()
