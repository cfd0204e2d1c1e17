"""Waiting for a task on behalf of a client: it hears how the task gets on, and is asked what the task asks."""

import asyncio
import contextlib

from domain.describe import describe
from domain.errors import SoundstageError
from domain.events import Event, QuestionAnswered, QuestionAsked
from domain.money import format_usd
from domain.progress import Progress
from mcp_server.caller import Permission
from mcp_server.ide.front import MOST_ROUNDS, Resumed
from mcp_server.ide.session import IdeSession


class Watch:
    """Follows one task for one request."""

    def __init__(self, session: IdeSession, task_id: str, resumed: Resumed | None = None) -> None:
        self._session = session
        self._task_id = task_id
        self._told = resumed.seq if resumed is not None else 0
        self._rounds = resumed.rounds if resumed is not None else 0
        self._progress = Progress()
        self._asking: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Waits until the task ends, or its questions have to go out with the answer of the request."""
        try:
            async for event in self._session.tasks.follow(self._session.owner, self._task_id):
                self._progress.see(event)
                if event.seq <= self._told:
                    continue
                await self._report(event)
                if isinstance(event.fact, QuestionAsked) and await self._ask(event.fact.question_id, event.seq):
                    return
                if isinstance(event.fact, QuestionAnswered):
                    self._let_go(event.fact.question_id)
        finally:
            for question_id in tuple(self._asking):
                self._let_go(question_id)

    async def _report(self, event: Event) -> None:
        line = describe(event)
        if line is None:
            return
        used = f"{self._progress.usage.total_tokens:,} tokens"
        if self._session.may(Permission.SEE_COSTS):
            used += f", {format_usd(self._progress.cost) if self._progress.priced else 'price unknown'}"
        await self._session.front.report(event.seq, f"{line} [{used}]")

    async def _ask(self, question_id: str, seq: int) -> bool:
        """Puts a question to the client; whether the request must end for that."""
        front = self._session.front
        if not front.can_ask:
            return False
        view = await self._session.tasks.get(self._session.owner, self._task_id)
        if all(question.id != question_id for question in view.questions):
            return False
        if front.asks_now:
            self._asking[question_id] = asyncio.create_task(self._put(question_id))
            return False
        if self._rounds >= MOST_ROUNDS:
            return True
        front.interrupt(view.questions, Resumed(task_id=self._task_id, seq=seq, rounds=self._rounds + 1))
        return True

    async def _put(self, question_id: str) -> None:
        answer = await self._session.front.ask(self._progress.questions[question_id])
        if answer is not None:
            with contextlib.suppress(SoundstageError):  # the question stays open, and says when it ends
                await self._session.answer(self._task_id, question_id, answer)

    def _let_go(self, question_id: str) -> None:
        if (asking := self._asking.pop(question_id, None)) is not None:
            asking.cancel()
