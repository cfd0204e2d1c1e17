"""When nobody waits: the moment for work that nobody asked for, such as refilling the pool."""

import asyncio
import time

QUIET_S = 0.25
"""How long nobody must have asked for a sandbox."""
PATIENCE_S = 1.0
"""How long such work waits at most: without end it would never be done under load."""

MOST_LOOKS = 100


class Calm:
    """Knows when somebody last asked for something."""

    def __init__(self) -> None:
        self._disturbed = float("-inf")

    def disturb(self) -> None:
        """Somebody asks for something now."""
        self._disturbed = time.monotonic()

    async def come(self) -> None:
        """Waits until it has been quiet for a moment, or for too long."""
        end = time.monotonic() + PATIENCE_S
        for _ in range(MOST_LOOKS):
            left = min(end, self._disturbed + QUIET_S) - time.monotonic()
            if left <= 0:
                break
            await asyncio.sleep(left)
