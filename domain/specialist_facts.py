"""What happens to a specialist's work besides its calls, as facts of the event log."""

from typing import Literal

from domain.base import Value
from domain.test_outcome import TestOutcome


class RolledBack(Value):
    """A specialist's branch went back to ``commit``, its best snapshot, where its tests showed ``tests``.

    ``abandoned`` is the snapshot that it left, ``paths`` are other now, ``reason`` says why in words.
    """

    type: Literal["rolled_back"] = "rolled_back"
    subtask_id: str
    commit: str
    abandoned: str
    paths: tuple[str, ...]
    tests: TestOutcome
    reason: str
