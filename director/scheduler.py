"""Running a plan's subtasks as soon as what they need is done."""

import asyncio
from collections.abc import Awaitable, Callable
from graphlib import TopologicalSorter

from domain.plan import Plan, Subtask


async def run_plan(plan: Plan, run: Callable[[Subtask], Awaitable[None]], most: int = 4) -> None:
    """Runs every subtask once, after those it needs, at most ``most`` at a time.

    An exception of one ends the others and is raised. When the caller is cancelled, so are they.
    """
    sorter = TopologicalSorter(plan.graph())
    sorter.prepare()
    places = asyncio.Semaphore(most)
    done: asyncio.Queue[str] = asyncio.Queue()

    async def work(subtask: Subtask) -> None:
        async with places:
            await run(subtask)
        done.put_nowait(subtask.id)

    try:
        async with asyncio.TaskGroup() as group:
            while sorter.is_active():
                for subtask_id in sorted(sorter.get_ready()):
                    group.create_task(work(plan.subtask(subtask_id)))
                if sorter.is_active():
                    sorter.done(await done.get())
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
