"""What was read of sources, kept on the disk by what was read and how."""

import contextlib
import json
import sqlite3
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

TABLE = "CREATE TABLE IF NOT EXISTS tags_1 (key TEXT PRIMARY KEY, tags BLOB NOT NULL, day INTEGER NOT NULL)"
FIND = "SELECT key, tags, day < ? FROM tags_1 WHERE key IN (SELECT value FROM json_each(?))"
USE = "UPDATE tags_1 SET day = ? WHERE day < ? AND key IN (SELECT value FROM json_each(?))"
KEEP = "INSERT OR REPLACE INTO tags_1 (key, tags, day) VALUES (?, ?, ?)"
SIZE = "SELECT total(length(tags) + 120) FROM tags_1"
TIDY = """
DELETE FROM tags_1 WHERE rowid IN (
    SELECT rowid FROM (
        SELECT rowid, sum(length(tags) + 120) OVER (ORDER BY day DESC, rowid DESC) AS upto FROM tags_1
    ) WHERE upto > ?
)
"""
"""A key and what the database adds are about 120 bytes."""

MOST_BYTES = 128 * 2**20
KEPT_WHEN_FULL = 0.9
BUSY_S = 2.0
DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR}
"""Codes of errors that another try will not mend: the file is none of ours, or no longer."""


class TagCache:
    """A file that several processes may use at once. It is never in the way: what cannot be read or written is as if it
    had never been kept, and a damaged file is made anew. When it is full, what was not used for the longest time goes.
    """

    def __init__(self, path: Path, most_bytes: int = MOST_BYTES, busy_s: float = BUSY_S) -> None:
        self._path = path
        self._most = most_bytes
        self._busy_s = busy_s

    def find(self, keys: Collection[str]) -> dict[str, bytes]:
        """What is known of the keys."""
        wanted, today = json.dumps(sorted(keys)), _today()

        def work(database: sqlite3.Connection) -> dict[str, bytes]:
            rows = database.execute(FIND, (today, wanted)).fetchall()
            if any(is_old for *_, is_old in rows):
                database.execute(USE, (today, today, wanted))
            return {key: tags for key, tags, _ in rows if isinstance(tags, bytes)}

        return self._do(work, {}) if keys else {}

    def keep(self, found: Mapping[str, bytes]) -> None:
        """Keeps what was read."""

        def work(database: sqlite3.Connection) -> None:
            database.executemany(KEEP, [(key, tags, _today()) for key, tags in found.items()])
            if database.execute(SIZE).fetchone()[0] > self._most:
                database.execute(TIDY, (self._most * KEPT_WHEN_FULL,))

        if found:
            self._do(work, None)

    def _do(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        for _ in range(2):
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with contextlib.closing(sqlite3.connect(self._path, timeout=self._busy_s)) as database, database:
                    database.execute("PRAGMA synchronous = OFF")
                    database.execute(TABLE)
                    return work(database)
            except (sqlite3.Error, UnicodeDecodeError) as error:
                if not _tells_of_damage(error):
                    return otherwise
                with contextlib.suppress(OSError):
                    self._path.unlink(missing_ok=True)
            except OSError:
                return otherwise
        return otherwise


def _tells_of_damage(error: Exception) -> bool:
    code: int | None = getattr(error, "sqlite_errorcode", None)
    # Without a code: a text in the file, or one that an error quotes of it, is no UTF-8.
    return code is None or code & 0xFF in DAMAGED


def _today() -> int:
    return int(time.time() // 86_400)
