"""Handoffs between specialists: questions and requests, which go through the director."""

from collections.abc import Awaitable, Callable

from director.order import Order, branch_of
from director.standing import Standing
from domain.errors import InfrastructureError
from domain.journal import Journal
from domain.plan import Subtask
from domain.specialist_facts import QuestionPut, WorkRequested
from domain.subtask_result import Submitted, SubtaskResult
from domain.text import excerpt
from mcp_server.tool import ToolRefused

MOST_QUESTIONS = 3
"""Of one piece of work."""
MOST_REQUESTS = 4
"""Of one task."""
ANSWER_STEPS = 8
ANSWER_CHARACTERS = 8_000

Answer = Callable[[Order, Journal], Awaitable[SubtaskResult]]


class TaskColleagues:
    """Implements ``mcp_server.colleagues.Colleagues`` for whoever carries out ``order``.

    ``answer`` has a specialist carry out an order that changes nothing. Whoever answers works alone: a question leads
    to no other one.
    """

    def __init__(self, standing: Standing, order: Order, journal: Journal, answer: Answer) -> None:
        self._standing = standing
        self._order = order
        self._journal = journal
        self._answer = answer
        self._asked = 0

    async def ask(self, role: str, question: str) -> str:
        """What another specialist says; see ``Colleagues``."""
        self._check(role)
        if self._asked >= MOST_QUESTIONS:
            raise ToolRefused(
                f"You have asked {MOST_QUESTIONS} times, which is all that you may. Find it out yourself."
            )
        self._asked += 1
        standing, asker = self._standing, self._order.subtask
        start = await standing.workspace.head(branch_of(asker))
        subtask = Subtask(id=standing.new_id(f"{asker.id[:24]}-asks"), role=role, goal=_goal(asker, question))
        order = Order(subtask=subtask, reads_from=start, max_steps=ANSWER_STEPS, shown=self._order.shown)
        said = await self._said(order)
        fact = QuestionPut(
            subtask_id=asker.id, role=role, question=question, answer=excerpt(said, ANSWER_CHARACTERS),
            answered=bool(said), by=subtask.id,
        )  # fmt: skip
        await standing.tell(f"question-put:{self._order.key}:{self._asked}", fact)
        if not said:
            raise ToolRefused(f"The {role} specialist found no answer. Find it out yourself.")
        return fact.answer

    async def _said(self, order: Order) -> str:
        """The answer; nothing where there is none. What stands in its way is no reason to end the asker."""
        try:
            result = await self._answer(order, self._journal)
        except InfrastructureError:
            return ""
        return result.summary if isinstance(result, Submitted) else ""

    async def request(self, role: str, goal: str) -> str:
        """Notes work for another specialist; see ``Colleagues``."""
        self._check(role)
        standing, asker = self._standing, self._order.subtask
        if not self._order.may_request or role == "test" or len(standing.requested) >= MOST_REQUESTS:
            raise ToolRefused("Nobody takes up more work now. Do it yourself, or say in your summary what is left.")
        subtask = Subtask(id=standing.new_id(f"{asker.id[:24]}-wants"), role=role, goal=goal)
        standing.requested[subtask.id] = (asker.id, subtask)
        fact = WorkRequested(subtask_id=asker.id, role=role, goal=goal)
        await standing.tell(f"requested:{subtask.id}", fact)
        return f"Noted as {subtask.id}. It begins once your work is merged; submit when yours is done."

    def _check(self, role: str) -> None:
        roles = self._standing.equipment.roles
        if role not in roles:
            raise ToolRefused(f"There is no such specialist. Ask one of: {', '.join(sorted(roles))}.")


def _goal(asker: Subtask, question: str) -> str:
    return (
        f"Answer a question of the {asker.role} specialist, who works on this: {excerpt(asker.goal, 1_000)}\n\n"
        f"The question:\n{question}\n\n"
        "Look at the files, change none, and submit with the answer as the summary: short, with paths and lines."
    )
