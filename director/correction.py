"""Self-correction: work that does not pass goes back, from the best tree so far, until it does or nothing helps."""

import asyncio

from director.analysis import analyse
from director.difficulty import difficulty_of
from director.drafts import drafts_do
from director.ladder import Ladder, Rung
from director.node_run import NodeRun
from director.order import Order, branch_of
from director.planning.replanning import replan
from director.sampling import candidates
from director.standing import Standing
from director.subtask_run import SubtaskRunner
from domain.events import CorrectionStarted
from domain.evidence import Evidence, Failure, FailureKind
from domain.money import NanoUsd
from domain.plan import Plan, Subtask
from domain.setbacks import Candidate, CandidatesJudged
from domain.workspace import MAIN_BRANCH

GOAL = "Mend the code so that its tests pass. The tests are right and stay as they are."


class Corrector:
    """Corrects the work of one task. The better tree is kept, always."""

    def __init__(self, standing: Standing, runner: SubtaskRunner, nodes: NodeRun, plan: Plan) -> None:
        self._standing = standing
        self._runner = runner
        self._nodes = nodes
        self._plan = plan
        self._ladder = Ladder()
        self._judged: dict[str, Evidence] = {}

    async def verify_and_correct(self) -> None:
        """Verifies what there is, and tries again as long as that may help."""
        standing = self._standing
        standing.attempts = 1
        if not standing.verifier.can_judge:
            return
        standing.evidence = await self._verify("final:1", standing.best)
        stood_still = standing.evidence.tree == await standing.workspace.tree(standing.start)
        for attempt in range(2, standing.spec.limits.max_attempts + 1):
            if standing.evidence.passed or not await standing.may_go_on(standing.journal):
                break
            before = standing.evidence.tree
            rung = Rung.FEEDBACK if self._by_drafts else self._ladder.climb(stood_still)
            await self._correct(attempt, standing.evidence, rung)
            stood_still = standing.evidence.tree == before
        await standing.workspace.branch(MAIN_BRANCH, standing.best)

    @property
    def _by_drafts(self) -> bool:
        """Whether all that the model can do is to write the file anew, many times, which the specialist does."""
        standing = self._standing
        return not standing.calls_tools and drafts_do(self._plan, standing.verifier, standing.spec.prompt)

    async def _verify(self, key: str, commit: str) -> Evidence:
        """The evidence for a commit. A tree that was judged already is not run again."""
        tree = await self._standing.workspace.tree(commit)
        if tree not in self._judged:
            self._judged[tree] = await self._standing.verifier.verify(key, self._standing.start, commit)
        return self._judged[tree]

    async def _correct(self, attempt: int, evidence: Evidence, rung: Rung) -> None:
        standing = self._standing
        standing.attempts = attempt
        failure = evidence.failure or Failure(kind=FailureKind.INCOMPLETE, message="the verification did not pass")
        analysis = "" if self._by_drafts else await analyse(standing, standing.journal, f"{attempt}", failure)
        started = CorrectionStarted(attempt=attempt, failure=failure, rung=rung, analysis=analysis)
        await standing.tell(f"correction:{attempt}", started)
        await standing.workspace.branch(MAIN_BRANCH, standing.best)
        standing.stops.clear()
        if rung is Rung.REPLAN and await self._replanned(attempt, failure):
            return
        order = Order(
            subtask=Subtask(id=f"fix-{attempt - 1}", role="code", goal=GOAL),
            difficulty=difficulty_of(attempt),
            failure=failure,
            analysis=analysis,
            kept=standing.verifier.protected,
            shown=standing.shown,
        )
        await self._try(attempt, order, 1 if rung is Rung.FEEDBACK else await self._affordable())

    async def _replanned(self, attempt: int, failure: Failure) -> bool:
        """Works by a new plan on what is left; False where there is none."""
        standing = self._standing
        subtask = Subtask(id=standing.new_id(f"fix-{attempt - 1}"), role="code", goal=GOAL)
        journal = standing.journal.child(f"replan-{attempt}")
        plan = await replan(standing, journal, self._plan, subtask, failure)
        if plan is None:
            return False
        await self._nodes.run_in_place(plan, subtask, journal)
        commit = await standing.workspace.head(MAIN_BRANCH)
        self._keep_better(commit, await self._verify(f"final:{attempt}", commit))
        return True

    async def _affordable(self) -> int:
        standing = self._standing
        spending = await standing.equipment.ledger.spending(f"task:{standing.spec.id}")
        budget = standing.spec.limits.budget
        left = None if budget is None else NanoUsd(max(0, budget - spending.settled - spending.reserved))
        cost = NanoUsd(spending.settled // max(1, standing.attempts - 1))
        return candidates(standing.spec.strategy.samples, cost, left)

    async def _try(self, attempt: int, order: Order, number: int) -> None:
        """Makes candidates side by side, until one passes or all are judged; the best one is kept if it is better."""
        orders = [self._candidate(order, at, number) for at in range(number)]
        found: dict[str, tuple[str, Evidence]] = {}

        async def work(one: Order) -> bool:
            await self._runner.run(one, self._standing.journal.child(one.subtask.id))
            commit = await self._standing.workspace.head(branch_of(one.subtask))
            key = f"final:{attempt}" if number == 1 else f"final:{attempt}:{one.subtask.id}"
            found[one.subtask.id] = commit, await self._verify(key, commit)
            return found[one.subtask.id][1].passed

        await _until_one_passes([asyncio.create_task(work(one)) for one in orders])
        for one in orders:
            self._standing.active.pop(one.subtask.id, None)
        chosen = max(orders, key=lambda one: found[one.subtask.id][1].score if one.subtask.id in found else ())
        if number > 1:
            await self._standing.tell(f"candidates:{attempt}", _judged(attempt, orders, found, chosen))
        commit, evidence = found[chosen.subtask.id]
        if self._keep_better(commit, evidence):
            await self._runner.merge(chosen)

    def _candidate(self, order: Order, at: int, number: int) -> Order:
        subtask = order.subtask
        name = subtask.id if number == 1 else f"{subtask.id}-{'abcdefghijklmnopqrstuvwxyz012345'[at]}"
        renamed = subtask.model_copy(update={"id": self._standing.new_id(name)})
        return order.model_copy(update={"subtask": renamed, "candidate": at})

    def _keep_better(self, commit: str, evidence: Evidence) -> bool:
        assert self._standing.evidence is not None
        if evidence.score < self._standing.evidence.score:
            return False
        self._standing.best, self._standing.evidence = commit, evidence
        return True


async def _until_one_passes(tasks: list["asyncio.Task[bool]"]) -> None:
    """Waits until a candidate passes, and ends the others then. An error of one is raised where none passes."""
    try:
        for finished in asyncio.as_completed(tasks):
            try:
                if await finished:
                    return
            except Exception:  # of any kind: another candidate may pass all the same
                if all(task.done() for task in tasks) and not any(_fine(task) for task in tasks):
                    raise
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _fine(task: "asyncio.Task[bool]") -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _judged(
    attempt: int, orders: list[Order], found: dict[str, tuple[str, Evidence]], chosen: Order
) -> CandidatesJudged:
    tried = tuple(
        Candidate(subtask_id=one.subtask.id, commit=found[one.subtask.id][0], score=found[one.subtask.id][1].score)
        if one.subtask.id in found
        else Candidate(subtask_id=one.subtask.id)
        for one in orders
    )
    return CandidatesJudged(attempt=attempt, candidates=tried, chosen=chosen.subtask.id)
