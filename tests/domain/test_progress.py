"""Where a task stands, as its events tell."""

from datetime import UTC, datetime, timedelta

from domain.chat import Usage
from domain.events import (
    CorrectionStarted,
    Event,
    Fact,
    ModelCalled,
    PlanMade,
    QuestionAnswered,
    QuestionAsked,
    SubtaskFinished,
    SubtaskStarted,
    TaskFinished,
    TaskStarted,
    VerificationStarted,
)
from domain.evidence import Failure, FailureKind
from domain.money import NanoUsd
from domain.plan import Plan, Subtask
from domain.progress import Progress, SubtaskState
from domain.subtask_result import Stopped, StopReason, Submitted
from domain.task_kind import TaskKind
from tests.domain.sample_facts import FACTS, result

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
CODE = Subtask(id="code", role="code", goal="Write it.")
PLAN = Plan(kind=TaskKind.NEW_CODE, subtasks=(Subtask(id="tests", role="test", goal="Test it."), CODE))
ASKED = QuestionAsked(subtask_id="code", question_id="q", actor="a", tool="shell", summary="{}", patience_s=60)


def told(*facts: Fact) -> Progress:
    progress = Progress()
    for number, fact in enumerate(facts, start=1):
        progress.see(Event(task_id="t", seq=number, key=str(number), at=WHEN, fact=fact))
    return progress


def test_every_kind_of_fact_can_be_seen() -> None:
    assert told(*FACTS).seq == len(FACTS)


def test_a_task_waits_then_plans_then_works_on_its_subtasks_then_is_verified() -> None:
    assert told().step == "waiting for its turn"
    assert told(TaskStarted(worker="w")).step == "planning"
    stopped = Stopped(reason=StopReason.STEPS, commit="c", steps=1)
    facts: list[Fact] = [
        PlanMade(plan=PLAN),
        SubtaskStarted(subtask=PLAN.subtasks[0], attempt=1, commit="c"),
        SubtaskFinished(subtask_id="tests", result=Submitted(summary="", commit="c", steps=1)),
        SubtaskStarted(subtask=CODE, attempt=2, commit="c"),
    ]
    progress = told(*facts)
    assert progress.step == "code specialist: Write it."
    assert [(one.id, one.state, one.attempt) for one in progress.subtasks.values()] == [
        ("tests", SubtaskState.SUBMITTED, 1),
        ("code", SubtaskState.RUNNING, 2),
    ]
    facts.append(SubtaskFinished(subtask_id="code", result=stopped))
    assert told(*facts).subtasks["code"].state is SubtaskState.STOPPED
    assert told(*facts, VerificationStarted(purpose="verification", commit="c")).step == "clean room: verification"
    failure = Failure(kind=FailureKind.ASSERTION)
    assert told(*facts, CorrectionStarted(attempt=2, failure=failure)).step == "correction, attempt 2"


def test_a_question_is_open_until_it_is_answered_or_the_task_ends() -> None:
    (question,) = told(ASKED).questions.values()
    assert (question.id, question.question.tool, question.question.task_id) == ("q", "shell", "t")
    assert (question.asked_at, question.until) == (WHEN, WHEN + timedelta(seconds=60))
    assert not told(ASKED, QuestionAnswered(subtask_id="code", question_id="q", approved=True)).questions
    assert not told(ASKED, TaskFinished(result=result())).questions


def test_what_was_used_adds_up_and_an_unknown_price_is_remembered() -> None:
    usage = Usage(input_tokens=10, output_tokens=5)
    called = [
        ModelCalled(subtask_id="a", model="m", usage=usage, cost=NanoUsd(7), priced=priced, latency_s=1.0)
        for priced in (True, False, True)
    ]
    progress = told(*called)
    assert (progress.usage.total_tokens, progress.cost, progress.priced) == (45, 21, False)
