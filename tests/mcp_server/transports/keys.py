"""Access keys for tests, kept in memory."""

import asyncio
from datetime import UTC, datetime

from domain.access import AccessKey, AccessScope
from domain.errors import StorageUnavailable

GOOD = "sst_000000000001_good-for-tests"


def key(owner: str = "local", *scopes: AccessScope, name: str = "000000000001") -> AccessKey:
    """What is known of a key."""
    return AccessKey(
        id=name, owner=owner, scopes=frozenset(scopes or (AccessScope.SEE_TASKS,)), made_at=datetime.now(UTC)
    )


class Keys:
    """Implements ``domain.access.AccessKeys``; ``asked`` counts how often, and ``turns`` tells each time."""

    def __init__(self, **known: AccessKey) -> None:
        self.known = known or {GOOD: key()}
        self.broken = False
        self.asked = 0
        self.turns: asyncio.Queue[int] = asyncio.Queue()

    async def find(self, shown: str) -> AccessKey | None:
        """The key, or StorageUnavailable while it is ``broken``."""
        self.asked += 1
        self.turns.put_nowait(self.asked)
        if self.broken:
            raise StorageUnavailable("The disk is gone. Bring it back.")
        return self.known.get(shown)

    async def works(self, key_id: str) -> bool:
        """Whether there is such a key."""
        return any(key.id == key_id for key in self.known.values())
