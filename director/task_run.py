"""The way of one task, from its plan to its result."""

from datetime import datetime, timedelta

from director.background import gather
from director.conclusion import conclude, result_of
from director.correction import Corrector
from director.model_calls import tell_calls
from director.node_run import NodeRun
from director.planning.plan_approval import Approval, ask_about
from director.planning.plan_reading import without_tests
from director.planning.planner import Planned, make_plan
from director.planning.stubs import stub_files
from director.scheduler import NodeState, run_plan
from director.scopes import open_day
from director.standing import Standing
from director.subtask_run import SubtaskRunner
from domain.errors import BudgetExceeded
from domain.events import NoticeGiven, PlanMade
from domain.evidence import Grade
from domain.files import FileTree, TreeChange
from domain.ledger import Scope
from domain.plan import Plan
from domain.task import TaskResult, TaskStatus
from domain.workspace import MAIN_BRANCH, Snapshot
from mcp_server.context.project_context import Gathered


class TaskRun:
    """Works on one task."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    async def run(self) -> TaskResult:
        """Plans, has the work done, verifies, corrects; returns what came of it.

        An error under a subtask is raised at the end, unless what the others did is shown to be right without it.
        """
        standing = self._standing
        await self._open_scopes()
        await standing.workspace.branch(MAIN_BRANCH, standing.spec.base_commit)
        deadline = await standing.journal.now() + timedelta(seconds=standing.spec.limits.wall_clock_s)
        standing.deadline = deadline
        try:
            approval = await self._plan(deadline)
        except BudgetExceeded as error:
            return await result_of(standing, TaskStatus.STOPPED, Grade.UNCHECKED, str(error))
        if approval.plan is None:
            reason = f"the plan was not approved: {approval.note}".removesuffix(": ")
            return await result_of(standing, TaskStatus.STOPPED, Grade.UNCHECKED, reason)
        standing.calls_tools = await standing.journal.step("calls-tools", bool, self._calls_tools)
        plan = await self._begin(approval.plan, approval.note)
        nodes = await self._carry_out(plan, deadline)
        result = await conclude(standing)
        if nodes.crashes and not result.solved:
            raise next(iter(nodes.crashes.values()))
        return result

    async def _carry_out(self, plan: Plan, deadline: datetime) -> NodeRun:
        standing = self._standing
        runner = SubtaskRunner(standing, plan, deadline)
        nodes = NodeRun(standing, runner, plan)
        states = await run_plan(plan, nodes.run)
        if nodes.crashes and NodeState.DONE not in states.values():
            raise next(iter(nodes.crashes.values()))
        standing.best = await standing.workspace.head(MAIN_BRANCH)
        await Corrector(standing, runner, nodes, plan).verify_and_correct()
        return nodes

    async def _open_scopes(self) -> None:
        spec, ledger = self._standing.spec, self._standing.equipment.ledger
        today = (await self._standing.journal.now()).date()
        day = await open_day(ledger, spec.owner, today, self._standing.equipment.caps)
        limits = spec.limits
        await ledger.open(Scope(id=f"task:{spec.id}", parent=day, cap=limits.budget, token_cap=limits.max_tokens))

    async def _plan(self, deadline: datetime) -> Approval:
        """The plan, as a person approved it where that is wanted; its note is why it is not a model's own."""
        standing = self._standing
        files = await standing.workspace.files(standing.spec.base_commit)
        planned = await self._planned(files)
        await tell_calls(standing, "plan", planned.calls)
        if standing.spec.strategy.approve_plan:
            approval = await ask_about(standing, planned.plan, deadline)
            return approval if approval.plan is None else approval.model_copy(update={"note": planned.fallback})
        return Approval(plan=planned.plan, note=planned.fallback)

    async def _begin(self, plan: Plan, fallback: str) -> Plan:
        """Lays the stubs, and looks at the user's tests before any work; the plan as it is carried out."""
        standing = self._standing
        files = await standing.workspace.files(standing.spec.base_commit)
        stubs = stub_files(plan.files, files)
        tests = standing.verifier.follow(plan, files | stubs)
        change = TreeChange(written=stubs | tests)
        snapshot = await standing.journal.step(
            "stubs", Snapshot, lambda: standing.workspace.snapshot(MAIN_BRANCH, change, "stubs")
        )
        standing.start = standing.best = snapshot.commit
        standing.verifier.stubs = stubs
        if standing.verifier.looks_before:
            await standing.verifier.look_before(snapshot.commit)
            plan = without_tests(plan) if standing.verifier.users_tests_suffice(standing.calls_tools) else plan
        standing.ids = {subtask.id for subtask in plan.subtasks}
        await standing.tell("plan", PlanMade(plan=plan, fallback=fallback))
        return plan

    async def _calls_tools(self) -> bool:
        """Whether the task's model may be able to call tools: what else is a small one told by?"""
        return self._standing.equipment.gateway.calls_tools(self._standing.spec.model)

    async def _planned(self, files: FileTree) -> Planned:
        standing, spec = self._standing, self._standing.spec
        known = await standing.journal.step("context", Gathered, lambda: gather(standing.equipment, spec, files))
        for at, note in enumerate(known.notes):
            await standing.tell(f"context:{at}", NoticeGiven(text=note))
        scope, gateway, roles = f"task:{spec.id}", standing.equipment.gateway, standing.equipment.roles
        return await standing.journal.step(
            "plan", Planned, lambda: make_plan(gateway, spec, scope, files, known.text, roles)
        )
