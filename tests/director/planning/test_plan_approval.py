"""A person looks at a plan before it is carried out."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.approval import ApprovalAnswer
from domain.errors import UsageError
from domain.events import PlanMade, QuestionAsked, SubtaskStarted
from domain.plan import Plan, Subtask
from domain.strategy import Planning, Strategy
from domain.task import LOCAL_OWNER, TaskResult, TaskStatus
from domain.task_kind import TaskKind
from domain.task_service import TaskOrder
from gateway.scripted import ScriptedProvider
from tests.app.test_task_desk import facts, when
from tests.director.stage import Stage, node, open_stage, part, planned, writes

MODEL = (planned(node("a")), part("You are the code specialist", lines=writes(("a.txt", "a\n"))))
OTHER = Plan(kind=TaskKind.FIX, subtasks=(Subtask(id="mine", role="code", goal="Another way."),))
YES, NO = ApprovalAnswer(approved=True), ApprovalAnswer(approved=False, note="too much")


class Desk:
    """A task whose plan is asked about."""

    def __init__(self, stage: Stage, task_id: str) -> None:
        self.tasks = stage.product.tasks
        self.product = stage.product
        self.id = task_id

    async def answer(self, answer: ApprovalAnswer) -> None:
        question: QuestionAsked = await when(self.product, self.id, QuestionAsked)
        assert Plan.model_validate_json(question.summary).subtasks[0].id == "a"
        await self.tasks.answer(LOCAL_OWNER, self.id, question.question_id, answer, "somebody")

    async def result(self) -> TaskResult:
        return await self.tasks.wait(LOCAL_OWNER, self.id)


@contextlib.asynccontextmanager
async def desk(folder: Path, patience_s: float = 600) -> AsyncIterator[Desk]:
    async with open_stage(folder, ScriptedProvider(MODEL), soundstage_patience_s=patience_s) as stage:
        strategy = Strategy(approve_plan=True, planning=Planning.ALWAYS)
        yield Desk(stage, await stage.product.tasks.submit(TaskOrder(prompt="Write a.", strategy=strategy)))


async def test_a_plan_that_is_approved_is_carried_out(tmp_path: Path) -> None:
    async with desk(tmp_path) as task:
        await task.answer(YES)
        assert (await task.result()).status is TaskStatus.UNCHECKED
        assert [fact.subtask.id for fact in await facts(task.product, task.id, SubtaskStarted)] == ["a"]


async def test_a_plan_that_is_refused_ends_the_task_before_any_work(tmp_path: Path) -> None:
    async with desk(tmp_path) as task:
        await task.answer(NO)
        result = await task.result()
        assert (result.status, result.reason) == (TaskStatus.STOPPED, "the plan was not approved: too much")
        assert not await facts(task.product, task.id, PlanMade)


async def test_a_plan_that_nobody_looks_at_is_not_carried_out(tmp_path: Path) -> None:
    async with desk(tmp_path, patience_s=0.01) as task:
        assert "nobody answered" in (await task.result()).reason


async def test_a_plan_that_a_person_changed_is_carried_out_as_they_want_it(tmp_path: Path) -> None:
    async with desk(tmp_path) as task:
        await task.answer(YES.model_copy(update={"edited": OTHER.model_dump_json()}))
        await task.result()
        (made,) = await facts(task.product, task.id, PlanMade)
        assert made.plan == OTHER
        assert [fact.subtask.id for fact in await facts(task.product, task.id, SubtaskStarted)] == ["mine"]


@pytest.mark.parametrize(
    ("edited", "why"),
    [
        ("{", "Invalid JSON"),
        ('{"kind": "fix", "subtasks": []}', "subtasks"),
        (OTHER.model_dump_json().replace('"code"', '"painter"'), "no such roles: painter"),
        (OTHER.model_dump_json().replace('"needs":[]', '"needs":["x"]'), "which the plan does not have"),
    ],
)
async def test_a_change_that_is_no_plan_is_refused_and_the_question_stays_open(
    edited: str, why: str, tmp_path: Path
) -> None:
    async with desk(tmp_path) as task:
        with pytest.raises(UsageError, match=why):
            await task.answer(YES.model_copy(update={"edited": edited}))
        await task.answer(YES)
        assert (await task.result()).status is TaskStatus.UNCHECKED
