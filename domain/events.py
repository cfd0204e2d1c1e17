"""What happened to a task, as past-tense facts.

A fact that changes its shape gets a higher ``version`` in its envelope, and an upcaster that reads the old one.
"""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.artifacts import Artifact
from domain.base import Value
from domain.chat import Usage
from domain.command import Verdict
from domain.evidence import Evidence, Failure
from domain.money import NanoUsd
from domain.plan import Plan, Subtask
from domain.replies import PlainTextReason, ReplyProblem
from domain.setbacks import Setback
from domain.specialist_facts import SpecialistFact
from domain.subtask_result import SubtaskResult
from domain.task import LOCAL_OWNER, TaskResult, TaskSpec

EVENT_VERSION = 1


class TaskSubmitted(Value):
    """A person asked for something. ``worker`` is the process in whose line it waits, where that is known."""

    type: Literal["task_submitted"] = "task_submitted"
    spec: TaskSpec
    worker: str = ""


class TaskStarted(Value):
    """A worker took the task up; ``worker`` is its instance id."""

    type: Literal["task_started"] = "task_started"
    worker: str


class DependenciesInstalled(Value):
    """What the workspace depends on lies in ``image``, from which the task's sandboxes are leased.

    ``cached`` says that the image was there already. ``size`` is bytes in ``files`` files. ``reached`` and ``refused``
    are hosts that were asked for while it was made.
    """

    type: Literal["dependencies_installed"] = "dependencies_installed"
    image: str
    cached: bool
    duration_s: float
    files: int
    size: int
    reached: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class PlanMade(Value):
    """The plan stands. ``fallback`` says why it is not the model's, where that is so."""

    type: Literal["plan_made"] = "plan_made"
    plan: Plan
    fallback: str = ""


class SubtaskStarted(Value):
    """A specialist began, from ``commit``. ``attempt`` counts from 1."""

    type: Literal["subtask_started"] = "subtask_started"
    subtask: Subtask
    attempt: int
    commit: str


class ModelCalled(Value):
    """A model answered. ``text`` is the beginning of what it said; ``provider`` is empty in logs of older versions."""

    type: Literal["model_called"] = "model_called"
    subtask_id: str
    model: str
    provider: str = ""
    usage: Usage
    cost: NanoUsd
    priced: bool
    latency_s: float
    text: str = ""


class ReplyRepaired(Value):
    """A reply could be acted on after a repair; ``repairs`` has one entry for each call that was repaired."""

    type: Literal["reply_repaired"] = "reply_repaired"
    subtask_id: str
    repairs: tuple[str, ...]


class ReplyCorrected(Value):
    """A model was told what is wrong with its reply.

    ``problems`` has one entry for each correction. ``malformed`` says that nothing of the reply could be done.
    ``text`` is the beginning of what the model was told.
    """

    type: Literal["reply_corrected"] = "reply_corrected"
    subtask_id: str
    problems: tuple[ReplyProblem, ...]
    malformed: bool
    text: str = ""


class PlainTextChosen(Value):
    """A model acts in plain text from here on, instead of calling tools."""

    type: Literal["plain_text_chosen"] = "plain_text_chosen"
    subtask_id: str
    reason: PlainTextReason


class ToolCalled(Value):
    """A specialist used a tool. ``observation`` is the beginning of the answer."""

    type: Literal["tool_called"] = "tool_called"
    subtask_id: str
    tool: str
    summary: str
    ok: bool
    duration_s: float
    observation: str = ""


class QuestionAsked(Value):
    """A specialist waits for a person's word before it uses a tool.

    ``summary`` is the arguments as JSON, which nobody has checked. Without an answer in ``patience_s`` seconds the call
    is refused.
    """

    type: Literal["question_asked"] = "question_asked"
    subtask_id: str
    question_id: str
    actor: str
    tool: str
    summary: str
    patience_s: float


class QuestionAnswered(Value):
    """A question has its answer. ``by`` says who gave it, and is empty where nobody did in time; ``note`` says why.

    ``edited`` is what was asked about, as JSON, where the person wants it otherwise.
    """

    type: Literal["question_answered"] = "question_answered"
    subtask_id: str
    question_id: str
    approved: bool
    by: str = ""
    note: str = ""
    edited: str = ""


class SnapshotMade(Value):
    """A tool call changed files."""

    type: Literal["snapshot_made"] = "snapshot_made"
    subtask_id: str
    commit: str
    paths: tuple[str, ...]


class ProtectedChangeDropped(Value):
    """A change to protected tests was undone."""

    type: Literal["protected_change_dropped"] = "protected_change_dropped"
    subtask_id: str
    paths: tuple[str, ...]


class SubtaskFinished(Value):
    """A specialist handed back its work, or was stopped."""

    type: Literal["subtask_finished"] = "subtask_finished"
    subtask_id: str
    result: SubtaskResult


class ArtifactsKept(Value):
    """Files that a subtask named were kept; ``refused`` were not, for the ``reason``."""

    type: Literal["artifacts_kept"] = "artifacts_kept"
    subtask_id: str
    artifacts: tuple[Artifact, ...] = ()
    refused: tuple[str, ...] = ()
    reason: str = ""


class BranchMerged(Value):
    """A subtask's work joined the task's."""

    type: Literal["branch_merged"] = "branch_merged"
    subtask_id: str
    commit: str
    conflicts: tuple[str, ...] = ()


class VerificationStarted(Value):
    """A clean room was opened for a tree; ``purpose`` says what for."""

    type: Literal["verification_started"] = "verification_started"
    purpose: str
    commit: str


class VerificationFinished(Value):
    """The clean room's finding."""

    type: Literal["verification_finished"] = "verification_finished"
    purpose: str
    evidence: Evidence


class CorrectionStarted(Value):
    """The work failed verification and goes back with what went wrong. ``attempt`` counts from 2.

    ``rung`` names what is tried; ``analysis`` is what a model made of the failure. Logs of older versions have neither.
    """

    type: Literal["correction_started"] = "correction_started"
    attempt: int
    failure: Failure
    rung: str = ""
    analysis: str = ""


class NoticeGiven(Value):
    """Something that a person should know."""

    type: Literal["notice_given"] = "notice_given"
    text: str


class SandboxFailed(Value):
    """A sandbox broke under a subtask."""

    type: Literal["sandbox_failed"] = "sandbox_failed"
    subtask_id: str
    verdict: Verdict
    message: str


class TaskFinished(Value):
    """Nothing more will happen to the task."""

    type: Literal["task_finished"] = "task_finished"
    result: TaskResult


Fact = Annotated[
    TaskSubmitted
    | TaskStarted
    | DependenciesInstalled
    | PlanMade
    | SubtaskStarted
    | ModelCalled
    | ReplyRepaired
    | ReplyCorrected
    | PlainTextChosen
    | ToolCalled
    | QuestionAsked
    | QuestionAnswered
    | SnapshotMade
    | SpecialistFact
    | ProtectedChangeDropped
    | SubtaskFinished
    | ArtifactsKept
    | BranchMerged
    | VerificationStarted
    | VerificationFinished
    | CorrectionStarted
    | NoticeGiven
    | SandboxFailed
    | Setback
    | TaskFinished,
    Field(discriminator="type"),
]


class Event(Value):
    """A fact in a task's log. ``seq`` counts from 1 without gaps within the task; ``at`` is UTC."""

    task_id: str
    owner: str = LOCAL_OWNER
    seq: int
    version: int = EVENT_VERSION
    key: str
    at: datetime
    fact: Fact
