"""Whole answers of tools that were too long to be shown at once."""

from collections import OrderedDict
from itertools import count

MOST_CHARACTERS = 64 * 2**20


class Answers:
    """Keeps texts by id, so many characters together; the oldest go first."""

    def __init__(self, most: int = MOST_CHARACTERS) -> None:
        self._texts: OrderedDict[str, str] = OrderedDict()
        self._numbers = count(1)
        self._most = most
        self._held = 0

    def keep(self, text: str) -> str | None:
        """The id to get it by; None for one that is longer than all that may be kept."""
        if len(text) > self._most:
            return None
        name = f"answer-{next(self._numbers)}"
        self._texts[name] = text
        self._held += len(text)
        while self._held > self._most:
            _, oldest = self._texts.popitem(last=False)
            self._held -= len(oldest)
        return name

    def get(self, name: str) -> str | None:
        """The text, or None where it is not kept, or no longer."""
        return self._texts.get(name)

    @property
    def names(self) -> list[str]:
        """The ids of what is kept, the oldest first."""
        return list(self._texts)
