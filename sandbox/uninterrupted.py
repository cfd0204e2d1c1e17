"""Work that is not left half done when whoever waits for it is cancelled."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


async def to_its_end(work: Awaitable[T]) -> T:
    """What ``work`` gives. A caller that is cancelled, once or many times, still waits for its end."""
    working = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _ended(working)
        raise


async def in_thread(work: Callable[[], T], undo: Callable[[T], object], threads: Executor | None = None) -> T:
    """What ``work`` returns, run in a thread (of ``threads``).

    A caller that is cancelled, once or many times, still waits for its end: whoever tidies up must find what it did.
    Its result, which nobody takes then, goes to ``undo``.
    """
    working = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        await _ended(working)
        if working.exception() is None:
            undo(working.result())
        raise


async def _ended(working: "asyncio.Future[T]") -> None:
    while not working.done():
        try:
            await asyncio.wait((working,))
        except asyncio.CancelledError:
            continue
