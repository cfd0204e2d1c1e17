"""The way of one task, from its plan to its result."""

from datetime import timedelta

from director.background import gather
from director.difficulty import difficulty_of
from director.equipment import Equipment
from director.evidence.judgement import fails_properly
from director.evidence.verification import Verifier
from director.planning.plan_reading import without_tests
from director.planning.planner import Planned, make_plan
from director.planning.stubs import stub_files
from director.scheduler import run_plan
from director.scopes import open_day
from director.subtask_run import Order, SubtaskRunner, branch_of
from domain.chat import Usage
from domain.errors import BudgetExceeded
from domain.events import ArtifactsKept, CorrectionStarted, Fact, ModelCalled, NoticeGiven, PlanMade
from domain.evidence import Evidence, Failure, FailureKind, Grade
from domain.files import FileTree, TreeChange
from domain.journal import Journal
from domain.ledger import Scope
from domain.plan import Plan, Subtask
from domain.subtask_result import Stopped, StopReason, SubtaskResult
from domain.task import TaskResult, TaskSpec, TaskStatus
from domain.workspace import MAIN_BRANCH, Snapshot, Workspace
from mcp_server.context.project_context import Gathered

HARD_STOPS = frozenset({StopReason.BUDGET, StopReason.WALL_CLOCK, StopReason.TOKENS})


