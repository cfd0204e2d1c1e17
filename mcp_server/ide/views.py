"""What people's tools tell of a task: as data for programs, and in words."""

from decimal import Decimal

from domain.approval import OpenQuestion
from domain.base import Value
from domain.describe import evidence_line
from domain.money import NANO_PER_USD, NanoUsd, format_usd
from domain.progress import SubtaskState
from domain.task import TaskStatus
from domain.task_service import TaskSummary, TaskView
from domain.text import excerpt, one_line, plain

SHOWN_PROMPT = 2000
SHOWN_REASON = 2000
SHOWN_ARTIFACTS = 100


class SubtaskLine(Value):
    """A subtask: what a specialist is to do, where that stands, and how many attempts were begun."""

    id: str
    role: str
    goal: str
    state: SubtaskState
    attempt: int


class Question(Value):
    """What a specialist may only do when somebody says so. ``summary`` is what it would do, as the model wrote it.
    ``expires_at`` is RFC 3339 in UTC: without an answer by then it is refused."""

    question_id: str
    subtask: str
    actor: str
    tool: str
    summary: str
    expires_at: str


class TaskRow(Value):
    """A task in a list. Times are RFC 3339 in UTC; the cost is in USD, and None for whoever may not see it."""

    task_id: str
    status: TaskStatus
    grade: str
    prompt: str
    model: str
    submitted_at: str
    tokens: int
    cost_usd: str | None


class TaskState(TaskRow):
    """Where a task stands: what is done now, its subtasks, what it asks, and at the end why it ended and what a clean
    room saw. ``seq`` is the number of the newest event in it."""

    seq: int
    step: str
    subtasks: tuple[SubtaskLine, ...] = ()
    questions: tuple[Question, ...] = ()
    reason: str = ""
    evidence: str = ""
    attempts: int = 0
    artifacts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def row_of(task: TaskSummary, with_costs: bool) -> TaskRow:
    """A task for a list."""
    return TaskRow.model_validate(_row(task, with_costs))


def _row(task: TaskSummary, with_costs: bool) -> dict[str, object]:
    return {
        "task_id": task.id, "status": task.status, "grade": task.grade,
        "prompt": excerpt(plain(task.prompt), SHOWN_PROMPT), "model": one_line(task.model, 300),
        "submitted_at": task.submitted_at, "tokens": task.tokens, "cost_usd": usd(task.cost) if with_costs else None,
    }  # fmt: skip


def usd(amount: NanoUsd) -> str:
    """An amount in USD with every digit of it."""
    return f"{Decimal(amount) / NANO_PER_USD:.9f}"


def state_of(view: TaskView, with_costs: bool, notes: tuple[str, ...] = ()) -> TaskState:
    """Where a task stands, for whoever may see it. ``notes`` are what else to say."""
    result = view.result
    subtasks = tuple(
        SubtaskLine(
            id=one.id, role=one.role, goal=excerpt(plain(one.goal), SHOWN_REASON), state=one.state, attempt=one.attempt
        )
        for one in view.subtasks
    )
    ended: dict[str, object] = {}
    if result is not None:
        ended = {
            "reason": excerpt(plain(result.reason), SHOWN_REASON), "attempts": result.attempts,
            "evidence": evidence_line(result.evidence) if result.evidence is not None else "",
            "artifacts": tuple(plain(one.path) for one in result.artifacts[:SHOWN_ARTIFACTS]),
        }  # fmt: skip
    return TaskState.model_validate(
        _row(view.summary, with_costs)
        | {
            "seq": view.seq, "step": one_line(view.step), "subtasks": subtasks,
            "questions": tuple(map(question_of, view.questions)), "notes": notes,
        }
        | ended
    )  # fmt: skip


def question_of(question: OpenQuestion) -> Question:
    """An open question, for whoever may answer it."""
    asked = question.question
    return Question(
        question_id=question.id, subtask=asked.subtask_id, actor=plain(asked.actor), tool=plain(asked.tool),
        summary=plain(asked.summary), expires_at=question.until.isoformat(timespec="seconds"),
    )  # fmt: skip


def in_words(task: TaskState) -> str:
    """A task's state in some lines, with what to do next."""
    lines = [
        f"Task {task.task_id}: {task.status}{f' ({task.grade})' if task.grade else ''}. {task.reason or task.step}"
    ]
    lines += [f"- {one.id} ({one.role}): {one.state}, attempt {one.attempt}" for one in task.subtasks]
    if task.evidence:
        lines.append(f"Evidence: {task.evidence}")
    if task.artifacts:
        lines.append(f"Kept files: {', '.join(task.artifacts)}")
    cost = f", {format_usd(NanoUsd(int(Decimal(task.cost_usd) * NANO_PER_USD)))}" if task.cost_usd is not None else ""
    lines.append(f"Used: {task.tokens:,} tokens{cost}")
    for question in task.questions:
        lines.append(
            f"It asks (question_id {question.question_id!r}, until {question.expires_at}): may the {question.actor} "
            f"use {question.tool}? {question.summary}\nAnswer with answer_question or approve_step."
        )
    lines += [f"Note: {note}" for note in task.notes]
    lines.append(_next(task))
    return "\n".join(lines)


def _next(task: TaskState) -> str:
    if task.status.finished:
        return "See what it changed with get_patch, and why to trust that with get_evidence."
    return "It goes on by itself: look again with get_task, or end it with cancel_task."
