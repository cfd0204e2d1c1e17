"""The one loop that every specialist runs: ask the model, do what it wants, show it what came of that."""

from typing import Any

from domain.chat import ToolCall
from domain.errors import BudgetExceeded, ContextTooLong, ModelRequestRejected
from domain.event_log import EventLog
from domain.events import ModelCalled, NoticeGiven, ProtectedChangeDropped, SnapshotMade, ToolCalled
from domain.journal import Journal
from domain.ledger import BudgetAlert
from domain.subtask_result import Stopped, StopReason, Submitted, SubtaskResult
from domain.text import excerpt, one_line
from gateway.base import Call, Completion
from gateway.gateway import Gateway
from mcp_server.client import Observation, ToolClient
from specialists.arguments import MalformedArguments, parse_arguments
from specialists.assignment import Assignment
from specialists.conversation import Conversation
from specialists.role import Role
from specialists.stuck import Progress, StuckDetector

MALFORMED_IN_A_ROW = 3
EVENT_TEXT = 2_000
NUDGE = "You have done this before, with the same result. Do something else: read the failing test, or change the code."


class Surroundings:
    """What the loop works through: models, tools, the journal and the event log."""

    def __init__(self, gateway: Gateway, tools: ToolClient, journal: Journal, log: EventLog) -> None:
        self.gateway = gateway
        self.tools = tools
        self.journal = journal
        self.log = log


