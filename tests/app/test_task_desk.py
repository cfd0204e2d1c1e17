"""Submitting, watching and steering tasks: scripted model, real storage, sandboxes without isolation."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from app.bootstrap import Soundstage
from app.settings import Settings
from app.store import open_store
from domain.approval import ApprovalAnswer, ApprovalPolicy, OpenQuestion
from domain.costs import CostGrouping
from domain.errors import EngineUnavailable, SoundstageError, UnknownArtifact, UnknownQuestion, UnknownTask, UsageError
from domain.events import (
    Event,
    Fact,
    QuestionAnswered,
    QuestionAsked,
    SnapshotMade,
    TaskStarted,
    TaskSubmitted,
    ToolCalled,
)
from domain.files import File
from domain.progress import SubtaskState
from domain.task import MAX_PROMPT_BYTES, Limits, TaskStatus
from domain.task_service import TaskOrder
from gateway.scripted import Line, ScriptedProvider
from sandbox.base import SandboxRequest
from sandbox.fake import FakeSandboxes
from tests.director.stage import RIGHT, node, open_stage, part, planned, shell, submit, write, writes
from tests.domain.sample_facts import spec

CODE = "You are the code specialist"
ME = "local"
HANG = Line(calls=(shell("sleep 600"),))
YES, NO = ApprovalAnswer(approved=True), ApprovalAnswer(approved=False, note="not in my house")


def quick() -> ScriptedProvider:
    """Writes calc.py and is done."""
    return ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", RIGHT)))))


def slow() -> ScriptedProvider:
    """Writes a.txt and then hangs."""
    lines = [Line(calls=(write("a.txt", "1\n"),)), HANG]
    return ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))


def careful() -> ScriptedProvider:
    """Wants to run a command, then hands in its work."""
    lines = [Line(calls=(shell("echo done > a.txt"),)), submit()]
    return ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))


def order(prompt: str = "Write the module calc.", **fields: Any) -> TaskOrder:
    return TaskOrder(prompt=prompt, **fields)


async def when(product: Soundstage, task_id: str, kind: type[Fact] | type[Any]) -> Any:
    """The first fact of the kind, as soon as it is written."""
    async with asyncio.timeout(60):
        async for event in product.tasks.follow(ME, task_id):
            if isinstance(event.fact, kind):
                return event.fact
    raise AssertionError(f"the task ended without {kind}")


async def facts(product: Soundstage, task_id: str, kind: type[Any]) -> list[Any]:
    return [event.fact for event in await product.store.log.read(task_id) if isinstance(event.fact, kind)]


async def statuses(product: Soundstage, *task_ids: str) -> list[TaskStatus]:
    return [(await product.tasks.get(ME, task_id)).summary.status for task_id in task_ids]


async def test_a_task_is_worked_on_without_anybody_who_waits(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(files={"base.txt": File(content=b"0\n")}))
        result = await desk.wait(ME, task_id)
        view = await desk.get(ME, task_id)
        assert (view.summary.status, view.result, view.step) == (TaskStatus.UNCHECKED, result, "ended")
        assert [(one.id, one.state) for one in view.subtasks] == [("code", SubtaskState.SUBMITTED)]
        assert view.plan is not None
        patch = await desk.patch(ME, task_id)
        assert patch.paths == ("calc.py",)
        assert b"+    return a + b" in patch.content
        assert await desk.evidence(ME, task_id) is None
        assert sum(line.attempts for line in await desk.costs(ME, task_id, CostGrouping.PURPOSE)) == 3
        events = await desk.events(ME, task_id, 0, 1000)
        assert [event.seq for event in events] == list(range(1, len(events) + 1))
        assert await desk.events(ME, task_id, 2, 3) == events[2:5]
        assert [event async for event in desk.follow(ME, task_id, 3)] == list(events[3:])
        assert await desk.wait(ME, task_id) == result


async def test_evidence_and_kept_files_can_be_had(tmp_path: Path) -> None:
    lines = [
        Line(calls=(write("calc.py", RIGHT), write("report.txt", "fine\n"))),
        Line(calls=(("submit", '{"summary": "done", "artifacts": ["report.txt"]}'),)),
    ]
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))
    async with open_stage(tmp_path, model) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(test_command="grep -q 'a + b' calc.py"))
        result = await desk.wait(ME, task_id)
        assert await desk.evidence(ME, task_id) == result.evidence is not None
        assert await desk.artifact(ME, task_id, "report.txt") == b"fine\n"
        with pytest.raises(UnknownArtifact):
            await desk.artifact(ME, task_id, "../report.txt")


async def test_the_task_of_somebody_else_is_answered_as_one_that_there_is_not(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(owner="ann"))
        await desk.wait("ann", task_id)

        async def followed(owner: str, task: str) -> list[Event]:
            return [event async for event in desk.follow(owner, task)]

        ways: list[Callable[[str], Any]] = [
            lambda task: desk.get("bob", task),
            lambda task: desk.wait("bob", task),
            lambda task: desk.cancel("bob", task, "mine now"),
            lambda task: desk.events("bob", task, 0, 10),
            lambda task: followed("bob", task),
            lambda task: desk.patch("bob", task),
            lambda task: desk.evidence("bob", task),
            lambda task: desk.artifact("bob", task, "a"),
            lambda task: desk.costs("bob", task, CostGrouping.MODEL),
            lambda task: desk.answer("bob", task, "q", YES, "bob"),
        ]
        for way in ways:
            said = []
            for task in (task_id, "0" * 12):
                with pytest.raises(UnknownTask) as error:
                    await way(task)
                said.append(str(error.value).replace(task, "ID"))
            assert said[0] == said[1]
        assert (await desk.page("bob", None, None, 10)).tasks == ()
        assert [task.id for task in (await desk.page("ann", None, None, 10)).tasks] == [task_id]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"model": "cheapest:"}, "names no models"),
        ({"model": ","}, "names no models"),
        ({"isolation": "bubble"}, "no isolation 'bubble'"),
        ({"profile": "huge"}, "no sandbox profile"),
        ({"tests": ("tests/test_a.py",)}, "no such files to protect: tests/test_a.py"),
    ],
)
async def test_what_cannot_be_done_is_refused_before_anything_is_stored(
    wrong: dict[str, Any], message: str, tmp_path: Path
) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        with pytest.raises(UsageError, match=message):
            await stage.product.tasks.submit(order(**wrong))
        assert (await stage.product.tasks.page(ME, None, None, 10)).tasks == ()
        assert not list((tmp_path / "workspaces").glob("*"))


@pytest.mark.parametrize("prompt", ["", " \n", "x" * (MAX_PROMPT_BYTES + 1), "\ud800"], ids=["", "space", "long", "?"])
def test_a_prompt_that_cannot_be_worked_on_is_no_order(prompt: str) -> None:
    with pytest.raises(ValidationError):
        order(prompt)


async def test_so_many_are_worked_on_at_once_and_the_others_wait_for_their_turn_in_order(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow(), soundstage_tasks=1) as stage:
        product, desk = stage.product, stage.product.tasks
        tasks = [await desk.submit(order()) for _ in range(4)]
        for at, task_id in enumerate(tasks):
            await when(product, task_id, SnapshotMade)
            expected = [TaskStatus.CANCELLED] * at + [TaskStatus.RUNNING] + [TaskStatus.SUBMITTED] * (3 - at)
            assert await statuses(product, *tasks) == expected
            assert (await desk.get(ME, tasks[-1])).step == "waiting for its turn" or at == 3
            await desk.cancel(ME, task_id, "ann cancelled it")


async def test_no_more_tasks_are_taken_than_there_is_room_for(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow(), soundstage_tasks=1) as stage:
        desk = stage.product.tasks
        orders = [order(owner=f"owner {number % 10}") for number in range(105)]
        taken = await asyncio.gather(*map(desk.submit, orders), return_exceptions=True)
        refused = [task for task in taken if isinstance(task, SoundstageError)]
        assert len(refused) == 4
        assert "101 tasks of all owners wait or are at work, and no more are taken" in str(refused[0])


async def test_no_owner_takes_the_room_of_others(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow(), soundstage_tasks=1) as stage:
        desk = stage.product.tasks
        taken = await asyncio.gather(*(desk.submit(order()) for _ in range(24)), return_exceptions=True)
        refused = [task for task in taken if isinstance(task, SoundstageError)]
        assert len(refused) == 3
        assert "21 of your tasks wait or are at work, and no more are taken" in str(refused[0])
        assert await desk.submit(order(owner="ann"))
        assert len((await desk.page(ME, None, None, 1000)).tasks) == 21


async def test_a_task_that_waits_is_cancelled_without_having_begun(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow(), soundstage_tasks=1) as stage:
        product, desk = stage.product, stage.product.tasks
        first, second = [await desk.submit(order()) for _ in range(2)]
        await desk.cancel(ME, second, "ann cancelled it")
        result = await desk.wait(ME, second)
        assert (result.status, result.reason) == (TaskStatus.CANCELLED, "ann cancelled it")
        assert await facts(product, second, TaskStarted) == []
        assert await statuses(product, first) != [TaskStatus.CANCELLED]


async def test_whoever_cancels_gets_the_best_tree_however_often_it_is_done(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        product, desk = stage.product, stage.product.tasks
        task_id = await desk.submit(order())
        waiting = asyncio.create_task(desk.wait(ME, task_id))
        await when(product, task_id, SnapshotMade)
        await asyncio.gather(*(desk.cancel(ME, task_id, f"number {number}") for number in range(3)))
        await desk.cancel(ME, task_id, "again")
        result = await waiting
        assert (result.status, result.reason) == (TaskStatus.CANCELLED, "number 0")
        assert (await desk.patch(ME, task_id)).paths == ("a.txt",)


async def test_a_cancellation_counts_from_the_first_moment_even_if_its_caller_goes_away(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        product, desk = stage.product, stage.product.tasks
        task_id = await desk.submit(order())
        await when(product, task_id, SnapshotMade)
        cancelling = asyncio.create_task(desk.cancel(ME, task_id, "ann cancelled it"))
        await asyncio.sleep(0)
        cancelling.cancel()
        result = await desk.wait(ME, task_id)
        assert result.reason == "ann cancelled it"


async def test_a_caller_that_goes_away_while_it_submits_leaves_nothing_at_work(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        product, desk = stage.product, stage.product.tasks
        submitting = asyncio.create_task(desk.submit(order()))
        await asyncio.sleep(0)
        submitting.cancel()
        await asyncio.wait({submitting})
        assert submitting.cancelled()
        (task,) = (await desk.page(ME, None, None, 10)).tasks
        assert task.status is TaskStatus.CANCELLED
        assert await facts(product, task.id, TaskStarted) == []


async def test_at_the_end_of_the_process_every_task_is_cancelled_and_says_so(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow(), soundstage_tasks=1) as stage:
        desk = stage.product.tasks
        tasks = [await desk.submit(order()) for _ in range(3)]
        await when(stage.product, tasks[0], SnapshotMade)
    with pytest.raises(UsageError, match="being ended"):
        await desk.submit(order())
    async with open_store(Settings(soundstage_home=tmp_path)) as store:
        for task_id in tasks:
            result = await store.tasks.result(task_id)
            assert result is not None
            assert (result.status, result.reason) == (
                TaskStatus.CANCELLED,
                "interrupted: the process that worked on it was ended",
            )


class NoSandboxes(FakeSandboxes):
    """An engine that does not answer."""

    def lease(self, request: SandboxRequest) -> Any:
        """EngineUnavailable."""
        raise EngineUnavailable


async def test_whoever_waits_gets_the_error_that_ended_the_task(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick(), NoSandboxes()) as stage:
        desk = stage.product.tasks
        with pytest.raises(EngineUnavailable):
            await desk.wait(ME, await desk.submit(order()))
        (task,) = (await desk.page(ME, TaskStatus.FAILED, None, 10)).tasks
        assert (await desk.wait(ME, task.id)).status is TaskStatus.FAILED


async def asked(product: Soundstage, task_id: str) -> OpenQuestion:
    await when(product, task_id, QuestionAsked)
    (question,) = (await product.tasks.get(ME, task_id)).questions
    return question


async def test_a_question_is_open_for_no_longer_than_the_task_may_last(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        limits = Limits(wall_clock_s=100)
        task_id = await stage.product.tasks.submit(order(approval=ApprovalPolicy.DESTRUCTIVE, limits=limits))
        assert (await asked(stage.product, task_id)).patience_s < 100


@pytest.mark.parametrize("answer", [YES, NO], ids=["yes", "no"])
async def test_a_question_is_answered_once_and_the_work_goes_on_accordingly(
    answer: ApprovalAnswer, tmp_path: Path
) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        product, desk = stage.product, stage.product.tasks
        task_id = await desk.submit(order(approval=ApprovalPolicy.DESTRUCTIVE))
        question = await asked(product, task_id)
        assert (question.question.tool, question.question.actor) == ("shell", "code specialist")
        assert "echo done" in question.question.summary
        with pytest.raises(UnknownQuestion):
            await desk.answer(ME, task_id, "another", answer, "ann")
        await desk.answer(ME, task_id, question.id, answer, "ann")
        with pytest.raises(UnknownQuestion):
            await desk.answer(ME, task_id, question.id, YES, "bob")
        result = await desk.wait(ME, task_id)
        assert (await desk.patch(ME, task_id)).paths == (("a.txt",) if answer.approved else ())
        (told,) = await facts(product, task_id, QuestionAnswered)
        assert (told.approved, told.by, told.note) == (answer.approved, "ann", answer.note)
        assert result.status is TaskStatus.UNCHECKED
        (call, _) = await facts(product, task_id, ToolCalled)
        assert call.ok is answer.approved
        assert answer.approved or "not in my house" in call.observation


async def test_of_two_answers_at_once_one_counts_and_the_other_is_refused(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(approval=ApprovalPolicy.DESTRUCTIVE))
        question = await asked(stage.product, task_id)
        both = (desk.answer(ME, task_id, question.id, answer, "ann") for answer in (YES, NO))
        said = await asyncio.gather(*both, return_exceptions=True)
        assert [type(one) for one in said].count(UnknownQuestion) == 1
        await desk.wait(ME, task_id)
        (told,) = await facts(stage.product, task_id, QuestionAnswered)
        assert told.approved is (said[0] is None)


async def test_where_nobody_answers_in_time_the_call_is_refused_and_the_task_goes_on(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful(), soundstage_patience_s=0.01) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(approval=ApprovalPolicy.DESTRUCTIVE))
        await desk.wait(ME, task_id)
        (call, _) = await facts(stage.product, task_id, ToolCalled)
        assert "nobody answered in 0.01 s" in call.observation
        assert (await desk.patch(ME, task_id)).paths == ()


async def test_always_asks_about_harmless_calls_too_and_never_about_none(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick(), soundstage_patience_s=0.01) as stage:
        for policy, most in ((ApprovalPolicy.ALWAYS, 2), (ApprovalPolicy.DESTRUCTIVE, 1), (ApprovalPolicy.AUTO, 0)):
            task_id = await stage.product.tasks.submit(order(approval=policy, limits={"max_steps": 2}))
            await stage.product.tasks.wait(ME, task_id)
            assert len(await facts(stage.product, task_id, QuestionAsked)) == most


async def test_a_task_can_be_cancelled_while_it_waits_for_an_answer_which_comes_too_late_then(tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        desk = stage.product.tasks
        task_id = await desk.submit(order(approval=ApprovalPolicy.DESTRUCTIVE))
        question = await asked(stage.product, task_id)
        await desk.cancel(ME, task_id, "ann cancelled it")
        assert (await desk.get(ME, task_id)).questions == ()
        with pytest.raises(UnknownQuestion):
            await desk.answer(ME, task_id, question.id, YES, "ann")


async def test_what_another_process_works_on_can_be_looked_at_and_not_steered(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        log, desk = stage.product.store.log, stage.product.tasks
        asking = QuestionAsked(subtask_id="s", question_id="q", actor="a", tool="shell", summary="", patience_s=60)
        for task_id, told in (("waits", ()), ("runs", (TaskStarted(worker="another"), asking))):
            for number, fact in enumerate((TaskSubmitted(spec=spec(task_id)), *told)):
                await log.append(task_id, f"k{number}", fact)
        assert len((await desk.get(ME, "runs")).questions) == 1
        with pytest.raises(UsageError, match="Another process"):
            await desk.answer(ME, "runs", "q", YES, "ann")
        with pytest.raises(UsageError, match="Another process"):
            await desk.cancel(ME, "runs", "ann cancelled it")
        await desk.cancel(ME, "waits", "ann cancelled it")
        assert await statuses(stage.product, "waits", "runs") == [TaskStatus.CANCELLED, TaskStatus.RUNNING]
