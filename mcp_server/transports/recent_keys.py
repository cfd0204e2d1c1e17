"""Access keys that were found a moment ago."""

import hashlib
import time
from collections.abc import Callable

from domain.access import AccessKey, AccessKeys

FRESH_S = 1.0
"""For how long a key that was found counts as found: one that is taken back lets in no longer than that."""

MOST = 1000


class RecentKeys:
    """Implements ``domain.access.AccessKeys``: a client's calls in a row ask the storage once a second, not each time.

    Nothing is remembered of texts that are no keys. ``now`` is a monotonic clock in seconds.
    """

    def __init__(self, keys: AccessKeys, now: Callable[[], float] = time.monotonic) -> None:
        self._keys = keys
        self._now = now
        self._found: dict[bytes, tuple[float, AccessKey]] = {}

    async def find(self, shown: str) -> AccessKey | None:
        """The key that somebody shows, where it lets them in, or did within the last second. StorageUnavailable."""
        digest = hashlib.sha256(shown.encode()).digest()
        at, key = self._found.get(digest, (0.0, None))
        if key is not None and self._now() - at < FRESH_S:
            return key
        self._found.pop(digest, None)
        key = await self._keys.find(shown)
        if key is not None:
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[digest] = (self._now(), key)
        return key

    async def works(self, key_id: str) -> bool:
        """Whether the key of an id still lets anybody in. StorageUnavailable."""
        return await self._keys.works(key_id)
