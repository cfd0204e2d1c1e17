"""Running a plan's subtasks as soon as what they need is done."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.scheduler import NodeState, run_plan
from domain.plan import Plan, Subtask
from domain.task_kind import TaskKind

GRAPHS = st.lists(st.frozensets(st.integers(0, 11), max_size=4), min_size=1, max_size=12)


def plan_of(*needs: frozenset[int]) -> Plan:
    """A plan in which node n needs those of its numbers that are below n."""
    subtasks = [
        Subtask(id=f"n{at}", role="code", goal="x", needs=tuple(f"n{need}" for need in sorted(wanted) if need < at))
        for at, wanted in enumerate(needs)
    ]
    return Plan(kind=TaskKind.FIX, subtasks=tuple(reversed(subtasks)))


@given(GRAPHS, st.integers(1, 4), st.lists(st.integers(0, 3), min_size=12, max_size=12))
async def test_every_node_runs_once_after_its_needs_and_no_more_than_allowed_at_a_time(
    needs: list[frozenset[int]], most: int, pauses: list[int]
) -> None:
    plan = plan_of(*needs)
    ended: list[str] = []
    running: set[str] = set()
    widest = 0

    async def run(subtask: Subtask) -> NodeState:
        nonlocal widest
        assert set(subtask.needs) <= set(ended)
        running.add(subtask.id)
        widest = max(widest, len(running))
        for _ in range(pauses[int(subtask.id[1:])]):
            await asyncio.sleep(0)
        running.remove(subtask.id)
        ended.append(subtask.id)
        return NodeState.DONE

    assert set((await run_plan(plan, run, most)).values()) == {NodeState.DONE}
    assert sorted(ended) == sorted(subtask.id for subtask in plan.subtasks)
    assert widest <= most


async def test_independent_nodes_run_at_the_same_time() -> None:
    together = asyncio.Barrier(3)

    async def run(subtask: Subtask) -> NodeState:
        await together.wait()
        return NodeState.DONE

    await run_plan(plan_of(*[frozenset[int]()] * 3), run, most=3)


async def test_an_exception_ends_the_others_and_comes_out_as_it_is() -> None:
    started, ended = [], []

    async def run(subtask: Subtask) -> NodeState:
        started.append(subtask.id)
        if subtask.id == "n1":
            await asyncio.sleep(0)
            raise ZeroDivisionError
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(subtask.id)
        raise AssertionError

    with pytest.raises(ZeroDivisionError):
        await run_plan(plan_of(frozenset(), frozenset(), frozenset({1})), run)
    assert sorted(started) == ["n0", "n1"]
    assert ended == ["n0"]


async def test_cancelling_the_plan_cancels_what_runs() -> None:
    started, ended = asyncio.Event(), []

    async def run(subtask: Subtask) -> NodeState:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(subtask.id)
        raise AssertionError

    work = asyncio.create_task(run_plan(plan_of(frozenset(), frozenset({0})), run))
    await started.wait()
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    assert ended == ["n0"]


@given(GRAPHS, st.frozensets(st.integers(0, 11)))
async def test_what_needs_a_node_that_failed_is_skipped_and_all_else_runs(
    needs: list[frozenset[int]], failing: frozenset[int]
) -> None:
    ran: set[str] = set()

    async def run(subtask: Subtask) -> NodeState:
        ran.add(subtask.id)
        return NodeState.FAILED if int(subtask.id[1:]) in failing else NodeState.DONE

    plan = plan_of(*needs)
    states = await run_plan(plan, run)
    assert {name for name, state in states.items() if state is not NodeState.SKIPPED} == ran
    for subtask in plan.subtasks:
        held_up = any(states[need] is not NodeState.DONE for need in subtask.needs)
        assert (states[subtask.id] is NodeState.SKIPPED) == held_up
