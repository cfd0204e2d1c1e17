"""The history of the repository that a workspace's files came from."""

from datetime import datetime
from typing import Protocol

from domain.base import Value


class PastCommit(Value):
    """A commit: its id in hex, its author's name, when it was made (UTC), its message."""

    id: str
    author: str
    when: datetime
    message: str


class PastLog(Value):
    """Commits, the newest first. ``looked_at`` counts those that were looked at for them; ``whole`` says that there
    were no more to be looked at."""

    commits: tuple[PastCommit, ...]
    looked_at: int
    whole: bool


class LineOrigin(Value):
    """Lines, from ``first`` to ``last``, and the commit that they came with; ``or_earlier`` where nobody looked
    further back."""

    first: int
    last: int
    commit: PastCommit
    or_earlier: bool


class Past(Protocol):
    """A history, read as far back as is affordable. HistoryUnavailable when it cannot be read any more; KeyError when
    the history knows no such path or commit."""

    async def log(self, path: str | None, most: int) -> PastLog:
        """The newest commits, or the newest of those that changed a file or folder."""
        ...

    async def commit(self, prefix: str) -> PastCommit:
        """The commit whose id begins so."""
        ...

    async def patch(self, commit: str, path: str | None, most: int) -> str:
        """What a commit changed, in all or at a path, as a patch of at most so many characters."""
        ...

    async def lines(self, path: str, first: int, last: int) -> tuple[LineOrigin, ...]:
        """Which commits last changed lines of a file as the imported commit has it, numbered from 1."""
        ...
