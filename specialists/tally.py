"""What was wrong with a specialist's replies, and what was put right, told as events."""

from domain.events import NoticeGiven, PlainTextChosen, ReplyCorrected, ReplyRepaired
from domain.replies import PlainTextReason, ReplyProblem
from domain.text import excerpt, one_line
from specialists.assignment import Assignment
from specialists.model_called import EVENT_TEXT
from specialists.telling import Telling
from specialists.tool_choice import Offered


class Tally:
    """Gathers what is found in one reply, and tells it."""

    def __init__(self, assignment: Assignment, telling: Telling) -> None:
        self._subtask = assignment.subtask.id
        self._telling = telling
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

    def tell(self, step: int, malformed: bool) -> None:
        """Tells what was gathered since the last time; ``malformed`` says that nothing of the reply could be done."""
        if self._repairs:
            repaired = ReplyRepaired(subtask_id=self._subtask, repairs=tuple(self._repairs))
            self._telling.tell(f"{step}:repaired", repaired)
        if self._problems:
            corrected = ReplyCorrected(
                subtask_id=self._subtask,
                problems=tuple(self._problems),
                malformed=malformed,
                text=excerpt("\n\n".join(self._told), EVENT_TEXT),
            )
            self._telling.tell(f"{step}:corrected", corrected)
        self._repairs, self._problems, self._told = [], [], []

    def chose_text(self, reason: PlainTextReason) -> None:
        """The model acts in plain text from here on."""
        fact = PlainTextChosen(subtask_id=self._subtask, reason=reason)
        self._telling.tell("plain-text", fact)

    def shortened_tools(self, offered: Offered, count: int) -> None:
        """The tools are offered in short, since the context is small."""
        tools = len(offered.tools)
        text = (
            f"{self._subtask}: the tools take {offered.tokens:,} tokens, much of what its model can read, so {tools} "
            f"of {count} are offered, described in short"
        )
        self._telling.tell("tools", NoticeGiven(text=text))
