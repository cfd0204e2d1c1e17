"""Noticing that a specialist goes round in circles."""

import hashlib
from enum import Enum

NUDGE_AFTER = 3
STOP_AFTER = 5


class Progress(Enum):
    """What the last step says about progress."""

    FINE = "fine"
    NUDGE = "nudge"
    STUCK = "stuck"


class StuckDetector:
    """Counts how often the same action showed the same observation on the same files. Thoughts never count."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def see(self, action: str, observation: str, commit: str) -> Progress:
        """Takes note of a step."""
        key = hashlib.sha256("\0".join((action, observation, commit)).encode(errors="replace")).hexdigest()
        self._seen[key] = count = self._seen.get(key, 0) + 1
        if count >= STOP_AFTER:
            return Progress.STUCK
        return Progress.NUDGE if count >= NUDGE_AFTER else Progress.FINE
