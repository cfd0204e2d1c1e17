"""What a specialist does outside of itself: each is a step of the journal, and told as events."""

import asyncio

from domain.base import Value
from domain.chat import ModelRequest, ToolCall
from domain.events import NoticeGiven, ProtectedChangeDropped, SnapshotMade, ToolCalled
from domain.ledger import BudgetAlert
from domain.setbacks import RolledBack
from domain.specialist_facts import FindingsReported
from domain.text import excerpt, one_line
from gateway.base import Call, Completion
from mcp_server.client import Observation, Rollback
from specialists.assignment import Assignment
from specialists.model_called import EVENT_TEXT, model_called
from specialists.preparation import Prepared
from specialists.role import Role
from specialists.standing import Snapshot, Tried
from specialists.surroundings import Surroundings
from specialists.telling import Telling


class Opening(Value):
    """How things were when the work began: whether its model may be able to call tools, and where its branch was."""

    calls_tools: bool
    commit: str
    tree: str


class Answer(Value):
    """A model's reply; None where the time was up before it came."""

    completion: Completion | None = None


class Recorded:
    """Does it for one assignment."""

    def __init__(self, role: Role, assignment: Assignment, around: Surroundings, telling: Telling) -> None:
        self._role = role
        self._assignment = assignment
        self._around = around
        self._telling = telling
        self._alerted: set[str] = set()

    async def open(self) -> Opening:
        """What the work begins with; recorded, since the catalogue can change, and the branch goes on."""
        model, tools = self._assignment.model, self._around.tools

        async def look() -> Opening:
            able = self._around.gateway.calls_tools(model)
            return Opening(calls_tools=able, commit=tools.commit, tree=tools.tree)

        return await self._around.journal.step(f"{self._assignment.key}:opening", Opening, look)

    async def seconds_left(self) -> float:
        """Until the deadline."""
        return (self._assignment.deadline - await self._around.journal.now()).total_seconds()

    async def ask(self, step: int, request: ModelRequest, within_s: float) -> Completion | None:
        """What the model answers; None where it did not in time. What goes wrong is raised."""
        assignment, preference = self._assignment, self._role.model
        call = Call(
            request=request,
            task_id=assignment.task_id,
            subtask_id=assignment.subtask.id,
            owner=assignment.owner,
            specialist=self._role.name,
            purpose="step",
            scope=assignment.scope,
            difficulty=preference.difficulty(assignment.difficulty),
            cacheable=assignment.cacheable,
        )

        async def collect() -> Answer:
            try:
                async with asyncio.timeout(within_s) as time:
                    return Answer(completion=await self._around.gateway.collect(call))
            except TimeoutError:
                if not time.expired():
                    raise
                return Answer()

        name = f"{step}:model"
        answer = await self._around.journal.step(f"{assignment.key}:{name}", Answer, collect)
        # What the last step told was queued before this one's reservation, so nobody waits for it here.
        await self._telling.written()
        if answer.completion is not None:
            self._tell_model(name, answer.completion)
        return answer.completion

    def _tell_model(self, name: str, completion: Completion) -> None:
        self._telling.tell(name, model_called(completion, self._assignment.model, self._assignment.subtask.id))
        for alert in completion.alerts:
            self._alert(alert)

    def _alert(self, alert: BudgetAlert) -> None:
        """Tells once of each budget that it runs out."""
        key = f"alert:{alert.scope}:{alert.tokens}"
        if key not in self._alerted:
            self._alerted.add(key)
            self._telling.tell(key, NoticeGiven(text=f"{alert}"))

    async def call(self, step: str, wanted: Prepared, before: Snapshot) -> Observation:
        """What a tool shows, which is ended when the time is up. An infrastructure error is raised."""
        started = await self._around.journal.now()
        left_s = max(0.0, (self._assignment.deadline - started).total_seconds())
        observation = await self._around.journal.step(
            f"{self._assignment.key}:{step}",
            Observation,
            lambda: self._around.tools.call(wanted.call.name, wanted.arguments, left_s),
        )
        ended = await self._around.journal.now()
        self._tell_tool(step, wanted.call, observation, before, (ended - started).total_seconds())
        return observation

    def _tell_tool(self, step: str, call: ToolCall, observation: Observation, before: Snapshot, seconds: float) -> None:
        subtask = self._assignment.subtask.id
        fact = ToolCalled(
            subtask_id=subtask,
            tool=one_line(call.name),
            summary=one_line(call.arguments, 200),
            ok=observation.ok,
            duration_s=seconds,
            observation=excerpt(observation.text, EVENT_TEXT),
        )
        self._telling.tell(step, fact)
        if observation.commit != before.commit:
            made = SnapshotMade(subtask_id=subtask, commit=observation.commit, paths=observation.changed)
            self._telling.tell(f"{step}:snapshot", made)
        if observation.findings:
            found = FindingsReported(subtask_id=subtask, findings=observation.findings)
            self._telling.tell(f"{step}:findings", found)
        if observation.dropped:
            dropped = ProtectedChangeDropped(subtask_id=subtask, paths=observation.dropped)
            self._telling.tell(f"{step}:dropped", dropped)

    async def roll_back(self, step: str, to: Tried, before: Snapshot, reason: str) -> Rollback:
        """Takes the branch and the sandbox back to a snapshot."""
        name = f"{self._assignment.key}:{step}"
        back = await self._around.journal.step(name, Rollback, lambda: self._around.tools.roll_back(to.at.commit))
        fact = RolledBack(
            subtask_id=self._assignment.subtask.id, commit=back.commit, abandoned=before.commit, paths=back.undone,
            tests=to.tests, reason=reason,
        )  # fmt: skip
        self._telling.tell(step, fact)
        return back
