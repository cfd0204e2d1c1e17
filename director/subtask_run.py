"""One subtask: a branch, a sandbox, a specialist."""

from collections.abc import Collection
from datetime import datetime

from director.approval import TaskApprover
from director.artifacts import keep
from director.background import context_tokens, gather
from director.brief import write_brief
from director.difficulty import difficulty_of
from director.equipment import Equipment
from director.room import request_for
from domain.base import Value
from domain.command import Verdict
from domain.errors import SandboxLost
from domain.events import BranchMerged, SandboxFailed, SubtaskFinished, SubtaskStarted
from domain.evidence import Failure
from domain.journal import Journal
from domain.ledger import Scope
from domain.plan import Plan, Subtask
from domain.subtask_result import Submitted, SubtaskResult
from domain.task import TaskSpec
from domain.workspace import MAIN_BRANCH, Workspace
from mcp_server.caller import Caller
from mcp_server.client import connect
from mcp_server.context.project_context import Gathered
from mcp_server.dispatcher import Dispatcher
from mcp_server.protection import Protection
from mcp_server.session import ToolSession
from sandbox.base import Sandbox
from specialists.assignment import Assignment
from specialists.loop import Loop
from specialists.role import role
from specialists.surroundings import Surroundings


class Order(Value):
    """A subtask to be done now: which attempt it is, what failed before, and which paths nobody may change.

    ``difficulty`` is the strength that its model should have.

    ``lease`` counts the sandboxes of the attempt: a second one takes over where the first was lost.
    """

    subtask: Subtask
    attempt: int = 1
    lease: int = 1
    difficulty: int = difficulty_of(1)
    failure: Failure | None = None
    kept: frozenset[str] = frozenset()
    shown: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Names this piece of work in event keys and journals."""
        return f"{self.subtask.id}:{self.attempt}:{self.lease}"


class SubtaskRunner:
    """Does the subtasks of one task."""

    def __init__(
        self, equipment: Equipment, spec: TaskSpec, plan: Plan, workspace: Workspace, deadline: datetime
    ) -> None:
        self._equipment = equipment
        self._spec = spec
        self._plan = plan
        self._workspace = workspace
        self._deadline = deadline

    async def run(self, order: Order, journal: Journal) -> SubtaskResult:
        """Has a specialist work on the subtask's branch, which starts at the main branch; merges nothing.

        When the sandbox is lost, a second one goes on from the last snapshot; when that is lost too, SandboxLost.
        """
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
        await self._equipment.ledger.open(
            Scope(
                id=scope,
                parent=f"task:{self._spec.id}",
                cap=self._equipment.caps.subtask,
                token_cap=role(subtask.role).max_tokens,
            )
        )
        fresh = order.attempt == order.lease == 1
        start = await self._workspace.head(MAIN_BRANCH if fresh else branch)
        await self._workspace.branch(branch, start)
        key = f"subtask:{order.key}"
        started = SubtaskStarted(subtask=subtask, attempt=order.attempt, commit=start)
        await self._equipment.log.append(self._spec.id, f"{key}:started", started)
        result = await self._work(order, branch, scope, journal)
        finished = SubtaskFinished(subtask_id=subtask.id, result=result)
        await self._equipment.log.append(self._spec.id, f"{key}:finished", finished)
        return result

    async def _work(self, order: Order, branch: str, scope: str, journal: Journal) -> SubtaskResult:
        playing = role(order.subtask.role)
        protection = Protection(protected=playing.protected, writable=playing.writable, kept=order.kept)
        request = request_for(self._spec, order.subtask.id, self._spec.limits.wall_clock_s + 60)
        async with self._equipment.sandboxes.lease(request) as sandbox:
            caller = Caller(
                actor=f"{playing.name} specialist", permissions=playing.permissions, owner=self._spec.owner,
                task_id=self._spec.id, subtask_id=order.subtask.id, approval=self._spec.approval,
            )  # fmt: skip
            session = ToolSession(sandbox, self._workspace, branch, caller, protection)
            await session.open()
            async with connect(session, self._dispatcher(order, journal)) as tools:
                assignment = await self._assignment(order, scope, session, journal)
                around = Surroundings(self._equipment.gateway, tools, journal, self._equipment.log)
                result = await Loop(playing, assignment, around).run()
                await self._keep(order, result, sandbox)
                return result

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
        targets = tuple(file.path for file in self._plan.files)
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
            model=self._spec.model,
            brief=write_brief(self._spec, order.subtask, tree, shown, order.failure),
            background=known.text,
            targets=targets,
            scope=scope,
            difficulty=order.difficulty,
            cacheable=self._spec.cache,
            max_steps=self._spec.limits.max_steps,
            deadline=self._deadline,
            context_tokens=context_tokens(self._equipment, self._spec),
        )

    async def merge(self, order: Order) -> Collection[str]:
        """Merges the subtask's branch into the main one; returns the paths in conflict, if any."""
        merge = await self._workspace.merge(MAIN_BRANCH, branch_of(order.subtask))
        merged = BranchMerged(subtask_id=order.subtask.id, commit=merge.commit, conflicts=merge.conflicts)
        await self._equipment.log.append(self._spec.id, f"subtask:{order.key}:merged", merged)
        return merge.conflicts


def branch_of(subtask: Subtask) -> str:
    """The name of a subtask's branch."""
    return f"subtask/{subtask.id}"
