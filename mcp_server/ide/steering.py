"""Tools that begin, end and answer tasks."""

import asyncio
import contextlib

from pydantic import Field

from domain.approval import MOST_EDITED, MOST_NOTE, ApprovalAnswer
from domain.errors import SoundstageError, UnknownQuestion
from mcp_server.caller import Permission
from mcp_server.ide.front import Resumed
from mcp_server.ide.looking import OfTask, told
from mcp_server.ide.orders import LONGEST_WAIT_S, RunTask, order_of
from mcp_server.ide.session import IdeSession
from mcp_server.ide.views import TaskState
from mcp_server.ide.watching import Watch
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused

MOST_ANSWERS = 100


class CancelTask(OfTask):
    """Arguments of cancel_task."""


class AnswerQuestion(OfTask):
    """Arguments of answer_question."""

    question_id: str = Field(min_length=1, max_length=200, description="the question's id, as get_task tells it")
    approve: bool = Field(description="whether the specialist may do it")
    note: str = Field(default="", max_length=MOST_NOTE, description="a word on why, for the specialist")
    edited: str = Field(
        default="", max_length=MOST_EDITED, description="where you are asked about a plan: the plan you want, as JSON"
    )


class ApproveStep(AnswerQuestion):
    """Arguments of approve_step."""


async def _run_task(session: IdeSession, arguments: RunTask) -> ToolOutcome:
    resumed = session.front.resumed
    notes: tuple[str, ...] = ()
    if resumed is None:
        order, notes = await order_of(session, arguments)
        task_id = await session.tasks.submit(order)
    else:
        task_id = resumed.task_id
    session.about(task_id)
    if resumed is not None or arguments.wait:
        await _wait(session, task_id, resumed)
    return await told(session, task_id, notes)


async def _wait(session: IdeSession, task_id: str, resumed: Resumed | None) -> None:
    """Waits for the task, which ends when its client gives the request up. The answers that came along are given
    first."""
    try:
        async with asyncio.timeout(LONGEST_WAIT_S):
            await _give(session, task_id)
            await Watch(session, task_id, resumed).run()
    except TimeoutError:
        return
    except asyncio.CancelledError:
        if session.front.gave_up:
            with contextlib.suppress(SoundstageError):  # a task that is not theirs, or not here, is none that could end
                reason = f"{session.caller.actor} went away while waiting for it"
                await session.tasks.cancel(session.owner, task_id, reason)
        raise


async def _give(session: IdeSession, task_id: str) -> None:
    """Hands over the answers to questions that are open; the others came too late, or are about nothing."""
    answers = session.front.answers
    questions = (await session.tasks.get(session.owner, task_id)).questions if answers else ()
    for question in questions[:MOST_ANSWERS]:
        if question.id in answers:
            with contextlib.suppress(UnknownQuestion):
                await session.answer(task_id, question.id, answers[question.id])


async def _cancel_task(session: IdeSession, arguments: CancelTask) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    await session.tasks.cancel(session.owner, task_id, f"{session.caller.actor} cancelled it")
    return await told(session, task_id)


async def _answer_question(session: IdeSession, arguments: AnswerQuestion) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    answer = ApprovalAnswer(approved=arguments.approve, note=arguments.note, edited=arguments.edited)
    await session.answer(task_id, arguments.question_id, answer)
    return await told(session, task_id)


async def _approve_step(session: IdeSession, arguments: ApproveStep) -> ToolOutcome:
    task_id = session.about(arguments.task_id)
    open_ones = (await session.tasks.get(session.owner, task_id)).questions
    if len(open_ones) != 1:
        what = "asks nothing now" if not open_ones else f"asks {len(open_ones)} things: name one with answer_question"
        raise ToolRefused(f"Task {task_id} {what}.")
    if open_ones[0].id != arguments.question_id:
        raise ToolRefused(f"Task {task_id} asks something else now: look at it with get_task first.")
    return await _answer_question(session, arguments)


STEERING_TOOLS = (
    Tool(
        name="run_task",
        description="Has a programming task planned, tested, coded and verified in containers. It takes minutes: it "
        "answers at once with the task's id, or with `wait` when the task has ended.",
        session=IdeSession,
        arguments=RunTask,
        permission=Permission.STEER_TASKS,
        handler=_run_task,
        example={"prompt": "Write slugify(text) in slug.py, with tests.", "wait": True},
        data=TaskState,
        open_world=True,
        limits=ToolLimits(timeout_s=LONGEST_WAIT_S + 60),
    ),
    Tool(
        name="cancel_task",
        description="Ends a task. The best tree that it has by then is kept.",
        session=IdeSession,
        arguments=CancelTask,
        permission=Permission.STEER_TASKS,
        handler=_cancel_task,
        example={"task_id": "fb7d1382ecfd"},
        data=TaskState,
        destructive=True,
        idempotent=True,
    ),
    Tool(
        name="answer_question",
        description="Says whether a specialist may do what it asks for. The first answer counts.",
        session=IdeSession,
        arguments=AnswerQuestion,
        permission=Permission.STEER_TASKS,
        handler=_answer_question,
        example={"task_id": "fb7d1382ecfd", "question_id": "code:1:1:1", "approve": False, "note": "Use a test file."},
        data=TaskState,
        destructive=True,
    ),
    Tool(
        name="approve_step",
        description="Approves or refuses the one thing that a task waits for, as somebody saw it.",
        session=IdeSession,
        arguments=ApproveStep,
        permission=Permission.STEER_TASKS,
        handler=_approve_step,
        example={"task_id": "fb7d1382ecfd", "question_id": "code:1:1:1", "approve": True},
        data=TaskState,
        destructive=True,
    ),
)
