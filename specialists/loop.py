"""The one loop that every specialist runs: ask the model, do what it wants, show it what came of that."""

from domain.chat import FinishReason, ToolCall
from domain.errors import BudgetExceeded, ContextTooLong, ModelRequestRejected
from domain.event_log import EventLog
from domain.events import ModelCalled, NoticeGiven, ProtectedChangeDropped, SnapshotMade, ToolCalled
from domain.journal import Journal
from domain.ledger import BudgetAlert
from domain.replies import PlainTextReason, ReplyProblem
from domain.subtask_result import Stopped, StopReason, Submitted, SubtaskResult
from domain.text import excerpt, one_line
from gateway.base import Call, Completion
from gateway.gateway import Gateway
from mcp_server.client import Observation, ToolClient
from specialists.assignment import Assignment
from specialists.conversation import Conversation
from specialists.preparation import Prepared, Unusable, prepare
from specialists.reading.action import Action, Reading
from specialists.reading.known_tools import KnownTools
from specialists.role import Role
from specialists.stuck import Progress, StuckDetector
from specialists.tally import EVENT_TEXT, Tally

MALFORMED_IN_A_ROW = 3
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
        self._tally = Tally(assignment, around.log)
        self._known = KnownTools(())
        self._steps = 0
        self._malformed = 0
        self._alerted: set[str] = set()

    async def run(self) -> SubtaskResult:
        """Steps until there is a result. Infrastructure errors are raised at once."""
        schemas = await self._around.tools.schemas()
        self._known = KnownTools(schemas)
        conversation = Conversation(self._role, self._assignment, schemas)
        if not await self._calls_tools():
            await self._use_text(conversation, PlainTextReason.CATALOGUE)
        result: SubtaskResult | None = None
        while result is None:
            result = await self._limit() or await self._step(conversation)
        return result

    async def _calls_tools(self) -> bool:
        """Whether a model of the route may be able to call tools; recorded, since the catalogue can change."""

        async def ask() -> bool:
            return self._around.gateway.calls_tools(self._assignment.model)

        return await self._around.journal.step(f"{self._assignment.key}:calls_tools", bool, ask)

    async def _use_text(self, conversation: Conversation, reason: PlainTextReason) -> None:
        conversation.use_text()
        await self._tally.chose_text(reason)

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
            return await self._rejected(conversation, error)
        reading = conversation.hear(completion.reply)
        if not reading.actions:
            return await self._nothing_to_do(conversation, reading)
        cut_off = completion.reply.finish_reason is FinishReason.LENGTH
        return await self._act(conversation, reading.actions, cut_off)

    async def _rejected(self, conversation: Conversation, error: ModelRequestRejected) -> Stopped | None:
        if isinstance(error, ContextTooLong) and conversation.shrink():
            return None
        if conversation.native and not isinstance(error, ContextTooLong):
            # Servers without tool calling refuse the request as a whole.
            await self._use_text(conversation, PlainTextReason.REFUSED)
            return None
        return self._stop(StopReason.MODEL_REFUSED, str(error))

    async def _nothing_to_do(self, conversation: Conversation, reading: Reading) -> Stopped | None:
        problem = reading.problem or ReplyProblem.NO_ACTION
        self._tally.corrected(problem, conversation.correct(problem))
        await self._tally.tell(self._steps, malformed=True)
        return await self._malformed_reply(conversation)

    async def _malformed_reply(self, conversation: Conversation) -> Stopped | None:
        """Counts a reply without a usable action: after three in a row plain text, and after three more the end."""
        self._malformed += 1
        if self._malformed < MALFORMED_IN_A_ROW:
            return None
        if not conversation.native:
            return self._stop(StopReason.MALFORMED, f"{MALFORMED_IN_A_ROW} replies in a row held no action")
        self._malformed = 0
        await self._use_text(conversation, PlainTextReason.MALFORMED)
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
            difficulty=assignment.difficulty,
            cacheable=assignment.cacheable,
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

    async def _act(
        self, conversation: Conversation, actions: tuple[Action, ...], cut_off: bool
    ) -> SubtaskResult | None:
        results: list[tuple[ToolCall, str]] = []
        progress, understood = Progress.FINE, False
        summary: str | None = None
        artifacts: tuple[str, ...] = ()
        for at, action in enumerate(actions):
            observation = await self._do(at, prepare(action, self._known, self._around.tools.example, cut_off))
            understood = understood or observation.problem is None
            results.append((action.call, observation.text))
            seen = self._stuck.see(f"{action.call.name} {action.call.arguments}", observation.text, observation.commit)
            progress = max(progress, seen, key=list(Progress).index)
            summary = observation.submitted if observation.submitted is not None else summary
            artifacts += observation.artifacts
        conversation.show(results)
        await self._tally.tell(self._steps, malformed=not understood)
        if summary is not None:
            return Submitted(summary=summary, commit=self._around.tools.commit, steps=self._steps, artifacts=artifacts)
        if not understood:
            return await self._malformed_reply(conversation)
        self._malformed = 0
        if progress is Progress.STUCK:
            return self._stop(StopReason.STUCK, "the same action gave the same result again and again")
        if progress is Progress.NUDGE:
            conversation.nudge(NUDGE)
        return None

    async def _do(self, at: int, wanted: Prepared | Unusable) -> Observation:
        """Makes a call, unless it cannot be made, and takes note of what was wrong with it."""
        if isinstance(wanted, Unusable):
            self._tally.corrected(wanted.problem, wanted.told)
            return Observation(text=wanted.told, ok=False, commit=self._around.tools.commit, problem=wanted.problem)
        observation = await self._call(at, wanted)
        if observation.problem is not None:
            self._tally.corrected(observation.problem, observation.text)
        elif wanted.repair:
            self._tally.repaired(wanted.call.name, wanted.repair)
        return observation

    async def _call(self, at: int, wanted: Prepared) -> Observation:
        name = f"{self._assignment.key}:{self._steps}:tool:{at}"
        before = self._around.tools.commit
        started = await self._around.journal.now()
        observation = await self._around.journal.step(
            name, Observation, lambda: self._around.tools.call(wanted.call.name, wanted.arguments)
        )
        ended = await self._around.journal.now()
        await self._tell(name, wanted.call, observation, before, (ended - started).total_seconds())
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
