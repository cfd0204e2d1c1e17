"""A task: what a person asks for, its limits, and what comes back."""

from enum import StrEnum
from typing import Any

from pydantic import Field, field_validator

from domain.approval import ApprovalPolicy
from domain.artifacts import Artifact
from domain.base import Value
from domain.chat import Usage
from domain.evidence import Evidence, Grade
from domain.money import FREE, NanoUsd
from domain.strategy import Strategy

LOCAL_OWNER = "local"
INTERRUPTED = "interrupted"
"""Why a task was cancelled, where nobody said."""
MAX_PROMPT_BYTES = 256 * 1024


def vet_prompt(prompt: str) -> str:
    """The prompt unchanged when it can be worked on, else ValueError."""
    if not prompt.strip():
        raise ValueError("the prompt is empty; say what to build or fix")
    try:
        size = len(prompt.encode())
    except UnicodeEncodeError:
        raise ValueError("the prompt holds bytes that are no UTF-8 text; write it in UTF-8") from None
    if size > MAX_PROMPT_BYTES:
        raise ValueError(
            f"the prompt is longer than {MAX_PROMPT_BYTES // 1024} KiB; put long material into files and use --repo"
        )
    return prompt


class Limits(Value):
    """What a task may use. ``wall_clock_s`` is seconds; ``max_tokens`` is input plus output tokens.

    ``max_steps`` is for one specialist; None leaves it to the specialist's role. ``test_run_s`` is the most seconds of
    one run of the tests.
    """

    budget: NanoUsd | None = None
    max_tokens: int = Field(default=2_000_000, gt=0)
    max_steps: int | None = Field(default=None, gt=0, le=10_000)
    wall_clock_s: float = Field(default=1800.0, gt=0)
    max_attempts: int = Field(default=4, gt=0, le=20)
    test_run_s: float = Field(default=300.0, gt=0, le=3600)


class TaskTerms(Value):
    """What a person asks for, and on what terms.

    ``test_command`` replaces the default test run. ``profile`` says how much its sandboxes may use. With ``install``
    what the workspace's manifest asks for is installed first, in a phase of its own. With ``cache`` calls of models may
    be answered with the replies to equal ones. ``approval`` says which calls of tools a person is asked about.
    """

    owner: str = LOCAL_OWNER
    prompt: str
    test_command: str | None = None
    profile: str = "default"
    install: bool = False
    cache: bool = False
    limits: Limits = Limits()
    approval: ApprovalPolicy = ApprovalPolicy.AUTO
    strategy: Strategy = Strategy()

    @field_validator("prompt")
    @classmethod
    def _sensible(cls, prompt: str) -> str:
        return vet_prompt(prompt)

    def terms(self) -> dict[str, Any]:
        """The fields of the terms alone, by their names."""
        return {name: getattr(self, name) for name in TaskTerms.model_fields}


class TaskSpec(TaskTerms):
    """A task as it is worked on.

    ``base_commit`` is the commit of the task's workspace that work starts from. ``protected_paths`` are the
    user's tests: no specialist may change them. ``isolation`` says how its sandboxes are contained.
    """

    id: str
    model: str
    base_commit: str
    protected_paths: tuple[str, ...] = ()
    isolation: str = "runc"


class TaskStatus(StrEnum):
    """Where a task stands. ``unchecked``: done, but nothing independent says that it is right."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    SOLVED = "solved"
    UNCHECKED = "unchecked"
    UNSOLVED = "unsolved"
    STOPPED = "stopped"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {TaskStatus.SUBMITTED, TaskStatus.RUNNING}


class TaskResult(Value):
    """What came of a task: the best tree, with its evidence, also when the task was not solved.

    ``commit`` is that tree's commit in the workspace; ``reason`` says in a sentence why the task ended. Without
    ``priced``, the price of some call is not known, and not in ``cost``.
    """

    task_id: str
    status: TaskStatus
    grade: Grade = Grade.UNCHECKED
    reason: str
    commit: str
    evidence: Evidence | None = None
    usage: Usage = Usage()
    cost: NanoUsd = FREE
    priced: bool = True
    attempts: int = 0
    artifacts: tuple[Artifact, ...] = ()

    @property
    def solved(self) -> bool:
        """Whether evidence from a clean room says that the work is done."""
        return self.status is TaskStatus.SOLVED and self.grade is not Grade.UNCHECKED
