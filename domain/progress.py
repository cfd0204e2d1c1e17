"""Where a task stands, as its events tell."""

from enum import StrEnum

from domain.approval import ApprovalQuestion, OpenQuestion
from domain.base import Value
from domain.chat import Usage
from domain.events import (
    CorrectionStarted,
    Event,
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
from domain.money import FREE, NanoUsd
from domain.plan import Plan
from domain.setbacks import PlanRevised, SubtaskCrashed
from domain.text import one_line

STANDING = frozenset(
    {
        "task_started", "plan_made", "subtask_started", "subtask_finished", "verification_started",
        "correction_started", "question_asked", "question_answered", "subtask_crashed", "plan_revised",
        "task_finished",
    }
)  # fmt: skip
"""The types of the facts that say where a task stands; the others only what it used."""


class SubtaskState(StrEnum):
    """Where a subtask stands. What a specialist submits is a claim, and no evidence."""

    WAITING = "waiting"
    RUNNING = "running"
    SUBMITTED = "submitted"
    STOPPED = "stopped"
    ASKS = "asks"
    CRASHED = "crashed"


class SubtaskProgress(Value):
    """A subtask of a plan, or one that came later, and how many attempts were begun."""

    id: str
    role: str
    goal: str
    state: SubtaskState = SubtaskState.WAITING
    attempt: int = 0


class Progress:
    """What a task does now, what is open, and what it used so far. It is shown the task's events, in their order."""

    def __init__(self) -> None:
        self.seq = 0
        self.step = "waiting for its turn"
        self.plan: Plan | None = None
        self.subtasks: dict[str, SubtaskProgress] = {}
        self.questions: dict[str, OpenQuestion] = {}
        self.usage = Usage()
        self.cost: NanoUsd = FREE
        self.priced = True

    def see(self, event: Event) -> None:
        """Takes an event in."""
        self.seq = event.seq
        match event.fact:
            case ModelCalled(usage=usage, cost=cost, priced=priced):
                self.usage += usage
                self.cost = NanoUsd(self.cost + cost)
                self.priced = self.priced and priced
            case QuestionAsked():
                self.questions[event.fact.question_id] = _question(event, event.fact)
            case QuestionAnswered(question_id=question_id):
                self.questions.pop(question_id, None)
            case TaskFinished():
                self.step = "ended"
                self.questions.clear()
            case _:
                self._step(event)

    def _step(self, event: Event) -> None:
        match event.fact:
            case TaskStarted():
                self.step = "planning"
            case PlanMade(plan=plan):
                self.plan = plan
                self._wait_for(plan)
            case PlanRevised(plan=plan):
                self._wait_for(plan)
            case SubtaskStarted(subtask=subtask, attempt=attempt):
                self.subtasks[subtask.id] = SubtaskProgress(
                    id=subtask.id, role=subtask.role, goal=subtask.goal, state=SubtaskState.RUNNING, attempt=attempt
                )
                self.step = f"{subtask.role} specialist: {one_line(subtask.goal, 70)}"
            case SubtaskFinished(subtask_id=subtask_id, result=result) if subtask_id in self.subtasks:
                self._change(subtask_id, SubtaskState(result.kind))
            case SubtaskCrashed(subtask_id=subtask_id) if subtask_id in self.subtasks:
                self._change(subtask_id, SubtaskState.CRASHED)
            case VerificationStarted(purpose=purpose):
                self.step = f"clean room: {purpose}"
            case CorrectionStarted(attempt=attempt):
                self.step = f"correction, attempt {attempt}"
            case _:
                pass

    def _wait_for(self, plan: Plan) -> None:
        for subtask in plan.subtasks:
            self.subtasks[subtask.id] = SubtaskProgress(id=subtask.id, role=subtask.role, goal=subtask.goal)

    def _change(self, subtask_id: str, state: SubtaskState) -> None:
        self.subtasks[subtask_id] = self.subtasks[subtask_id].model_copy(update={"state": state})


def _question(event: Event, fact: QuestionAsked) -> OpenQuestion:
    question = ApprovalQuestion(
        actor=fact.actor, task_id=event.task_id, subtask_id=fact.subtask_id, tool=fact.tool, summary=fact.summary
    )
    return OpenQuestion(id=fact.question_id, question=question, asked_at=event.at, patience_s=fact.patience_s)
