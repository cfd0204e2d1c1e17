"""What came of a task."""

from director.evidence import grading
from director.standing import Standing
from domain.chat import Usage
from domain.events import ArtifactsKept, ModelCalled
from domain.evidence import Evidence, Grade
from domain.task import TaskResult, TaskStatus
from domain.text import one_line


async def conclude(standing: Standing) -> TaskResult:
    """The result of a task whose work has ended."""
    evidence, stopped = standing.evidence, standing.stopped
    if evidence is not None:
        return await _judged(standing, evidence)
    if stopped is not None:
        reason = f"{stopped.reason}: {stopped.detail}; there were no tests to check the work by"
        return await result_of(standing, TaskStatus.STOPPED, Grade.UNCHECKED, reason)
    reason = "done, but there were no tests by which to check it"
    return await result_of(standing, TaskStatus.UNCHECKED, Grade.UNCHECKED, reason)


async def _judged(standing: Standing, evidence: Evidence) -> TaskResult:
    grade, why = grading.grade(evidence, standing.verifier.grounds(evidence))
    if evidence.passed:
        status = TaskStatus.UNCHECKED if grade is Grade.UNCHECKED else TaskStatus.SOLVED
        return await result_of(standing, status, grade, why)
    if standing.stopped is not None:
        reason = f"{standing.stopped.reason}: {standing.stopped.detail}"
        return await result_of(standing, TaskStatus.STOPPED, grade, reason)
    failure = evidence.failure
    what = f"{failure.kind} {one_line(failure.test_id, 200)}".strip() if failure else ""
    reason = f"after {standing.attempts} attempts: {what}" if failure else why
    return await result_of(standing, TaskStatus.UNSOLVED, grade, reason)


async def result_of(standing: Standing, status: TaskStatus, grade: Grade, reason: str) -> TaskResult:
    """The result with the best tree, its evidence, and what the task used."""
    events = await standing.equipment.log.read(standing.spec.id)
    called = [event.fact for event in events if isinstance(event.fact, ModelCalled)]
    facts = [event.fact for event in events if isinstance(event.fact, ArtifactsKept)]
    kept = {artifact.path: artifact for fact in facts for artifact in fact.artifacts}
    return TaskResult(
        task_id=standing.spec.id,
        status=status,
        grade=grade,
        reason=reason,
        commit=standing.best,
        evidence=standing.evidence,
        usage=sum((fact.usage for fact in called), Usage()),
        cost=(await standing.equipment.ledger.spending(f"task:{standing.spec.id}")).settled,
        priced=all(fact.priced for fact in called),
        attempts=standing.attempts,
        artifacts=tuple(kept[path] for path in sorted(kept)),
    )
