"""PostgreSQL databases that specialists may read: one query at a time, in a transaction that only reads and that is
never committed.

The query is declared as a cursor, which takes one SELECT and nothing else: no second statement, no COPY, no DO, no
data-modifying WITH. What a function of the server can do on its own account is up to the rights of its user: one who
may reach the server's files, programs or other sessions is refused.
"""

import asyncio
import contextlib
import re
import urllib.parse
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from domain.database import Parameter, Rows
from domain.errors import QueryFailed, UsageError
from domain.text import one_line

if TYPE_CHECKING:
    from psycopg import AsyncConnection

SETTING = "SOUNDSTAGE_DATABASES"
CONNECT_S = 10
GRACE_S = 1.0
BATCH = 50
MOST_COLUMNS = 100
MOST_CHARACTERS = 500_000
CELL_CHARACTERS = 2_000
LISTED_TABLES = 40
ENTRY = re.compile(r"([a-z][a-z0-9_-]{0,31})=(postgres(?:ql)?://.+)", re.DOTALL)
NEXT = re.compile(r",(?=\s*[a-z][a-z0-9_-]{0,31}=postgres(?:ql)?://)")
PASSWORD = re.compile(r"://[^:@/?#]*:([^@/]+)@|[?&]password=([^&,\s]+)")
POWERS = (
    "SELECT rolname FROM pg_roles WHERE pg_has_role(session_user, oid, 'MEMBER') AND (rolsuper OR rolname IN "
    "('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program', 'pg_signal_backend')) "
    "ORDER BY rolsuper DESC, 1 LIMIT 1"
)
"""A role that may do more than read tables, where the user is it or can become it."""
HOW = "Write one SELECT, with $1, $2 for parameters."
TABLES = (
    "SELECT table_schema || '.' || table_name FROM information_schema.tables "
    "WHERE table_schema NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT %s"
)


def read_databases(text: SecretStr | None) -> dict[str, SecretStr]:
    """``NAME=postgresql://USER:PASSWORD@HOST/DATABASE,...``. UsageError, which shows nothing of it."""
    found: dict[str, SecretStr] = {}
    for number, part in enumerate(NEXT.split(text.get_secret_value()) if text is not None else (), start=1):
        entry = ENTRY.fullmatch(part.strip())
        if entry is None or entry[1] in found:
            raise UsageError(
                f"Entry {number} of {SETTING} cannot be used. Write NAME=postgresql://USER:PASSWORD@HOST/DATABASE, "
                "with a name of its own in small letters."
            )
        found[entry[1]] = SecretStr(entry[2])
    return found


def passwords(text: SecretStr | None) -> list[SecretStr]:
    """The passwords in the setting as they are written there and as they are meant, to be taken out of what is shown;
    also in one that cannot be used."""
    found = PASSWORD.findall(text.get_secret_value()) if text is not None else []
    written = [first or second for first, second in found]
    return [SecretStr(word) for word in dict.fromkeys([*written, *map(urllib.parse.unquote, written)])]


class PostgresDatabases:
    """Implements ``domain.database.Databases``. A connection lives for one query."""

    def __init__(self, places: Mapping[str, SecretStr]) -> None:
        self._places = dict(places)

    @property
    def names(self) -> tuple[str, ...]:
        """The names there are."""
        return tuple(sorted(self._places))

    async def query(self, name: str, sql: str, parameters: tuple[Parameter, ...], most: int, timeout_s: float) -> Rows:
        """The rows of a query. KeyError, QueryFailed."""
        if "\0" in sql:
            raise QueryFailed("The query holds a NUL character. Remove it.")
        place = self._places[name].get_secret_value()
        async with _connected(name, place) as connection:
            try:
                # The server's own limit can be lifted by the query; this one cannot.
                async with asyncio.timeout(timeout_s + GRACE_S):
                    await _check_powers(name, connection)
                    return await _read(connection, sql.strip().rstrip(";"), parameters, most, timeout_s)
            except TimeoutError:
                raise QueryFailed(f"The query took over {timeout_s:.0f} s and was ended. Ask for less.") from None


