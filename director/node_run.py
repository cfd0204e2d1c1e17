"""The way of one node of a plan: done by its specialist, checked, merged, and kept from taking the task down."""

from director.acceptance import find_gap
from director.difficulty import difficulty_of
from director.order import Order, branch_of
from director.planning.replanning import replan
from director.scheduler import NodeState, run_plan
from director.standing import Standing
from director.subtask_run import SubtaskRunner
from director.tests_gate import gate_tests
from domain.errors import SoundstageError
from domain.events import NoticeGiven
from domain.evidence import Failure, FailureKind
from domain.journal import Journal
from domain.plan import Plan, Subtask
from domain.setbacks import SubtaskCrashed
from domain.subtask_result import Stopped, SubtaskResult

MOST_ATTEMPTS = 2
"""How often a node is done before it is planned anew."""


class NodeRun:
    """Runs the nodes of a task's plan. ``crashes`` are the errors of those that crashed, by the id of the node."""

    def __init__(self, standing: Standing, runner: SubtaskRunner, plan: Plan) -> None:
        self._standing = standing
        self._runner = runner
        self._plan = plan
        self.crashes: dict[str, Exception] = {}

    async def run(self, subtask: Subtask) -> NodeState:
        """Runs a node; whatever breaks under it is written down, and the others go on."""
        return await self._contained(subtask, self._standing.journal.child(subtask.id), may_replan=True)

    async def _contained(self, subtask: Subtask, journal: Journal, may_replan: bool) -> NodeState:
        try:
            state = await self._node(subtask, journal, may_replan)
            self._standing.active.pop(subtask.id, None)
            return state
        except Exception as error:  # noqa: BLE001 - one node takes no other down; it is told, and raised at the end
            self.crashes[subtask.id] = error
            message = str(error) if isinstance(error, SoundstageError) else f"an error in Soundstage itself: {error!r}"
            await self._standing.tell(f"crashed:{subtask.id}", SubtaskCrashed(subtask_id=subtask.id, message=message))
            return NodeState.FAILED

    async def _node(self, subtask: Subtask, journal: Journal, may_replan: bool) -> NodeState:
        standing = self._standing
        shown = (*subtask.inputs, *standing.shown)
        order = Order(
            subtask=subtask, kept=standing.verifier.protected, shown=shown, may_request=True,
            findings=tuple(found for need in subtask.needs for found in standing.findings.get(need, ())),
        )  # fmt: skip
        result = await self._runner.run(order, journal)
        if subtask.role == "test":
            await gate_tests(standing, self._runner, order, journal)
        else:
            await self._finish(order, result, journal, may_replan)
        await self._requested(subtask, journal)
        return NodeState.DONE

    async def _finish(self, order: Order, result: SubtaskResult, journal: Journal, may_replan: bool) -> None:
        """Merges the work once it is accepted; where it is not, others may take its place."""
        standing, subtask = self._standing, order.subtask
        order, failure = await self._accepted(order, result, journal)
        if failure is not None and may_replan and not standing.hard_stopped:
            plan = await replan(standing, journal, self._plan, subtask, failure)
            if plan is not None and await self.run_in_place(plan, subtask, journal) is NodeState.DONE:
                standing.forget_stop(subtask.id)
                return
        if failure is not None:
            await standing.tell(f"gap:{subtask.id}", NoticeGiven(text=f"{subtask.id} lacks: {failure.message}"))
        await self._merge(order, journal)

    async def _requested(self, asker: Subtask, journal: Journal) -> None:
        """Has the work done that a node asked for, before those begin that need the node."""
        wanted = tuple(subtask for by, subtask in self._standing.requested.values() if by == asker.id)
        if wanted:
            await self.run_in_place(self._plan.model_copy(update={"subtasks": wanted}), asker, journal)

    async def _accepted(self, order: Order, result: SubtaskResult, journal: Journal) -> tuple[Order, Failure | None]:
        """The order that was carried out last, and what its work lacks still after it went back."""
        standing, wanted = self._standing, order.subtask.acceptance
        for attempt in range(1, MOST_ATTEMPTS + 1):
            failure = await self._gap(order, result)
            if failure is None or standing.hard_stopped or attempt == MOST_ATTEMPTS or not wanted:
                return order, failure
            again = {"attempt": attempt + 1, "difficulty": difficulty_of(attempt + 1), "failure": failure}
            order = order.model_copy(update=again)
            result = await self._runner.run(order, journal)
        raise AssertionError  # the last attempt returns

    async def _gap(self, order: Order, result: SubtaskResult) -> Failure | None:
        subtask = order.subtask
        if wanted := subtask.acceptance:
            head = await self._standing.workspace.head(branch_of(subtask))
            return await find_gap(self._standing, f"accept:{order.key}", head, wanted)
        needed = any(subtask.id in other.needs for other in self._plan.subtasks)
        if isinstance(result, Stopped) and needed:
            return Failure(kind=FailureKind.INCOMPLETE, message=f"it was stopped ({result.reason}): {result.detail}")
        return None

    async def run_in_place(self, plan: Plan, of: Subtask, journal: Journal) -> NodeState:
        """Runs a plan that takes the place of a node, or adds to its work; DONE where at least one of its nodes is."""

        async def run(node: Subtask) -> NodeState:
            return await self._contained(node, journal.child(node.id), may_replan=False)

        states = await run_plan(plan, run)
        self._standing.hand_on(of.id, [node.id for node in plan.subtasks])
        return NodeState.DONE if NodeState.DONE in states.values() else NodeState.FAILED

    async def _merge(self, order: Order, journal: Journal) -> None:
        """Merges the work; where the main branch moved on meanwhile, it is done again on top of it."""
        standing, subtask = self._standing, order.subtask
        for again in range(1, len(standing.ids) + 1):
            conflicts = await self._runner.merge(order)
            if not conflicts:
                return
            paths = ", ".join(sorted(conflicts))
            goal = f"{subtask.goal}\nWork on these files had to be done again, because others changed them: {paths}"
            redone = subtask.model_copy(update={"id": standing.new_id(f"{subtask.id[:30]}-again"), "goal": goal})
            standing.active.pop(order.subtask.id, None)
            order = Order(subtask=redone, kept=order.kept, shown=order.shown, findings=order.findings)
            await self._runner.run(order, journal.child(f"again-{again}"))
            standing.active.pop(redone.id, None)
            standing.hand_on(subtask.id, [redone.id])
        if conflicts := await self._runner.merge(order):
            text = f"The work of {subtask.id} was left out: it conflicts again and again in {', '.join(conflicts)}"
            await standing.tell(f"left-out:{subtask.id}", NoticeGiven(text=text))
