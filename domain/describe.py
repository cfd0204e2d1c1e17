"""Events in words: one line each, for people."""

from domain.events import (
    ArtifactsKept,
    BranchMerged,
    CorrectionStarted,
    DependenciesInstalled,
    Event,
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
from domain.evidence import Evidence, Outcome
from domain.plan import Plan, Subtask
from domain.replies import PlainTextReason, ReplyProblem
from domain.setbacks import CandidatesJudged, PlanRevised, RolledBack, SubtaskCrashed
from domain.specialist_facts import FindingsReported, QuestionPut, WorkRequested
from domain.subtask_result import Asks, Stopped, Submitted
from domain.text import both_ends, one_line

SHOWN_SUMMARY = 300
PLAIN_TEXT_REASONS = {
    PlainTextReason.CATALOGUE: "its model calls no tools",
    PlainTextReason.REFUSED: "the server refused tools",
    PlainTextReason.MALFORMED: "its tool calls were malformed",
    PlainTextReason.CONTEXT: "its context is too small for the tools",
}


def describe(event: Event) -> str | None:
    """A line about the event, or None for one that people need not see."""
    return _work(event.fact) or _talk(event.fact) or _proof(event.fact) or _setback(event.fact)


def _work(fact: Fact) -> str | None:
    match fact:
        case PlanMade():
            return _plan(fact)
        case SubtaskStarted(subtask=subtask, attempt=attempt):
            again = f" (attempt {attempt})" if attempt > 1 else ""
            return f"{subtask.id}: the {subtask.role} specialist begins{again}: {one_line(subtask.goal, 90)}"
        case ModelCalled(subtask_id=subtask_id, text=text):
            return f"{subtask_id}: {one_line(text, 100)}" if subtask_id and text.strip() else None
        case ToolCalled(subtask_id=subtask_id, tool=tool, ok=ok, duration_s=seconds):
            shown = one_line(fact.observation, 80)
            return f"{subtask_id}: {tool} {'✓' if ok else '✗'} {seconds:.2f} s  {shown}"
        case SubtaskFinished(subtask_id=subtask_id, result=result):
            return f"{subtask_id}: {_result(result)}"
        case ProtectedChangeDropped(subtask_id=subtask_id, paths=paths):
            return f"{subtask_id}: a change to protected files was undone: {', '.join(paths)}"
        case ArtifactsKept(subtask_id=subtask_id, artifacts=artifacts, refused=refused, reason=reason):
            names = ", ".join(one_line(artifact.path, 60) for artifact in artifacts[:5])
            left = f"; not kept ({reason}): {one_line(', '.join(refused), 100)}" if reason else ""
            return f"{subtask_id}: kept {names or 'nothing'}{left}"
        case BranchMerged(subtask_id=subtask_id, conflicts=conflicts) if conflicts:
            return f"{subtask_id}: conflicts in {', '.join(conflicts)}"
        case TaskSubmitted() | TaskStarted() | SnapshotMade() | BranchMerged():
            return None
        case _:
            return None


def _talk(fact: Fact) -> str | None:
    match fact:
        case ReplyRepaired(subtask_id=subtask_id, repairs=repairs):
            return f"{subtask_id}: repaired: {one_line('; '.join(repairs), 120)}"
        case ReplyCorrected(subtask_id=subtask_id, problems=problems):
            return f"{subtask_id}: told what was wrong with its reply: {', '.join(map(_words, problems))}"
        case QuestionPut(subtask_id=subtask_id, role=role, question=question, answered=answered):
            return f"{subtask_id}: asked {role}{'' if answered else ', in vain'}: {one_line(question, 160)}"
        case WorkRequested(subtask_id=subtask_id, role=role, goal=goal):
            return f"{subtask_id}: asked for work by {role}: {one_line(goal, 160)}"
        case FindingsReported(subtask_id=subtask_id, findings=findings):
            shown = "; ".join(f"{found.severity} {found.path}:{found.line} {found.text}" for found in findings)
            return f"{subtask_id}: found {len(findings)}: {one_line(shown, 200)}"
        case RolledBack(subtask_id=subtask_id, tests=tests, reason=reason):
            return f"{subtask_id}: back to its best snapshot ({tests}): {one_line(reason, 160)}"
        case PlainTextChosen(subtask_id=subtask_id, reason=reason):
            return f"{subtask_id}: works in plain text: {PLAIN_TEXT_REASONS[reason]}"
        case QuestionAsked(subtask_id=subtask_id, actor=actor, tool=tool, summary=summary):
            shown = both_ends(summary, SHOWN_SUMMARY)
            return f"{subtask_id}: may the {actor} use {tool}? {shown} (question {fact.question_id})"
        case QuestionAnswered():
            return _answer(fact)
        case _:
            return None


def _answer(fact: QuestionAnswered) -> str:
    verb = "approved" if fact.approved else "refused"
    who = f"{one_line(fact.by, 60)} {verb} {fact.question_id}" if fact.by else f"{fact.question_id} was {verb}"
    return f"{fact.subtask_id}: {who}{f': {one_line(fact.note, 100)}' if fact.note else ''}"


def _words(problem: ReplyProblem) -> str:
    return problem.replace("_", " ")


def _proof(fact: Fact) -> str | None:
    match fact:
        case VerificationStarted(purpose=purpose):
            return f"clean room: {purpose} ..."
        case VerificationFinished(purpose=purpose, evidence=evidence):
            return f"clean room: {purpose}: {evidence_line(evidence)}"
        case DependenciesInstalled():
            return _dependencies(fact)
        case NoticeGiven(text=text):
            return f"note: {one_line(text, 200)}"
        case TaskFinished():
            return None
        case _:
            return None


def plan_lines(plan: Plan) -> list[str]:
    """A plan for people: its kind and files, then a line for each subtask."""
    files = [f"   {one_line(file.path, 100)}: {one_line('; '.join(file.signatures), 160)}" for file in plan.files]
    nodes = [f"{at}. {_node(node)}" for at, node in enumerate(plan.subtasks, 1)]
    return [f"{plan.kind.replace('_', ' ')}, {plan.language}", *files, *nodes]


def _node(node: Subtask) -> str:
    after = f", after {', '.join(node.needs)}" if node.needs else ""
    return f"{node.id} ({node.role}{after}): {one_line(node.goal, 200)}"


def _setback(fact: Fact) -> str | None:
    match fact:
        case CorrectionStarted(attempt=attempt, failure=failure, rung=rung):
            how = f" ({rung})" if rung else ""
            test = one_line(failure.test_id, 200)
            return f"correction, attempt {attempt}{how}: {failure.kind} {test}: {one_line(failure.message, 80)}"
        case PlanRevised(subtask_id=subtask_id, plan=plan):
            return f"{subtask_id}: planned anew: {', '.join(node.id for node in plan.subtasks)}"
        case CandidatesJudged(candidates=candidates, chosen=chosen):
            judged = sum(one.score is not None for one in candidates)
            return f"{chosen} chosen of {len(candidates)} candidates, {judged} of them judged"
        case SandboxFailed(subtask_id=subtask_id, message=message):
            return f"{subtask_id}: the sandbox failed: {one_line(message, 200)}"
        case SubtaskCrashed(subtask_id=subtask_id, message=message):
            return f"{subtask_id}: ended in an error: {one_line(message, 200)}"
        case _:
            return None


def _dependencies(fact: DependenciesInstalled) -> str:
    how = "were installed before" if fact.cached else f"installed in {fact.duration_s:.1f} s"
    refused = f"; refused: {one_line(', '.join(fact.refused), 100)}" if fact.refused else ""
    return f"dependencies {how}: {fact.files} files, {fact.size / 2**20:.1f} MiB{refused}"


def _plan(fact: PlanMade) -> str:
    nodes = " → ".join(f"{subtask.id} ({subtask.role})" for subtask in fact.plan.subtasks)
    fallback = f"; {one_line(fact.fallback, 200)}, so it is one subtask" if fact.fallback else ""
    return f"plan ({fact.plan.kind}): {nodes}{fallback}"


def _result(result: Submitted | Stopped | Asks) -> str:
    match result:
        case Submitted(summary=summary):
            return f"submitted: {one_line(summary, 100)}"
        case Stopped(reason=reason, detail=detail):
            return f"stopped ({reason}): {one_line(detail, 160)}"
        case Asks(question=question):
            return f"asks: {one_line(question, 160)}"


def evidence_line(evidence: Evidence) -> str:
    """What a clean run showed, in half a line."""
    report = evidence.report
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome if report.count(outcome))
    text = counts or "no test ran"
    if report.errors:
        text += f", {len(report.errors)} errors"
    if evidence.changed_lines:
        text += f", {evidence.covered_lines} of {evidence.changed_lines} changed lines covered"
    if evidence.mutation is not None and evidence.mutation.made:
        text += f", {evidence.mutation.killed} of {evidence.mutation.made} wrong changes noticed"
    if evidence.passed and not report.passed:
        text += ", as it must be"
    if evidence.failure is not None:
        text += f" — {evidence.failure.kind}"
    return text
