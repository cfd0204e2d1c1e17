"""One subtask: a branch, a sandbox, a specialist."""

from collections.abc import Collection
from datetime import datetime

from director.approval import TaskApprover
from director.artifacts import keep
from director.background import context_tokens, gather
from director.brief import write_brief
from director.colleagues import TaskColleagues
from director.drafts import draft_terms
from director.order import Order, branch_of
from director.room import request_for
from director.standing import Standing
from domain.command import Verdict
from domain.errors import SandboxLost
from domain.events import BranchMerged, SandboxFailed, SubtaskFinished, SubtaskStarted
from domain.journal import Journal
from domain.ledger import Scope
from domain.money import NanoUsd
from domain.plan import Plan, Subtask
from domain.subtask_result import Asks, Stopped, Submitted, SubtaskResult
from domain.workspace import MAIN_BRANCH
from mcp_server.caller import Caller, Permission
from mcp_server.client import connect
from mcp_server.context.project_context import Gathered
from mcp_server.dispatcher import Dispatcher
from mcp_server.protection import Protection
from mcp_server.session import ToolSession
from sandbox.base import Sandbox
from specialists.assignment import Assignment
from specialists.loop import Loop
from specialists.role import Role
from specialists.role_files import role
from specialists.surroundings import Surroundings

TEMPERATURE = 0.8
"""Of all candidates but the first, so that they differ."""

LOOKING = frozenset({Permission.READ, Permission.TEST, Permission.SUBMIT})


