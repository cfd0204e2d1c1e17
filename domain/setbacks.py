"""Facts about what went wrong with a plan or with work, and what was tried then."""

from typing import Literal

from domain.base import Value
from domain.plan import Plan
from domain.test_outcome import TestOutcome


class SubtaskCrashed(Value):
    """A subtask ended in an error, which its specialist could do nothing about; what it had done is kept."""

    type: Literal["subtask_crashed"] = "subtask_crashed"
    subtask_id: str
    message: str


class PlanRevised(Value):
    """A subtask that failed was planned anew: the subtasks of ``plan`` take its place."""

    type: Literal["plan_revised"] = "plan_revised"
    subtask_id: str
    plan: Plan
    reason: str


class Candidate(Value):
    """One of several tries at the same work; ``score`` orders them, from its evidence, and is None where a better one
    ended it before it was judged."""

    subtask_id: str
    commit: str = ""
    score: tuple[int, ...] | None = None


class CandidatesJudged(Value):
    """Of several tries at the same work one was chosen by its evidence; ``chosen`` is the id of its subtask."""

    type: Literal["candidates_judged"] = "candidates_judged"
    attempt: int
    candidates: tuple[Candidate, ...]
    chosen: str


class RolledBack(Value):
    """A specialist's branch went back to ``commit``, its best snapshot, where its tests showed ``tests``.

    ``abandoned`` is the snapshot that it left, ``paths`` are other now, ``reason`` says why in words.
    """

    type: Literal["rolled_back"] = "rolled_back"
    subtask_id: str
    commit: str
    abandoned: str
    paths: tuple[str, ...]
    tests: TestOutcome
    reason: str


Setback = SubtaskCrashed | PlanRevised | CandidatesJudged | RolledBack
