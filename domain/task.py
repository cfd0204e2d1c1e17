"""A task: what a person asks for, its limits, and what comes back."""

from enum import StrEnum

from pydantic import Field, field_validator

from domain.artifacts import Artifact
from domain.base import Value
from domain.chat import Usage
from domain.evidence import Evidence, Grade
from domain.money import FREE, NanoUsd

LOCAL_OWNER = "local"
MAX_PROMPT_BYTES = 256 * 1024


class TaskKind(StrEnum):
    """What sort of work a task is; it decides what counts as evidence."""

    NEW_CODE = "new_code"
    FIX = "fix"
    REFACTOR = "refactor"
    ADD_TESTS = "add_tests"
    QUESTION = "question"


class Limits(Value):
    """What a task may use. ``wall_clock_s`` is seconds; ``max_tokens`` is input plus output tokens.

    ``max_steps`` is for one specialist; None leaves it to the specialist's role.
    """

    budget: NanoUsd | None = None
    max_tokens: int = Field(default=2_000_000, gt=0)
    max_steps: int | None = Field(default=None, gt=0, le=10_000)
    wall_clock_s: float = Field(default=1800.0, gt=0)
    max_attempts: int = Field(default=3, gt=0, le=20)


class TaskSpec(Value):
    """What a person asks for.

    ``base_commit`` is the commit of the task's workspace that work starts from. ``protected_paths`` are the
    user's tests: no specialist may change them. ``test_command`` replaces the default test run. ``isolation`` and
    ``profile`` say how its sandboxes are contained, and how much they may use. With ``install`` what the workspace's
    manifest asks for is installed first, in a phase of its own. With ``cache`` calls of models may be answered with the
    replies to equal ones.
    """

    id: str
    owner: str = LOCAL_OWNER
    prompt: str
    model: str
    base_commit: str
    protected_paths: tuple[str, ...] = ()
    test_command: str | None = None
    isolation: str = "runc"
    profile: str = "default"
    install: bool = False
    cache: bool = False
    limits: Limits = Limits()

    @field_validator("prompt")
    @classmethod
    def _sensible(cls, prompt: str) -> str:
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
