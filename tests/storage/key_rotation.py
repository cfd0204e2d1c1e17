"""A process of its own that rotates or adds keys, and one that is killed in the middle of a rotation.

``python -m tests.storage.key_rotation DATABASE POINT``, or ``rotations``, or ``additions FIRST LAST``.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import SecretStr

from domain.secrets import ProviderKey
from storage.database import Database
from storage.key_file import KeyFile
from storage.master_keys import MasterKeys, MasterKeySource
from storage.secrets import SqlKeyStore
from storage.writer import Writer

CANARIES = tuple(f"sk-fake-canary-{number}-0123456789abcdef" for number in range(8))
POINTS = (
    "before the new master key",
    "before the new master key is in its place",
    "after the new master key",
    "after the commit",
    "before the old master keys are gone",
    "after the old master keys are gone",
)


def _die_at(point: str, here: str) -> None:
    if point == here:
        os.kill(os.getpid(), signal.SIGKILL)


class DyingSource(MasterKeySource):
    """Where the process ends at a point of its rotation."""

    def __init__(self, file: KeyFile, point: str) -> None:
        super().__init__(None, file)
        self._point = point

    def renewed(self) -> MasterKeys:
        """Dies before or after the new master key is there; the rows are not committed yet."""
        _die_at(self._point, POINTS[0])
        renewed = super().renewed()
        _die_at(self._point, POINTS[2])
        return renewed

    def forget_all_but(self, used: Collection[str]) -> None:
        """Dies when the rows are committed, with the old master keys still there, or just gone."""
        _die_at(self._point, POINTS[3])
        super().forget_all_but(used)
        _die_at(self._point, POINTS[5])


class DyingFile(KeyFile):
    """Where the process ends when the new content is written and not yet in its place."""

    def __init__(self, path: Path, point: str) -> None:
        super().__init__(path)
        self._point = point
        self._replaced = 0

    def replace(self, keys: Sequence[bytes]) -> None:
        """Writes the new file, and dies."""
        self._replaced += 1
        if (self._replaced, self._point) in {(1, POINTS[1]), (2, POINTS[4])}:
            with self._written(keys):
                os.kill(os.getpid(), signal.SIGKILL)
        super().replace(keys)


async def main(path: Path, what: str, numbers: Sequence[str]) -> None:
    """Does what the arguments say."""
    database = Database(path)
    writer = Writer(database.writer)
    file = path.with_name("master.key")
    keys = SqlKeyStore(database, writer, DyingSource(DyingFile(file, what), what))
    if what == "additions":
        for number in range(*map(int, numbers)):
            secret = SecretStr(CANARIES[number])
            await keys.add(ProviderKey(id=f"{number:012x}", provider="openai", secret=secret))
    elif what == "rotations":
        for _ in range(10):
            await keys.rotate()
            await keys.opened()
    else:
        await keys.rotate()
    await writer.close()
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
