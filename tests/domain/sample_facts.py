"""One valid fact of every kind, small and with text that is hard on a wire format."""

from domain.artifacts import Artifact
from domain.chat import Usage
from domain.command import Verdict
from domain.events import (
    ArtifactsKept,
    BranchMerged,
    CorrectionStarted,
    DependenciesInstalled,
    Fact,
    ModelCalled,
    NoticeGiven,
    PlainTextChosen,
    PlanMade,
    ProtectedChangeDropped,
    QuestionAnswered,
    QuestionAsked,
    ReplyCorrected,
    ReplyRepaired,
    SandboxFailed,
    SnapshotMade,
    SubtaskFinished,
    SubtaskStarted,
    TaskFinished,
    TaskStarted,
    TaskSubmitted,
    ToolCalled,
    VerificationFinished,
    VerificationStarted,
)
from domain.evidence import Coverage, Evidence, Failure, FailureKind, Grade, Outcome, TestCase, TestReport
from domain.finding import Finding, Severity
from domain.money import NanoUsd
from domain.plan import Plan, StubFile, Subtask
from domain.replies import PlainTextReason, ReplyProblem
from domain.setbacks import Candidate, CandidatesJudged, PlanRevised, RolledBack, SubtaskCrashed
from domain.specialist_facts import FindingsReported, QuestionPut, WorkRequested
from domain.subtask_result import Submitted
from domain.task import Limits, TaskResult, TaskSpec, TaskStatus
from domain.task_kind import TaskKind
from domain.test_outcome import TestOutcome

TEXT = 'naïve \u6f22 \U0001f600 "quoted" back\\slash\nline\ttab \x00 nul {} \' %'
COMMIT = "c0ffee" * 6 + "c0ff"
SUBTASK = Subtask(id="write", role="code", goal=TEXT)


def spec(task_id: str = "t1", prompt: str = TEXT) -> TaskSpec:
    """What somebody asked for."""
    limits = Limits(budget=NanoUsd(5))
    return TaskSpec(
        id=task_id, prompt=prompt, model="m", base_commit=COMMIT, protected_paths=("tests/a.py",), limits=limits
    )


def report() -> TestReport:
    """A run in which one test passed and one failed."""
    cases = (
        TestCase(id="a::one", outcome=Outcome.PASSED, duration_s=0.1),
        TestCase(id="a::two", outcome=Outcome.FAILED, message=TEXT, path="a.py", line=3),
    )
    coverage = {"a.py": Coverage(executable=frozenset({1, 2, 9}), executed=frozenset({9, 1}))}
    return TestReport(verdict=Verdict.FAILED, collected=2, cases=cases, finished=True, coverage=coverage, output=TEXT)


def evidence() -> Evidence:
    """What a clean room saw of a tree that is not good enough."""
    failure = Failure(kind=FailureKind.ASSERTION, test_id="a::two", message=TEXT, path="a.py", line=3)
    return Evidence(kind="tests", tree=COMMIT, isolation="fake", report=report(), passed=False, failure=failure)


def result(task_id: str = "t1", status: TaskStatus = TaskStatus.UNSOLVED) -> TaskResult:
    """How a task ended."""
    usage = Usage(input_tokens=5, output_tokens=6, cached_tokens=1, estimated=True)
    return TaskResult(
        task_id=task_id,
        status=status,
        grade=Grade.CHECKED,
        reason=TEXT,
        commit=COMMIT,
        evidence=evidence(),
        usage=usage,
        cost=NanoUsd(7),
    )


FACTS: tuple[Fact, ...] = (
    TaskSubmitted(spec=spec()),
    TaskStarted(worker="w1"),
    DependenciesInstalled(
        image="i:1", cached=False, duration_s=0.5, files=2, size=2**40, refused=(TEXT,), notes=(TEXT,)
    ),
    PlanMade(plan=Plan(kind=TaskKind.FIX, subtasks=(SUBTASK,), files=(StubFile(path="a.py", signatures=("f()",)),))),
    SubtaskStarted(subtask=SUBTASK, attempt=1, commit=COMMIT),
    ModelCalled(
        subtask_id="write",
        model="m",
        usage=Usage(input_tokens=2, output_tokens=3),
        cost=NanoUsd(2**53 + 1),
        priced=True,
        latency_s=0.1,
        text=TEXT,
    ),
    ReplyRepaired(subtask_id="write", repairs=(TEXT, TEXT)),
    ReplyCorrected(subtask_id="write", problems=(ReplyProblem.CUT_OFF,), malformed=True, text=TEXT),
    PlainTextChosen(subtask_id="write", reason=PlainTextReason.MALFORMED),
    ToolCalled(subtask_id="write", tool="shell", summary=TEXT, ok=False, duration_s=1 / 3, observation=TEXT),
    QuestionAsked(subtask_id="write", question_id="write:1:1:1", actor="x", tool="shell", summary=TEXT, patience_s=0.5),
    QuestionAnswered(subtask_id="write", question_id="write:1:1:1", approved=True, by="x", note=TEXT),
    SnapshotMade(subtask_id="write", commit=COMMIT, paths=("a.py", "b c.py")),
    FindingsReported(subtask_id="write", findings=(Finding(path="a.py", line=3, severity=Severity.MAJOR, text=TEXT),)),
    RolledBack(
        subtask_id="write",
        commit=COMMIT,
        abandoned=COMMIT,
        paths=("a.py",),
        tests=TestOutcome(selection=("a.py",), collected=2, passed=1, failed=1, failing=(TEXT,), vector="0" * 64),
        reason=TEXT,
    ),
    ProtectedChangeDropped(subtask_id="write", paths=("tests/a.py",)),
    SubtaskFinished(subtask_id="write", result=Submitted(summary=TEXT, commit=COMMIT, steps=2)),
    ArtifactsKept(
        subtask_id="write",
        artifacts=(Artifact(path="dist/a.whl", sha256="0" * 64, size=7),),
        refused=("dist/link",),
        reason="no plain file",
    ),
    BranchMerged(subtask_id="write", commit=COMMIT, conflicts=("a.py",)),
    VerificationStarted(purpose="result", commit=COMMIT),
    VerificationFinished(purpose="result", evidence=evidence()),
    CorrectionStarted(attempt=2, failure=Failure(kind=FailureKind.OOM)),
    NoticeGiven(text=TEXT),
    SandboxFailed(subtask_id="write", verdict=Verdict.INFRASTRUCTURE, message=TEXT),
    QuestionPut(subtask_id="write", role="review", question=TEXT, answer=TEXT, answered=True, by="write-asks"),
    WorkRequested(subtask_id="write", role="code", goal=TEXT),
    SubtaskCrashed(subtask_id="write", message=TEXT),
    PlanRevised(subtask_id="write", plan=Plan(kind=TaskKind.FIX, subtasks=(SUBTASK,)), reason=TEXT),
    CandidatesJudged(
        attempt=3,
        candidates=(Candidate(subtask_id="a", commit=COMMIT, score=(1, 2)), Candidate(subtask_id="b")),
        chosen="a",
    ),
    TaskFinished(result=result()),
)
