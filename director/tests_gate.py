"""The gate of new tests: they are taken on only when they were seen to do what their kind of task asks for."""

from director.difficulty import difficulty_of
from director.evidence.rules import NewTests, gate
from director.evidence.test_paths import belongs_to_tests
from director.order import Order, branch_of
from director.standing import Standing
from director.subtask_run import SubtaskRunner
from domain.events import NoticeGiven
from domain.evidence import Failure
from domain.journal import Journal


async def gate_tests(standing: Standing, runner: SubtaskRunner, order: Order, journal: Journal) -> None:
    """Takes new tests on only when they fail, or pass, before the work as they must; else they go back, then away."""
    verifier, failure = standing.verifier, None
    for attempt in range(1, standing.spec.limits.max_attempts + 1):
        if attempt > 1:
            if not await standing.may_go_on(journal):
                break
            again = {"attempt": attempt, "difficulty": difficulty_of(attempt), "failure": failure}
            order = order.model_copy(update=again)
            await runner.run(order, journal)
        head = await standing.workspace.head(branch_of(order.subtask))
        paths = [path for path in await standing.workspace.paths(standing.start, head) if path not in order.kept]
        key, purpose = f"gate:{order.subtask.id}:{attempt}", "new tests on the stub"
        run = await verifier.run(key, head, purpose)
        failure = gate(run.report, paths, verifier.kind) or await verifier.weakness(key, standing.start, run)
        seen = verifier.evidence(run, failure is None)
        failed_first = failure is None and verifier.rule.new_tests is NewTests.FAILING
        seen = seen.model_copy(update={"failure": failure, "failed_first": failed_first})
        await verifier.finish(key, seen, purpose)
        if failure is None and not await runner.merge(order):
            verifier.accept_tests(run, [path for path in paths if belongs_to_tests(path)])
            return
    await standing.tell(f"dropped:{order.subtask.id}", NoticeGiven(text=_dropped(order, failure)))


def _dropped(order: Order, failure: Failure | None) -> str:
    why = f"{failure.kind}: {(failure.message.strip().splitlines() or [''])[-1]}" if failure else "they conflict"
    return f"The tests of {order.subtask.id} were dropped: {why}"
