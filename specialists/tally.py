"""What was wrong with a specialist's replies, and what was put right, told as events."""

from domain.event_log import EventLog
from domain.events import NoticeGiven, PlainTextChosen, ReplyCorrected, ReplyRepaired
from domain.replies import PlainTextReason, ReplyProblem
from domain.text import excerpt, one_line
from specialists.assignment import Assignment
from specialists.model_called import EVENT_TEXT
from specialists.tool_choice import Offered


class Tally:
    """Gathers what is found in one reply, and tells it."""

    def __init__(self, assignment: Assignment, log: EventLog) -> None:
        self._assignment = assignment
        self._log = log
        self._repairs: list[str] = []
        self._problems: list[ReplyProblem] = []
        self._told: list[str] = []

    def repaired(self, tool: str, how: str) -> None:
        """A call could be made after a repair."""
        self._repairs.append(f"{one_line(tool)}: {how}")

    def corrected(self, problem: ReplyProblem, text: str) -> None:
        """The model is told what was wrong."""
        self._problems.append(problem)
        self._told.append(text)

    async def tell(self, step: int, malformed: bool) -> None:
        """Tells what was gathered since the last time; ``malformed`` says that nothing of the reply could be done."""
        key, subtask = f"{self._assignment.key}:{step}", self._assignment.subtask.id
        if self._repairs:
            repaired = ReplyRepaired(subtask_id=subtask, repairs=tuple(self._repairs))
            await self._log.append(self._assignment.task_id, f"{key}:repaired", repaired)
        if self._problems:
            corrected = ReplyCorrected(
                subtask_id=subtask,
                problems=tuple(self._problems),
                malformed=malformed,
                text=excerpt("\n\n".join(self._told), EVENT_TEXT),
            )
            await self._log.append(self._assignment.task_id, f"{key}:corrected", corrected)
        self._repairs, self._problems, self._told = [], [], []

    async def chose_text(self, reason: PlainTextReason) -> None:
        """The model acts in plain text from here on."""
        fact = PlainTextChosen(subtask_id=self._assignment.subtask.id, reason=reason)
        await self._log.append(self._assignment.task_id, f"{self._assignment.key}:plain-text", fact)

    async def shortened_tools(self, offered: Offered, count: int) -> None:
        """The tools are offered in short, since the context is small."""
        subtask, tools = self._assignment.subtask.id, len(offered.tools)
        text = (
            f"{subtask}: the tools take {offered.tokens:,} tokens, much of what its model can read, so {tools} of "
            f"{count} are offered, described in short"
        )
        await self._log.append(self._assignment.task_id, f"{self._assignment.key}:tools", NoticeGiven(text=text))
