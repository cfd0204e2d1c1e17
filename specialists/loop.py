"""The one loop that every specialist runs: ask the model, do what it wants, show it what came of that."""

from domain.chat import FinishReason, ModelRequest, ToolCall
from domain.errors import BudgetExceeded, ContextTooLong, ModelRequestRejected
from domain.finding import Finding
from domain.replies import PlainTextReason, ReplyProblem
from domain.subtask_result import Stopped, StopReason, Submitted, SubtaskResult
from gateway.base import Completion
from mcp_server.client import RUN_TESTS, WRITE_FILE, Observation
from specialists import ladder
from specialists.assignment import Assignment
from specialists.conversation import Conversation
from specialists.correction import too_many_calls
from specialists.draft_terms import DraftTerms
from specialists.drafting import MOST_S, Drafting, all_passed, what_is_left
from specialists.preparation import Prepared, Unusable, ours, prepare
from specialists.reading.action import Action, Reading
from specialists.reading.known_tools import KnownTools
from specialists.recorded import Opening, Recorded
from specialists.role import Role
from specialists.standing import Snapshot, Standing, Tried
from specialists.stuck import Seen, Stuck, StuckDetector
from specialists.surroundings import Surroundings
from specialists.tally import Tally
from specialists.telling import Telling
from specialists.tool_choice import Offer

MOST_CALLS = 32
"""As many calls one reply may make."""
OUT_OF_TIME = "the time was up"