@contextlib.asynccontextmanager
async def _connected(name: str, place: str) -> "AsyncIterator[AsyncConnection[Any]]":
    import psycopg

    try:
        connection = await psycopg.AsyncConnection.connect(
            place, connect_timeout=CONNECT_S, application_name="soundstage"
        )
    except (psycopg.Error, UnicodeError):
        # The driver's message names the host, the user and more.
        raise QueryFailed(
            f"The database {name!r} does not answer. Do without it; whoever runs Soundstage finds it in {SETTING}."
        ) from None
    try:
        await connection.set_read_only(True)
        yield connection
    finally:
        await connection.close()


async def _check_powers(name: str, connection: "AsyncConnection[Any]") -> None:
    import psycopg

    try:
        power = await (await connection.execute(POWERS)).fetchone()
    except psycopg.Error as error:
        raise QueryFailed(_said(error)) from None
    if power is not None:
        raise QueryFailed(
            f"The database {name!r} is not asked: its user has the rights of {one_line(str(power[0]))}, which reach "
            f"beyond its tables. Do without it; whoever runs Soundstage names a user in {SETTING} that can only read."
        )


async def _read(
    connection: "AsyncConnection[Any]", sql: str, parameters: tuple[Parameter, ...], most: int, timeout_s: float
) -> Rows:
    import psycopg

    try:
        await connection.execute("SELECT set_config('statement_timeout', %s, true)", [f"{timeout_s * 1000:.0f}"])
        return await _rows(connection, sql, parameters, most)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        await connection.rollback()
        listed = await (await connection.execute(TABLES, [LISTED_TABLES])).fetchall()
        names = ", ".join(one_line(str(row[0])) for row in listed) or "none"
        raise QueryFailed(f"{_said(error)} Tables: {names}.") from None
    except psycopg.Error as error:
        raise QueryFailed(f"{_said(error)} {HOW}") from None
    except UnicodeError:
        raise QueryFailed("The query or a parameter holds characters that are no UTF-8. Remove them.") from None


def _said(error: "Exception") -> str:
    diagnosis = getattr(error, "diag", None)
    message = getattr(diagnosis, "message_primary", None) or str(error) or type(error).__name__
    return f"The database refused the query: {one_line(message, 500).rstrip('.')}."


async def _rows(connection: "AsyncConnection[Any]", sql: str, parameters: tuple[Parameter, ...], most: int) -> Rows:
    """Each cell is made text and cut by the server, so that no row can be larger than what is wanted of it."""
    from psycopg import AsyncRawServerCursor

    async with AsyncRawServerCursor(connection, "look") as look:
        await look.execute(sql, parameters)
        columns = tuple(column.name for column in look.description or ())
    if not 0 < len(columns) <= MOST_COLUMNS:
        raise QueryFailed(
            f"The query gives {len(columns)} columns; 1 to {MOST_COLUMNS} can be shown. Name those you need."
        )
    names = [f"c{at}" for at in range(len(columns))]
    cells = ", ".join(f"left({name}::text, {CELL_CHARACTERS + 1})" for name in names)
    whole = f"SELECT {cells} FROM ({sql}\n) AS q({', '.join(names)})"  # noqa: S608 - it is their query, declared as a cursor
    rows: list[tuple[str | None, ...]] = []
    size = 0
    async with AsyncRawServerCursor(connection, "rows") as cursor:
        await cursor.execute(whole, parameters)
        while len(rows) <= most and size <= MOST_CHARACTERS:
            batch = await cursor.fetchmany(BATCH)
            rows += [tuple(map(_cell, row)) for row in batch]
            size += sum(len(cell or "") for row in batch for cell in row)
            if len(batch) < BATCH:
                break
    left = len(rows) > most or size > MOST_CHARACTERS
    return Rows(columns=columns, rows=tuple(rows[:most]), cut=left)


def _cell(value: str | None) -> str | None:
    cut = value is not None and len(value) > CELL_CHARACTERS
    return f"{value[:CELL_CHARACTERS]}[...]" if cut and value is not None else value
