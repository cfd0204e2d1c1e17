"""Work in a thread that cannot be taken back once it has begun."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import TypeVar

T = TypeVar("T")


async def in_thread(work: Callable[[], T], undo: Callable[[T], object], threads: Executor | None = None) -> T:
    """What ``work`` returns, run in a thread (of ``threads``).

    A caller that is cancelled, once or many times, still waits for its end: whoever tidies up must find what it did.
    Its result, which nobody takes then, goes to ``undo``.
    """
    working = asyncio.get_running_loop().run_in_executor(threads, work)
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        while not working.done():
            try:
                await asyncio.wait((working,))
            except asyncio.CancelledError:
                continue
        if working.exception() is None:
            undo(working.result())
        raise