class SubtaskRunner:
    """Does the subtasks of one task."""

    def __init__(self, standing: Standing, plan: Plan, deadline: datetime) -> None:
        self._standing = standing
        self._equipment = standing.equipment
        self._spec = standing.spec
        self._workspace = standing.workspace
        self._plan = plan
        self._deadline = deadline

    async def run(self, order: Order, journal: Journal) -> SubtaskResult:
        """Has a specialist work on the subtask's branch, which starts at the main branch; merges nothing.

        When the sandbox is lost, a second one goes on from the last snapshot; when that is lost too, SandboxLost.
        """
        self._standing.active[order.subtask.id] = branch_of(order.subtask)
        result = await self._twice(order, journal)
        if isinstance(result, Stopped):
            self._standing.stops[order.subtask.id] = result
        else:
            self._standing.forget_stop(order.subtask.id)
        if not isinstance(result, Asks) and result.findings:
            self._standing.findings[order.subtask.id] = result.findings
        return result

    async def _twice(self, order: Order, journal: Journal) -> SubtaskResult:
        try:
            return await self._once(order, journal.child(order.key))
        except SandboxLost as error:
            lost = SandboxFailed(subtask_id=order.subtask.id, verdict=Verdict.INFRASTRUCTURE, message=str(error))
            await self._equipment.log.append(self._spec.id, f"subtask:{order.key}:lost", lost)
        order = order.model_copy(update={"lease": order.lease + 1})
        return await self._once(order, journal.child(order.key))

    async def _once(self, order: Order, journal: Journal) -> SubtaskResult:
        subtask = order.subtask
        branch = branch_of(subtask)
        scope = f"subtask:{self._spec.id}:{subtask.id}"
        tokens = role(subtask.role, self._equipment.roles).max_tokens
        parent = f"task:{self._spec.id}"
        await self._equipment.ledger.open(Scope(id=scope, parent=parent, cap=self._cap(subtask), token_cap=tokens))
        fresh = order.attempt == order.lease == 1
        start = order.reads_from if fresh else ""
        start = start or await self._workspace.head(MAIN_BRANCH if fresh else branch)
        await self._workspace.branch(branch, start)
        key = f"subtask:{order.key}"
        started = SubtaskStarted(subtask=subtask, attempt=order.attempt, commit=start)
        await self._equipment.log.append(self._spec.id, f"{key}:started", started)
        result = await self._work(order, branch, scope, journal)
        finished = SubtaskFinished(subtask_id=subtask.id, result=result)
        await self._equipment.log.append(self._spec.id, f"{key}:finished", finished)
        return result

    def _cap(self, subtask: Subtask) -> NanoUsd | None:
        """What a subtask may cost: its share of the budget, and no more than any subtask may."""
        budget, usual = self._spec.limits.budget, self._equipment.caps.subtask
        if subtask.share is None or budget is None:
            return usual
        share = NanoUsd(max(1, int(budget * subtask.share)))
        return share if usual is None else min(usual, share)

    async def _work(self, order: Order, branch: str, scope: str, journal: Journal) -> SubtaskResult:
        playing = role(order.subtask.role, self._equipment.roles)
        protected = ("*",) if order.reads_from else playing.protected
        protection = Protection(protected=protected, writable=playing.writable, kept=order.kept)
        request = request_for(self._spec, order.subtask.id, self._spec.limits.wall_clock_s + 60)
        async with self._equipment.sandboxes.lease(request) as sandbox:
            caller = Caller(
                actor=f"{playing.name} specialist", permissions=_permissions(playing, order), owner=self._spec.owner,
                task_id=self._spec.id, subtask_id=order.subtask.id, approval=self._spec.approval,
            )  # fmt: skip
            session = ToolSession(
                sandbox, self._workspace, branch, caller, protection, self._colleagues(order, journal)
            )
            await session.open()
            async with connect(session, self._dispatcher(order, journal)) as tools:
                assignment = await self._assignment(order, scope, session, journal)
                around = Surroundings(self._equipment.gateway, tools, journal, self._equipment.log)
                result = await Loop(playing, assignment, around).run()
                await self._keep(order, result, sandbox)
                return result

    def _colleagues(self, order: Order, journal: Journal) -> TaskColleagues | None:
        """Whom it may ask; whoever answers works alone."""
        return None if order.reads_from else TaskColleagues(self._standing, order, journal, self._twice)

    def _dispatcher(self, order: Order, journal: Journal) -> Dispatcher:
        """Calls the tools of one piece of work, whose questions go to whoever watches the task."""
        patience_s = self._equipment.patience_s
        approver = TaskApprover(self._equipment.log, journal, order.key, patience_s, self._deadline)
        return Dispatcher(self._equipment.registry, self._equipment.audit, approver)

    async def _keep(self, order: Order, result: SubtaskResult, sandbox: Sandbox) -> None:
        """Keeps the files that the plan or the specialist named."""
        named = (*order.subtask.artifacts, *(result.artifacts if isinstance(result, Submitted) else ()))
        if named:
            kept = await keep(self._equipment, sandbox, order.subtask.id, named)
            await self._equipment.log.append(self._spec.id, f"subtask:{order.key}:artifacts", kept)

    async def _assignment(self, order: Order, scope: str, session: ToolSession, journal: Journal) -> Assignment:
        targets, spec = tuple(file.path for file in self._plan.files), self._spec
        route = role(order.subtask.role, self._equipment.roles).model.route
        if order.subtask.role == "test":
            targets = (f"tests/test_{order.subtask.id.replace('-', '_')}.py",)
        shown = (*order.shown, *(file.path for file in self._plan.files))
        goal, tree = order.subtask.goal, session.tree
        known = await journal.step("context", Gathered, lambda: gather(self._equipment, self._spec, tree, goal, shown))
        return Assignment(
            task_id=self._spec.id,
            owner=self._spec.owner,
            subtask=order.subtask,
            key=order.key,
            model=spec.strategy.models.get(order.subtask.role) or route or spec.model,
            language=self._plan.language,
            temperature=TEMPERATURE if order.candidate else None,
            brief=write_brief(self._spec, order, tree, shown),
            background=known.text,
            targets=targets,
            scope=scope,
            difficulty=order.difficulty,
            cacheable=self._spec.cache,
            max_steps=order.max_steps or self._spec.limits.max_steps,
            deadline=self._deadline,
            context_tokens=context_tokens(self._equipment, self._spec),
            draft=draft_terms(self._plan, order, self._standing.verifier, spec.prompt, tree),
        )

    async def merge(self, order: Order) -> Collection[str]:
        """Merges the subtask's branch into the main one; returns the paths in conflict, if any."""
        merge = await self._workspace.merge(MAIN_BRANCH, branch_of(order.subtask))
        merged = BranchMerged(subtask_id=order.subtask.id, commit=merge.commit, conflicts=merge.conflicts)
        await self._equipment.log.append(self._spec.id, f"subtask:{order.key}:merged", merged)
        return merge.conflicts


def _permissions(playing: Role, order: Order) -> frozenset[Permission]:
    """What it may do: whoever only answers a question looks at files and runs tests."""
    return playing.permissions & LOOKING if order.reads_from else playing.permissions