class Loop:
    """Works on one assignment. ``run`` returns when the work is submitted or a limit stops it."""

    def __init__(self, role: Role, assignment: Assignment, around: Surroundings) -> None:
        self._role = role
        self._assignment = assignment
        self._around = around
        self._stuck = StuckDetector()
        self._steps = 0
        self._malformed = 0
        self._alerted: set[str] = set()

    async def run(self) -> SubtaskResult:
        """Steps until there is a result. Infrastructure errors are raised at once."""
        conversation = Conversation(self._role, self._assignment, await self._around.tools.schemas())
        result: SubtaskResult | None = None
        while result is None:
            result = await self._limit() or await self._step(conversation)
        return result

    async def _limit(self) -> Stopped | None:
        most = self._assignment.max_steps or self._role.max_steps
        if self._steps >= most:
            return self._stop(StopReason.STEPS, f"{most} steps were not enough")
        if await self._around.journal.now() >= self._assignment.deadline:
            return self._stop(StopReason.WALL_CLOCK, "the time was up")
        return None

    async def _step(self, conversation: Conversation) -> SubtaskResult | None:
        self._steps += 1
        try:
            completion = await self._query(conversation)
        except BudgetExceeded as error:
            return self._stop(StopReason.BUDGET, str(error))
        except ModelRequestRejected as error:
            return self._rejected(conversation, error)
        calls = conversation.hear(completion.reply)
        if not calls:
            return self._nothing_to_do(conversation)
        return await self._act(conversation, calls)

    def _rejected(self, conversation: Conversation, error: ModelRequestRejected) -> Stopped | None:
        if isinstance(error, ContextTooLong) and conversation.shrink():
            return None
        if conversation.native and not isinstance(error, ContextTooLong):
            # Servers without tool calling refuse the request as a whole.
            conversation.use_text()
            return None
        return self._stop(StopReason.MODEL_REFUSED, str(error))

    def _nothing_to_do(self, conversation: Conversation) -> Stopped | None:
        conversation.correct()
        return self._malformed_reply(conversation)

    def _malformed_reply(self, conversation: Conversation) -> Stopped | None:
        """Counts a reply without a usable action: after three in a row plain text, and after three more the end."""
        self._malformed += 1
        if self._malformed < MALFORMED_IN_A_ROW:
            return None
        if not conversation.native:
            return self._stop(StopReason.MALFORMED, f"{MALFORMED_IN_A_ROW} replies in a row held no action")
        self._malformed = 0
        conversation.use_text()
        return None

    async def _query(self, conversation: Conversation) -> Completion:
        assignment = self._assignment
        call = Call(
            request=conversation.request(),
            task_id=assignment.task_id,
            subtask_id=assignment.subtask.id,
            owner=assignment.owner,
            specialist=self._role.name,
            purpose="step",
            scope=assignment.scope,
        )
        name = f"{assignment.key}:{self._steps}:model"
        completion = await self._around.journal.step(name, Completion, lambda: self._around.gateway.collect(call))
        fact = ModelCalled(
            subtask_id=assignment.subtask.id,
            model=completion.model or assignment.model,
            provider=completion.provider,
            usage=completion.reply.usage,
            cost=completion.cost,
            priced=completion.priced,
            latency_s=completion.latency_s,
            text=excerpt(completion.reply.message.content, EVENT_TEXT),
        )
        await self._around.log.append(assignment.task_id, name, fact)
        for alert in completion.alerts:
            await self._alert(alert)
        return completion

    async def _alert(self, alert: BudgetAlert) -> None:
        """Tells once of each budget that it runs out."""
        key = f"{self._assignment.key}:alert:{alert.scope}:{alert.tokens}"
        if key not in self._alerted:
            self._alerted.add(key)
            await self._around.log.append(self._assignment.task_id, key, NoticeGiven(text=f"{alert}"))

    async def _act(self, conversation: Conversation, calls: tuple[ToolCall, ...]) -> SubtaskResult | None:
        results: list[tuple[ToolCall, str]] = []
        progress, understood = Progress.FINE, False
        summary: str | None = None
        artifacts: tuple[str, ...] = ()
        for at, call in enumerate(calls):
            arguments = _arguments(call)
            if isinstance(arguments, str):
                observation = Observation(text=arguments, ok=False, commit=self._around.tools.commit)
            else:
                observation, understood = await self._call(at, call, arguments), True
            results.append((call, observation.text))
            seen = self._stuck.see(f"{call.name} {call.arguments}", observation.text, observation.commit)
            progress = max(progress, seen, key=list(Progress).index)
            summary = observation.submitted if observation.submitted is not None else summary
            artifacts += observation.artifacts
        conversation.show(results)
        if summary is not None:
            return Submitted(summary=summary, commit=self._around.tools.commit, steps=self._steps, artifacts=artifacts)
        if not understood:
            return self._malformed_reply(conversation)
        self._malformed = 0
        if progress is Progress.STUCK:
            return self._stop(StopReason.STUCK, "the same action gave the same result again and again")
        if progress is Progress.NUDGE:
            conversation.nudge(NUDGE)
        return None

    async def _call(self, at: int, call: ToolCall, arguments: dict[str, Any]) -> Observation:
        name = f"{self._assignment.key}:{self._steps}:tool:{at}"
        before = self._around.tools.commit
        started = await self._around.journal.now()
        observation = await self._around.journal.step(
            name, Observation, lambda: self._around.tools.call(call.name, arguments)
        )
        ended = await self._around.journal.now()
        await self._tell(name, call, observation, before, (ended - started).total_seconds())
        return observation

    async def _tell(self, name: str, call: ToolCall, observation: Observation, before: str, seconds: float) -> None:
        task, subtask = self._assignment.task_id, self._assignment.subtask.id
        fact = ToolCalled(
            subtask_id=subtask,
            tool=one_line(call.name),
            summary=one_line(call.arguments, 200),
            ok=observation.ok,
            duration_s=seconds,
            observation=excerpt(observation.text, EVENT_TEXT),
        )
        await self._around.log.append(task, name, fact)
        if observation.commit != before:
            made = SnapshotMade(subtask_id=subtask, commit=observation.commit, paths=observation.changed)
            await self._around.log.append(task, f"{name}:snapshot", made)
        if observation.dropped:
            dropped = ProtectedChangeDropped(subtask_id=subtask, paths=observation.dropped)
            await self._around.log.append(task, f"{name}:dropped", dropped)

    def _stop(self, reason: StopReason, detail: str) -> Stopped:
        return Stopped(reason=reason, detail=detail, commit=self._around.tools.commit, steps=self._steps)


def _arguments(call: ToolCall) -> dict[str, Any] | str:
    """The arguments of a call, or what is wrong with them."""
    try:
        return parse_arguments(call.arguments)
    except MalformedArguments as error:
        return f"{call.name} was not called: {error}. Send a JSON object."
