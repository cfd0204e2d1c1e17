"""The director's door: however a task ends, its last event says so, with the best tree."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from domain.errors import Conflict, EngineUnavailable, ModelAuthenticationFailed, SoundstageError, UnknownTask
from domain.events import SnapshotMade, SubtaskStarted, TaskFinished, VerificationStarted
from domain.task import Limits, TaskResult, TaskStatus
from gateway.scripted import Line, Scene, ScriptedProvider
from sandbox.base import Sandbox, SandboxRequest
from sandbox.fake import FakeSandboxes
from tests.director.stage import (
    CODE,
    RIGHT,
    TASK,
    WRONG,
    Stage,
    node,
    open_stage,
    part,
    planned,
    shell,
    submit,
    write,
    writes,
)

HANG = Line(calls=(shell("sleep 600"),))


class NoSandboxes(FakeSandboxes):
    """An engine that does not answer once ``purpose`` is asked for."""

    def __init__(self, purpose: str) -> None:
        super().__init__()
        self._purpose = purpose

    @contextlib.asynccontextmanager
    async def lease(self, request: SandboxRequest) -> AsyncIterator[Sandbox]:
        """A sandbox, or EngineUnavailable."""
        if request.purpose == self._purpose:
            raise EngineUnavailable
        async with super().lease(request) as sandbox:
            yield sandbox


async def finished(stage: Stage) -> TaskResult:
    """The result in the last event, which is the only one of its kind and what the task list shows."""
    facts = await stage.facts()
    assert [fact.type for fact in facts].count("task_finished") == 1
    last = facts[-1]
    assert isinstance(last, TaskFinished)
    summary = await stage.product.store.tasks.find(TASK)
    assert summary.status is last.result.status
    # The commit can be read as a whole.
    await stage.texts(last.result.commit)
    return last.result


async def cancel_when(stage: Stage, kind: type[Any], times: int = 1, why: str | None = None) -> None:
    """Runs the task and cancels it once so many facts of the kind were written."""
    running = asyncio.create_task(stage.run())
    async for event in stage.product.store.log.follow(TASK):
        times -= isinstance(event.fact, kind)
        if not times:
            break
    running.cancel(why)
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_task_that_there_is_not_cannot_be_run(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider(())) as stage:
        with pytest.raises(UnknownTask):
            await stage.product.director.run("nothing")


async def test_a_result_is_returned_and_written_as_the_last_event(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await finished(stage) == result
        assert result.status is TaskStatus.UNCHECKED


async def test_a_task_that_is_cancelled_in_the_middle_of_a_tool_call_keeps_its_work(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[Line(calls=(write("a.txt", "1\n"),)), HANG])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"base.txt": "0\n"})
        await cancel_when(stage, SnapshotMade)
        result = await finished(stage)
        assert (result.status, result.reason) == (TaskStatus.CANCELLED, "interrupted")
        assert await stage.texts(result.commit) == {"base.txt": "0\n", "a.txt": "1\n"}
        assert await stage.workspace.head("main") == result.commit
        assert result.usage.total_tokens > 0
        spent = await stage.product.store.ledger.spending(f"task:{TASK}")
        assert spent.reserved_tokens == 0


async def test_a_task_that_is_cancelled_keeps_the_work_of_all_its_branches(tmp_path: Path) -> None:
    parts = [
        part(CODE, f"Do the work of {name}.", lines=[Line(calls=(write(f"{name}.txt", "1\n"),)), HANG])
        for name in ("a", "b", "c")
    ]
    async with open_stage(tmp_path, ScriptedProvider((planned(*map(node, "abc")), *parts))) as stage:
        await stage.submit()
        await cancel_when(stage, SnapshotMade, times=3)
        result = await finished(stage)
        assert set(await stage.texts(result.commit)) == {"a.txt", "b.txt", "c.txt"}


@pytest.mark.parametrize("kind", [SubtaskStarted, VerificationStarted])
async def test_a_task_may_be_cancelled_at_any_time(kind: type[Any], tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG}, command="sleep 600" if kind is VerificationStarted else None)
        await cancel_when(stage, kind)
        assert (await finished(stage)).status is TaskStatus.CANCELLED


async def test_a_correction_that_is_cancelled_leaves_the_best_tree(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("code")),
            part("Mend the code", lines=[Line(calls=(write("calc.py", "worse"),)), HANG]),
            part(CODE, lines=writes(("calc.py", WRONG))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit(command="grep -q 'a + b' calc.py")
        await cancel_when(stage, SnapshotMade, times=2)
        result = await finished(stage)
        assert await stage.texts(result.commit) == {"calc.py": WRONG}
        assert result.evidence is not None
        assert result.evidence.tree == await stage.workspace.tree(result.commit)
        assert result.attempts == 2


@pytest.mark.parametrize("purpose", ["code", "verify"])
async def test_an_engine_that_is_away_fails_the_task_and_is_raised(purpose: str, tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path, model, NoSandboxes(purpose)) as stage:
        await stage.submit({"calc.py": WRONG}, command="true" if purpose == "verify" else None)
        with pytest.raises(EngineUnavailable):
            await stage.run()
        result = await finished(stage)
        assert (result.status, result.solved) == (TaskStatus.FAILED, False)
        assert "Docker engine does not answer" in result.reason


@pytest.mark.parametrize("at", [0, 1])
async def test_a_model_that_cannot_be_used_fails_the_task_and_is_raised(at: int, tmp_path: Path) -> None:
    faults: list[SoundstageError | None] = [*[None] * at, ModelAuthenticationFailed()]
    model = ScriptedProvider((planned(node("code")), Scene(when=(), lines=(submit(),))), faults=faults)
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"a.txt": "1\n"})
        with pytest.raises(ModelAuthenticationFailed):
            await stage.run()
        result = await finished(stage)
        assert result.status is TaskStatus.FAILED
        assert "API key" in result.reason
        assert await stage.texts(result.commit) == {"a.txt": "1\n"}


async def test_the_same_task_is_submitted_only_once(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider(())) as stage:
        await stage.submit()
        spec = await stage.product.store.tasks.spec(TASK)
        await stage.product.director.submit(spec)
        assert len(await stage.facts()) == 1
        with pytest.raises(Conflict):
            await stage.product.director.submit(spec.model_copy(update={"limits": Limits(max_steps=1)}))


async def test_a_cancellation_may_say_why(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[Line(calls=(write("a.txt", "1\n"),)), HANG])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        await cancel_when(stage, SnapshotMade, why="ann cancelled it")
        assert (await finished(stage)).reason == "ann cancelled it"


async def test_a_task_that_was_never_begun_can_be_ended_and_is_not_run_any_more(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider(())) as stage:
        await stage.submit({"a.txt": "1\n"})
        await stage.product.director.end(TASK, "not wanted")
        await stage.product.director.end(TASK, "not wanted again")
        result = await finished(stage)
        assert (result.status, result.reason, result.commit) == (TaskStatus.CANCELLED, "not wanted", stage.base)
        with pytest.raises(Conflict, match="has ended"):
            await stage.run()
        assert (await stage.product.store.tasks.find(TASK)).status is TaskStatus.CANCELLED


async def test_a_task_that_is_cancelled_again_while_it_ends_still_says_how_it_ended(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[Line(calls=(write("a.txt", "1\n"),)), HANG])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        running = asyncio.create_task(stage.run())
        async for event in stage.product.store.log.follow(TASK):
            if isinstance(event.fact, SnapshotMade):
                break
        while not running.done():
            running.cancel()
            await asyncio.sleep(0.001)
        assert running.cancelled()
        result = await finished(stage)
        assert await stage.texts(result.commit) == {"a.txt": "1\n"}