class Loop:
    """Works on one assignment. ``run`` returns when the work is submitted or a limit stops it."""

    def __init__(self, role: Role, assignment: Assignment, around: Surroundings) -> None:
        self._role = role
        self._assignment = assignment
        self._around = around
        self._telling = Telling(assignment, around.log)
        self._outside = Recorded(role, assignment, around, self._telling)
        self._tally = Tally(assignment, self._telling)
        self._known = KnownTools(())
        self._steps = 0
        self._malformed: list[ReplyProblem] = []
        self._findings: dict[Finding, None] = {}
        self._rung = 0
        self._warned = False
        self._shown = ""

    async def run(self) -> SubtaskResult:
        """Steps until there is a result. Infrastructure errors are raised at once."""
        schemas = await self._around.tools.schemas()
        self._known = KnownTools(schemas)
        opening = await self._outside.open()
        self._begin(opening)
        conversation = Conversation(self._role, self._assignment, schemas)
        if not opening.calls_tools:
            self._use_text(conversation, PlainTextReason.CATALOGUE)
        elif conversation.offered.offer is Offer.NONE:
            self._use_text(conversation, PlainTextReason.CONTEXT)
        elif conversation.offered.offer is not Offer.ALL:
            self._tally.shortened_tools(conversation.offered, len(schemas))
        result = await self._draft(conversation, opening.calls_tools)
        while result is None:
            result = await self._step(conversation)
        await self._telling.written()
        return result

    def _begin(self, opening: Opening) -> None:
        self._standing = Standing(Snapshot(opening.commit, opening.tree), self._role.hands_over)
        self._stuck = StuckDetector(self._role.stuck, opening.tree)

    def _use_text(self, conversation: Conversation, reason: PlainTextReason) -> None:
        conversation.use_text()
        self._tally.chose_text(reason)

    async def _ask(self, request: ModelRequest) -> Completion | Stopped:
        """The next step's answer, or the end where a limit is reached. ModelRequestRejected."""
        most = self._assignment.max_steps or self._role.max_steps
        if self._steps >= most:
            return await self._stop(StopReason.STEPS, f"{most} steps were not enough")
        if (left_s := await self._outside.seconds_left()) <= 0:
            return await self._stop(StopReason.WALL_CLOCK, OUT_OF_TIME)
        self._steps += 1
        try:
            completion = await self._outside.ask(self._steps, request, left_s)
        except BudgetExceeded as error:
            return await self._stop(StopReason.TOKENS if error.tokens else StopReason.BUDGET, str(error), error.scope)
        return completion or await self._stop(StopReason.WALL_CLOCK, OUT_OF_TIME)

    async def _draft(self, conversation: Conversation, able: bool) -> SubtaskResult | None:
        """Has the file written in one reply, and the tests judge it; None where work with tools is to go on.

        Who is ``able`` to call tools mends with them; drafts are all that other models do, if they can do those.
        """
        terms = self._assignment.draft
        if terms is None or (able and terms.failure):
            return None
        drafting = Drafting(terms, conversation.empty())
        until_s = await self._outside.seconds_left() - MOST_S
        while drafting.may_go_on() and await self._outside.seconds_left() > until_s:
            try:
                answer = await self._ask(drafting.request())
            except ModelRequestRejected:
                # What it does not take may be what only drafts have: a temperature.
                break
            if isinstance(answer, Stopped):
                return answer
            content = drafting.read(answer)
            if content is not None and await self._passes(terms, content):
                summary = f"draft {drafting.made} of {terms.path} passes its tests"
                return Submitted(summary=summary, commit=self._standing.now.commit, steps=self._steps)
        if not able and drafting.fruitful:
            return await self._stop(
                StopReason.STUCK, f"none of {drafting.made} drafts of {terms.path} passed its tests"
            )
        if (best := self._standing.best) is not None:
            if best.at.tree != self._standing.now.tree:
                await self._roll_back(best, "the best of the drafts")
            conversation.nudge(what_is_left(terms.path, best.tests, self._shown))
        return None

    async def _passes(self, terms: DraftTerms, content: str) -> bool:
        if not (await self._do(0, ours("write", WRITE_FILE, {"path": terms.path, "content": content}))).ok:
            return False
        seen = await self._do(1, ours("tests", RUN_TESTS, {"selection": list(terms.tests)}))
        if self._standing.improved:
            self._shown = seen.text
        return all_passed(seen.tests)

    async def _step(self, conversation: Conversation) -> SubtaskResult | None:
        try:
            completion = await self._ask(conversation.request())
        except ModelRequestRejected as error:
            return await self._rejected(conversation, error)
        if isinstance(completion, Stopped):
            return completion
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
            self._use_text(conversation, PlainTextReason.REFUSED)
            return None
        return await self._stop(StopReason.MODEL_REFUSED, str(error))

    async def _nothing_to_do(self, conversation: Conversation, reading: Reading) -> Stopped | None:
        problem = reading.problem or ReplyProblem.NO_ACTION
        self._tally.corrected(problem, conversation.correct(problem))
        self._tally.tell(self._steps, malformed=True)
        return await self._malformed_reply(conversation, problem)

    async def _malformed_reply(self, conversation: Conversation, problem: ReplyProblem) -> Stopped | None:
        """Counts a reply without a usable action: after so many in a row plain text, and after as many more the end."""
        self._malformed.append(problem)
        if len(self._malformed) < self._role.max_malformed:
            return None
        if set(self._malformed) == {ReplyProblem.REFUSED}:
            return await self._stop(
                StopReason.MODEL_REFUSED, f"{len(self._malformed)} replies in a row refused the work"
            )
        if not conversation.native:
            why = ", ".join(dict.fromkeys(one.replace("_", " ") for one in self._malformed))
            return await self._stop(
                StopReason.MALFORMED, f"{len(self._malformed)} replies in a row held no action ({why})"
            )
        self._malformed.clear()
        self._use_text(conversation, PlainTextReason.MALFORMED)
        return None

    async def _act(
        self, conversation: Conversation, actions: tuple[Action, ...], cut_off: bool
    ) -> SubtaskResult | None:
        results: list[tuple[ToolCall, Observation]] = []
        for at, action in enumerate(actions):
            results.append((action.call, await self._do(at, self._prepared(at, action, cut_off))))
        observations = [observation for _, observation in results]
        understood = any(observation.problem is None for observation in observations)
        conversation.show(results)
        self._tally.tell(self._steps, malformed=not understood)
        submitted = next((seen.submitted for seen in reversed(observations) if seen.submitted is not None), None)
        if submitted is not None:
            artifacts = tuple(path for seen in observations for path in seen.artifacts)
            return await self._submitted(conversation, submitted, artifacts)
        if not understood:
            return await self._malformed_reply(conversation, observations[-1].problem or ReplyProblem.NO_ACTION)
        self._malformed.clear()
        stuck = self._stuck.see([Seen(f"{call.name} {call.arguments}", seen) for call, seen in results])
        return await self._climb(conversation, stuck)

    def _prepared(self, at: int, action: Action, cut_off: bool) -> Prepared | Unusable:
        if at >= MOST_CALLS:
            told = too_many_calls(action.call.name, MOST_CALLS)
            return Unusable(action.call, ReplyProblem.TOO_MANY_CALLS, told)
        return prepare(action, self._known, self._around.tools.example, cut_off)

    async def _do(self, at: int, wanted: Prepared | Unusable) -> Observation:
        """Makes a call, unless it cannot be made, and takes note of what was wrong with it."""
        now = self._standing.now
        if isinstance(wanted, Unusable):
            self._tally.corrected(wanted.problem, wanted.told)
            return Observation(text=wanted.told, ok=False, commit=now.commit, tree=now.tree, problem=wanted.problem)
        observation = await self._outside.call(f"{self._steps}:tool:{at}", wanted, now)
        self._standing.see(Snapshot(observation.commit, observation.tree), observation.tests)
        self._findings |= dict.fromkeys(observation.findings)
        if self._standing.improved:
            self._rung = 0
        if observation.problem is not None:
            self._tally.corrected(observation.problem, observation.text)
        elif wanted.repair:
            self._tally.repaired(wanted.call.name, wanted.repair)
        return observation

    async def _climb(self, conversation: Conversation, stuck: Stuck | None) -> Stopped | None:
        """What is done about a specialist that is stuck: a word, then back to its best snapshot, then the end."""
        if stuck is None:
            # A word that helped is forgotten; files that had to be put back are not, until the tests show more.
            self._rung = 0 if self._rung == 1 and self._stuck.progressed else self._rung
            return None
        self._rung += 1
        best = self._standing.best
        if self._rung == 1:
            conversation.nudge(ladder.nudge(stuck, self._standing.tests, self._role.hands_over))
            return None
        if self._rung == 2 and best is not None and best.at.tree != self._standing.now.tree:
            undone = await self._roll_back(best, ladder.what_repeats(stuck))
            conversation.nudge(ladder.rolled_back(stuck, best, undone))
            self._stuck.start_again()
            return None
        return await self._stop(StopReason.STUCK, ladder.what_repeats(stuck))

    async def _submitted(
        self, conversation: Conversation, summary: str, artifacts: tuple[str, ...]
    ) -> Submitted | None:
        """Takes the work, unless it is worse than it was before: the model is told so, once."""
        if not self._warned:
            await self._measure("submitted")
            worse, best = self._standing.worse, self._standing.best
            if worse is not None and best is not None:
                self._warned = True
                conversation.nudge(ladder.not_yet(worse, best))
                return None
        return Submitted(
            summary=summary, commit=self._standing.now.commit, steps=self._steps, artifacts=artifacts,
            findings=tuple(self._findings),
        )  # fmt: skip

    async def _stop(self, reason: StopReason, detail: str, scope: str = "") -> Stopped:
        """Ends the work, and hands over its best snapshot."""
        if reason is not StopReason.WALL_CLOCK:
            await self._measure("stopped")
        best = self._standing.to_hand_over
        if best is not None:
            await self._roll_back(best, f"stopped ({reason}): {detail}")
        return Stopped(
            reason=reason, detail=detail, scope=scope, commit=self._standing.now.commit, steps=self._steps,
            findings=tuple(self._findings),
        )  # fmt: skip

    async def _measure(self, when: str) -> None:
        """Runs the tests on files that they have not seen, where they have seen others."""
        selection = self._standing.unknown
        if selection is None:
            return
        wanted = ours(when, RUN_TESTS, {"selection": list(selection)})
        observation = await self._outside.call(f"{self._steps}:tests:{when}", wanted, self._standing.now)
        self._standing.see(Snapshot(observation.commit, observation.tree), observation.tests)

    async def _roll_back(self, to: Tried, reason: str) -> tuple[str, ...]:
        back = await self._outside.roll_back(f"{self._steps}:rollback", to, self._standing.now, reason)
        self._standing.went_back(to)
        return back.undone
