"""Reads or changes an SQLite file, as a JSON object on standard input says, and prints what came of it as one.

It is handed to ``python3 -I -S -c``. Reading, the file is opened read-only, and nothing but reading is authorised; no
statement attaches another file.
"""

import json
import os
import sqlite3
import sys
import time
import urllib.parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
LOOKS = {
    "table_info", "table_xinfo", "table_list", "index_list", "index_info", "index_xinfo", "foreign_key_list",
    "database_list", "collation_list", "compile_options", "encoding", "page_count", "page_size", "schema_version",
    "user_version", "application_id",
}  # fmt: skip
NEVER = {sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH}
OPERATIONS_BETWEEN_LOOKS = 10_000


def authorizer(write: bool) -> "Any":
    """What SQLite asks before each part of a statement."""

    def allow(action: int, first: str | None, second: str | None, _database: str | None, _trigger: str | None) -> int:
        if action in NEVER or (action == sqlite3.SQLITE_FUNCTION and second == "load_extension"):
            return sqlite3.SQLITE_DENY
        if write or action in READS or action == sqlite3.SQLITE_FUNCTION:
            return sqlite3.SQLITE_OK
        looks = action == sqlite3.SQLITE_PRAGMA and (first or "").lower() in LOOKS
        return sqlite3.SQLITE_OK if looks else sqlite3.SQLITE_DENY

    return allow


def cell(value: object, most: int) -> str | None:
    """A value as text, cut."""
    if value is None:
        return None
    text = f"<{len(value)} bytes: {value[:16].hex()}>" if isinstance(value, bytes) else str(value)
    return text if len(text) <= most else text[:most] + "[...]"


def run(ask: "dict[str, Any]") -> "dict[str, Any]":
    """Opens the file, and runs one statement. sqlite3.Error."""
    path = ask["path"]
    # A file that nobody writes to is read without side files, which would be left in the workspace.
    alone = not any(os.path.exists(path + ending) for ending in ("-wal", "-journal"))
    mode = "rw" if ask["write"] else "ro&immutable=1" if alone else "ro"
    connection = sqlite3.connect(f"file:{urllib.parse.quote(path)}?mode={mode}", uri=True, timeout=2.0)
    connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 64 * 1024 * 1024)
    connection.text_factory = lambda data: data.decode("utf-8", "replace")
    connection.set_authorizer(authorizer(ask["write"]))
    end = time.monotonic() + ask["timeout_s"]
    connection.set_progress_handler(lambda: time.monotonic() > end, OPERATIONS_BETWEEN_LOOKS)
    try:
        cursor = connection.execute(ask["sql"], ask["parameters"])
        columns = [column[0] for column in cursor.description or ()]
        rows, cut = take(cursor, ask)
        if cut and ask["write"]:
            cursor.fetchall()
        connection.commit()
        return {"columns": columns, "rows": rows, "cut": cut, "changed": max(0, cursor.rowcount)}
    except sqlite3.Error as error:
        connection.rollback()
        raise type(error)(f"{error}{tables(connection)}") from error
    finally:
        connection.close()


def take(cursor: sqlite3.Cursor, ask: "dict[str, Any]") -> tuple[list[list[str | None]], bool]:
    """The first rows as text, and whether there are more."""
    rows: list[list[str | None]] = []
    size = 0
    for row in cursor:
        if len(rows) == ask["rows"] or size > ask["characters"]:
            return rows, True
        rows.append([cell(value, ask["cell"]) for value in row])
        size += sum(len(text or "") for text in rows[-1])
    return rows, False


def tables(connection: sqlite3.Connection) -> str:
    """The tables there are, for whoever named another one."""
    try:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view') LIMIT 40").fetchall()
    except sqlite3.Error:
        return ""
    return f". Tables: {', '.join(str(name)[:100] for (name,) in found) or 'none'}"


def main() -> None:
    """Answers the one question on standard input."""
    try:
        answer = run(json.loads(sys.stdin.buffer.read()))
    except (sqlite3.Error, sqlite3.Warning, ValueError, OverflowError, MemoryError, RecursionError) as error:
        answer = {"error": str(error) or type(error).__name__}
    sys.stdout.buffer.write(json.dumps(answer).encode())


if __name__ == "__main__":
    main()