class TaskRun:
    """Works on one task. ``best`` is the tree to hand over, whatever happens."""

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> None:
        self._equipment = equipment
        self._spec = spec
        self._workspace = workspace
        self._journal = journal
        self._verifier = Verifier(equipment, spec, workspace, journal)
        self._start = spec.base_commit
        self._stopped: Stopped | None = None
        self._active: dict[str, str] = {}
        self._ids: set[str] = set()
        self.best = spec.base_commit
        self.evidence: Evidence | None = None
        self.attempts = 0

    async def run(self) -> TaskResult:
        """Plans, has the work done, verifies, corrects; returns what came of it."""
        await self._open_scopes()
        await self._workspace.branch(MAIN_BRANCH, self._spec.base_commit)
        deadline = await self._journal.now() + timedelta(seconds=self._spec.limits.wall_clock_s)
        try:
            plan = await self._plan()
        except BudgetExceeded as error:
            return await self.result(TaskStatus.STOPPED, Grade.UNCHECKED, str(error))
        runner = SubtaskRunner(self._equipment, self._spec, plan, self._workspace, deadline)
        await run_plan(plan, lambda subtask: self._subtask(runner, subtask, self._journal.child(subtask.id)))
        self.best = await self._workspace.head(MAIN_BRANCH)
        await self._verify_and_correct(runner)
        return await self._conclude()

    async def _open_scopes(self) -> None:
        spec, ledger, today = self._spec, self._equipment.ledger, (await self._journal.now()).date()
        day = await open_day(ledger, spec.owner, today, self._equipment.caps)
        limits = spec.limits
        await ledger.open(Scope(id=f"task:{spec.id}", parent=day, cap=limits.budget, token_cap=limits.max_tokens))

    async def _plan(self) -> Plan:
        files = await self._workspace.files(self._spec.base_commit)
        planned = await self._planned(files)
        for at, call in enumerate(planned.calls):
            fact = ModelCalled(
                subtask_id="",
                model=call.model or self._spec.model,
                provider=call.provider,
                usage=call.reply.usage,
                cost=call.cost,
                priced=call.priced,
                latency_s=call.latency_s,
                text=call.reply.message.content[:2000],
            )
            await self._tell(f"plan:model:{at}", fact)
        alerts = {(alert.scope, alert.tokens): alert for call in planned.calls for alert in call.alerts}
        for (over, tokens), alert in alerts.items():
            await self._tell(f"plan:alert:{over}:{tokens}", NoticeGiven(text=f"{alert}"))
        plan = planned.plan
        stubs = stub_files(plan.files, files)
        change = TreeChange(written=stubs)
        snapshot = await self._journal.step(
            "stubs", Snapshot, lambda: self._workspace.snapshot(MAIN_BRANCH, change, "stubs")
        )
        self._start = self.best = snapshot.commit
        self._verifier.stubs = stubs
        if self._verifier.user_gave_tests:
            await self._verifier.look_before(snapshot.commit)
            plan = without_tests(plan) if self._verifier.user_failed_first else plan
        self._ids = {subtask.id for subtask in plan.subtasks}
        await self._tell("plan", PlanMade(plan=plan, fallback=planned.fallback))
        return plan

    async def _planned(self, files: FileTree) -> Planned:
        known = await self._journal.step("context", Gathered, lambda: gather(self._equipment, self._spec, files))
        for at, note in enumerate(known.notes):
            await self._tell(f"context:{at}", NoticeGiven(text=note))
        scope = f"task:{self._spec.id}"
        return await self._journal.step(
            "plan", Planned, lambda: make_plan(self._equipment.gateway, self._spec, scope, files, known.text)
        )

    async def _tell(self, key: str, fact: Fact) -> None:
        await self._equipment.log.append(self._spec.id, key, fact)

    async def _subtask(self, runner: SubtaskRunner, subtask: Subtask, journal: Journal) -> None:
        order = Order(subtask=subtask, kept=frozenset(self._verifier.tests), shown=self._shown())
        await self._do(runner, order, journal)
        if subtask.role == "test":
            await self._gate_tests(runner, order, journal)
        else:
            await self._merge(runner, order, journal)
        self._active.pop(subtask.id, None)

    async def _merge(self, runner: SubtaskRunner, order: Order, journal: Journal) -> None:
        """Merges the work; where the main branch moved on meanwhile, it is done again on top of it."""
        subtask = order.subtask
        for again in range(1, len(self._ids) + 1):
            conflicts = await runner.merge(order)
            if not conflicts:
                return
            paths = ", ".join(sorted(conflicts))
            goal = f"{subtask.goal}\nWork on these files had to be done again, because others changed them: {paths}"
            redone = subtask.model_copy(update={"id": self._new_id(f"{subtask.id[:30]}-again"), "goal": goal})
            self._active.pop(order.subtask.id, None)
            order = order.model_copy(update={"subtask": redone})
            await self._do(runner, order, journal.child(f"again-{again}"))
            self._active.pop(redone.id, None)
        if conflicts := await runner.merge(order):
            text = f"The work of {subtask.id} was left out: it conflicts again and again in {', '.join(conflicts)}"
            await self._tell(f"left-out:{subtask.id}", NoticeGiven(text=text))

    def _new_id(self, wanted: str) -> str:
        """An id that no subtask of the task has yet."""
        found, number = wanted, 1
        while found in self._ids:
            number += 1
            found = f"{wanted}-{number}"
        self._ids.add(found)
        return found

    async def _do(self, runner: SubtaskRunner, order: Order, journal: Journal) -> SubtaskResult:
        self._active[order.subtask.id] = branch_of(order.subtask)
        result = await runner.run(order, journal)
        if isinstance(result, Stopped):
            self._stopped = result
        return result

    @property
    def _hard_stopped(self) -> bool:
        """Whether no further attempt can help, because a limit of the whole task was reached."""
        return self._stopped is not None and self._stopped.reason in HARD_STOPS

    async def _gate_tests(self, runner: SubtaskRunner, order: Order, journal: Journal) -> None:
        """Takes new tests on only when they were seen to fail on the stub; else they go back, then away."""
        failure: Failure | None = None
        for attempt in range(1, self._spec.limits.max_attempts + 1):
            if attempt > 1:
                if self._hard_stopped:
                    break
                again = {"attempt": attempt, "difficulty": difficulty_of(attempt), "failure": failure}
                order = order.model_copy(update=again)
                await self._do(runner, order, journal)
            head = await self._workspace.head(branch_of(order.subtask))
            paths = [path for path in await self._workspace.paths(self._start, head) if path not in order.kept]
            key, purpose = f"gate:{order.subtask.id}:{attempt}", "new tests on the stub"
            run = await self._verifier.run(key, head, purpose)
            failure = fails_properly(run.report, paths)
            seen = self._verifier.evidence(run, failure is None)
            seen = seen.model_copy(update={"failure": failure, "failed_first": failure is None})
            await self._verifier.finish(key, seen, purpose)
            if failure is None and not await runner.merge(order):
                self._verifier.accept_tests(run, [path for path in paths if path.endswith(".py")])
                return
        why = f"{failure.kind}: {(failure.message.strip().splitlines() or [''])[-1]}" if failure else "they conflict"
        text = f"The tests of {order.subtask.id} were dropped: {why}"
        await self._tell(f"dropped:{order.subtask.id}", NoticeGiven(text=text))

    def _shown(self) -> tuple[str, ...]:
        return tuple(sorted(self._verifier.tests))

    async def _verify_and_correct(self, runner: SubtaskRunner) -> None:
        self.attempts = 1
        if not self._verifier.can_judge:
            return
        self.evidence = await self._verifier.verify("final:1", self._start, self.best)
        for attempt in range(2, self._spec.limits.max_attempts + 1):
            if self.evidence.passed or self._hard_stopped:
                return
            await self._correct(runner, attempt, self.evidence)
        if not self.evidence.passed:
            await self._workspace.branch(MAIN_BRANCH, self.best)

    async def _correct(self, runner: SubtaskRunner, attempt: int, evidence: Evidence) -> None:
        """One more try, from the best tree, with what went wrong; the better tree is kept."""
        self.attempts = attempt
        failure = evidence.failure or Failure(kind=FailureKind.INCOMPLETE, message="the verification did not pass")
        await self._tell(f"correction:{attempt}", CorrectionStarted(attempt=attempt, failure=failure))
        goal = "Mend the code so that its tests pass. The tests are right and stay as they are."
        order = Order(
            subtask=Subtask(id=self._new_id(f"fix-{attempt - 1}"), role="code", goal=goal),
            difficulty=difficulty_of(attempt),
            failure=failure,
            kept=frozenset(self._verifier.tests),
            shown=self._shown(),
        )
        await self._workspace.branch(MAIN_BRANCH, self.best)
        self._stopped = None
        await self._do(runner, order, self._journal.child(order.subtask.id))
        await runner.merge(order)
        commit = await self._workspace.head(MAIN_BRANCH)
        found = await self._verifier.verify(f"final:{attempt}", self._start, commit)
        if found.score >= evidence.score:
            self.best, self.evidence = commit, found

    async def salvage(self) -> str:
        """The best tree of a task that is being ended: what was under way is added to it where that merges."""
        if self.evidence is None:
            for branch in self._active.values():
                await self._workspace.merge(MAIN_BRANCH, branch)
            self.best = await self._workspace.head(MAIN_BRANCH)
        return self.best

    async def _conclude(self) -> TaskResult:
        if self.evidence is None:
            if self._stopped is not None:
                reason = f"{self._stopped.reason}: {self._stopped.detail}; there were no tests to check the work by"
                return await self.result(TaskStatus.STOPPED, Grade.UNCHECKED, reason)
            reason = "done, but there were no tests by which to check it"
            return await self.result(TaskStatus.UNCHECKED, Grade.UNCHECKED, reason)
        grade, why = self._verifier.grade(self.evidence)
        if self.evidence.passed:
            status = TaskStatus.UNCHECKED if grade is Grade.UNCHECKED else TaskStatus.SOLVED
            return await self.result(status, grade, why)
        failure = self.evidence.failure
        reason = f"after {self.attempts} attempts: {failure.kind} {failure.test_id}".strip() if failure else why
        if self._stopped is not None:
            return await self.result(TaskStatus.STOPPED, grade, f"{self._stopped.reason}: {self._stopped.detail}")
        return await self.result(TaskStatus.UNSOLVED, grade, reason)

    async def result(self, status: TaskStatus, grade: Grade, reason: str) -> TaskResult:
        """The result with the best tree, its evidence, and what the task used."""
        events = await self._equipment.log.read(self._spec.id)
        called = [event.fact for event in events if isinstance(event.fact, ModelCalled)]
        facts = [event.fact for event in events if isinstance(event.fact, ArtifactsKept)]
        kept = {artifact.path: artifact for fact in facts for artifact in fact.artifacts}
        return TaskResult(
            task_id=self._spec.id,
            status=status,
            grade=grade,
            reason=reason,
            commit=self.best,
            evidence=self.evidence,
            usage=sum((fact.usage for fact in called), Usage()),
            cost=(await self._equipment.ledger.spending(f"task:{self._spec.id}")).settled,
            priced=all(fact.priced for fact in called),
            attempts=self.attempts,
            artifacts=tuple(kept[path] for path in sorted(kept)),
        )
