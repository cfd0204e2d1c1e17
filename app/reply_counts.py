"""How often the replies of each subtask's model had to be repaired or corrected."""

from collections.abc import Iterable

from domain.base import Value
from domain.describe import PLAIN_TEXT_REASONS
from domain.events import Event, PlainTextChosen, ReplyCorrected, ReplyRepaired
from domain.replies import PlainTextReason


class ReplyCounts(Value):
    """Counts of one subtask: repaired calls, replies of which nothing could be done, and corrections that the model was
    given. ``plain_text`` says why it went over to plain text, the last time that it did."""

    repaired: int = 0
    malformed: int = 0
    corrections: int = 0
    plain_text: PlainTextReason | None = None

    def line(self) -> str:
        """The counts in words."""
        parts = [
            f"{self.repaired} repaired calls",
            f"{self.malformed} malformed replies",
            f"{self.corrections} corrections",
        ]
        if self.plain_text is not None:
            parts.append(f"plain text, since {PLAIN_TEXT_REASONS[self.plain_text]}")
        return ", ".join(parts)


def count_replies(events: Iterable[Event]) -> dict[str, ReplyCounts]:
    """The counts by subtask, of those that have any, in the order of their first one."""
    counts: dict[str, ReplyCounts] = {}
    for event in events:
        match event.fact:
            case ReplyRepaired(subtask_id=subtask, repairs=repairs):
                before = counts.get(subtask, ReplyCounts())
                counts[subtask] = before.model_copy(update={"repaired": before.repaired + len(repairs)})
            case ReplyCorrected(subtask_id=subtask, problems=problems, malformed=malformed):
                before = counts.get(subtask, ReplyCounts())
                more = {
                    "malformed": before.malformed + malformed,
                    "corrections": before.corrections + len(problems),
                }
                counts[subtask] = before.model_copy(update=more)
            case PlainTextChosen(subtask_id=subtask, reason=reason):
                before = counts.get(subtask, ReplyCounts())
                counts[subtask] = before.model_copy(update={"plain_text": reason})
            case _:
                pass
    return counts
