"""Running a plan's subtasks as soon as what they need is done."""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from graphlib import TopologicalSorter

from domain.plan import Plan, Subtask

AT_ONCE = 4


class NodeState(StrEnum):
    """How a node ended. ``skipped``: it never began, because one that it needs failed."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


async def run_plan(
    plan: Plan, run: Callable[[Subtask], Awaitable[NodeState]], most: int = AT_ONCE
) -> dict[str, NodeState]:
    """Runs every subtask once, after those it needs, at most ``most`` at a time; how each ended, by its id.

    Where one failed, those that need it are skipped, and the others go on. An exception of one ends the others and is
    raised. When the caller is cancelled, so are they.
    """
    sorter = TopologicalSorter(plan.graph())
    sorter.prepare()
    places = asyncio.Semaphore(most)
    done: asyncio.Queue[str] = asyncio.Queue()
    states: dict[str, NodeState] = {}

    async def work(subtask: Subtask) -> None:
        if any(states[need] is not NodeState.DONE for need in subtask.needs):
            states[subtask.id] = NodeState.SKIPPED
        else:
            async with places:
                states[subtask.id] = await run(subtask)
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
    return states
