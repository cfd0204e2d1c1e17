"""Asking whoever watches a task before a specialist does something."""

from datetime import datetime

from domain.approval import ApprovalAnswer, ApprovalQuestion
from domain.errors import Conflict
from domain.event_log import EventLog
from domain.events import QuestionAnswered, QuestionAsked
from domain.journal import Journal


def topic_of(question_id: str) -> str:
    """Where the journal of a task receives the answer to a question, as an ``ApprovalAnswer`` in JSON."""
    return f"answer:{question_id}"


def answer_key(question_id: str) -> str:
    """The key of the one event that holds the answer to a question: whoever writes it first has answered."""
    return f"question:{question_id}:answered"


class TaskApprover:
    """Implements ``domain.approval.Approver`` for one subtask; its questions have ids that begin with ``key``.

    The one who answers writes the event and then wakes this one through the journal. Where nobody does in
    ``patience_s`` seconds and before the ``deadline`` of the work, the answer is a refusal that says so.
    """

    def __init__(self, log: EventLog, journal: Journal, key: str, patience_s: float, deadline: datetime) -> None:
        self._log = log
        self._journal = journal
        self._key = key
        self._patience_s = patience_s
        self._deadline = deadline
        self._asked = 0

    async def ask(self, question: ApprovalQuestion) -> ApprovalAnswer:
        """Writes the question down, and waits for its answer."""
        self._asked += 1
        left_s = max(0.0, (self._deadline - await self._journal.now()).total_seconds())
        asked = QuestionAsked(
            subtask_id=question.subtask_id, question_id=f"{self._key}:{self._asked}", actor=question.actor,
            tool=question.tool, summary=question.summary, patience_s=min(self._patience_s, left_s),
        )  # fmt: skip
        await self._log.append(question.task_id, f"question:{asked.question_id}", asked)
        message = await self._journal.receive(topic_of(asked.question_id), asked.patience_s)
        if message is not None:
            return ApprovalAnswer.model_validate_json(message)
        return await self._nobody(question.task_id, asked)

    async def _nobody(self, task_id: str, asked: QuestionAsked) -> ApprovalAnswer:
        in_time = asked.patience_s == self._patience_s
        note = f"nobody answered in {self._patience_s:g} s" if in_time else "nobody answered before the time was up"
        late = QuestionAnswered(subtask_id=asked.subtask_id, question_id=asked.question_id, approved=False, note=note)
        try:
            await self._log.append(task_id, answer_key(asked.question_id), late)
        except Conflict:
            # Somebody did, at the last moment: what the log holds counts.
            return await self._written(task_id, asked.question_id)
        return ApprovalAnswer(approved=False, note=note)

    async def _written(self, task_id: str, question_id: str) -> ApprovalAnswer:
        facts = [event.fact for event in await self._log.read(task_id)]
        found = next(fact for fact in facts if isinstance(fact, QuestionAnswered) and fact.question_id == question_id)
        return ApprovalAnswer(approved=found.approved, note=found.note, edited=found.edited)
