"""Reading a real PostgreSQL, whose user has every right to its tables: nothing but the adapter holds a query back."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL
from pydantic import SecretStr

from domain.database import Parameter, Rows
from domain.errors import QueryFailed, UsageError
from storage.postgres import CELL_CHARACTERS, PostgresDatabases, passwords, read_databases

PASSWORD = "pass-word-of-the-test"


@pytest.fixture
async def databases(postgres: str, postgres_user: str) -> AsyncIterator[PostgresDatabases]:
    """A database with a small table; the server takes any password."""
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute("DROP TABLE IF EXISTS items")
        await connection.execute("CREATE TABLE items (id int PRIMARY KEY, name text, price numeric, at timestamptz)")
        await connection.execute("INSERT INTO items VALUES (1, 'one', 1.50, 'infinity'), (2, NULL, 2, NULL)")
        yield PostgresDatabases({"shop": SecretStr(postgres_user.replace(":@", f":{PASSWORD}@"))})
        (count,) = await (await connection.execute("SELECT count(*) FROM items")).fetchone() or (0,)
        assert count == 2, "nothing was written"


async def ask(databases: PostgresDatabases, sql: str, *parameters: Parameter, most: int = 10) -> Rows:
    return await databases.query("shop", sql, parameters, most, 60)


async def until_counted(postgres: str, wanted: int, what: str) -> None:
    """Waits until the server counts so many of something: it notices a connection's end a little later."""
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        cursor = connection.cursor()
        count = SQL("SELECT count(*) FROM " + what)
        while (await (await cursor.execute(count)).fetchone()) != (wanted,):  # noqa: ASYNC110 - tests may poll
            await asyncio.sleep(0.01)


async def test_rows_are_read_as_text(databases: PostgresDatabases) -> None:
    rows = await ask(databases, "SELECT id, name, price, at FROM items ORDER BY id; ")
    assert rows == Rows(
        columns=("id", "name", "price", "at"), rows=(("1", "one", "1.50", "infinity"), ("2", None, "2", None))
    )


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("VALUES (1, 'a'), (2, 'b')", (("1", "a"), ("2", "b"))),
        ("TABLE items ORDER BY id DESC LIMIT 1", (("2", None, "2", None),)),
        ("WITH x AS (SELECT 3 AS n) SELECT n FROM x -- and a comment", (("3",),)),
        ("SELECT 1 AS a, 2 AS a", (("1", "2"),)),
        ("SELECT ARRAY[1, 2], ROW(1, 'x'), '\\x00ff'::bytea", (("{1,2}", "(1,x)", "\\x00ff"),)),
    ],
)  # fmt: skip
async def test_every_kind_of_query_that_reads_is_taken(
    sql: str, rows: tuple[tuple[str | None, ...], ...], databases: PostgresDatabases
) -> None:
    assert (await ask(databases, sql)).rows == rows


async def test_parameters_are_values_and_never_part_of_the_query(databases: PostgresDatabases) -> None:
    assert (await ask(databases, "SELECT id FROM items WHERE name = $1", "one")).rows == (("1",),)
    assert (await ask(databases, "SELECT id FROM items WHERE name = $1", "x' OR true --")).rows == ()
    assert (await ask(databases, "SELECT $1 + 1, $2::bool, $3::text, $4 * 2", 41, True, None, 1.5)).rows == (
        ("42", "true", None, "3"),
    )


async def test_rows_and_cells_are_capped(databases: PostgresDatabases) -> None:
    many = await ask(databases, "SELECT generate_series(1, 1000000)", most=3)
    assert (many.rows, many.cut) == ((("1",), ("2",), ("3",)), True)
    exact = await ask(databases, "SELECT generate_series(1, 3)", most=3)
    assert not exact.cut
    ((cell,),) = (await ask(databases, "SELECT repeat('x', 50000000)")).rows
    assert cell == "x" * CELL_CHARACTERS + "[...]"
    wide = await ask(databases, "SELECT repeat('x', 5000) FROM generate_series(1, 1000)", most=1000)
    assert wide.cut
    assert 0 < len(wide.rows) < 1000


WRITES = [
    "DELETE FROM items",
    "UPDATE items SET name = 'x'",
    "INSERT INTO items VALUES (3)",
    "DROP TABLE items",
    "SELECT 1; DELETE FROM items",
    "SELECT 1) AS q; DELETE FROM items; SELECT (1",
    "WITH gone AS (DELETE FROM items RETURNING id) SELECT * FROM gone",
    "SELECT * INTO other FROM items",
    "SELECT * FROM items FOR UPDATE",
    "COPY items TO '{folder}/out'",
    "COPY (SELECT 1) TO PROGRAM 'touch {folder}/out'",
    "COPY items FROM '/etc/passwd'",
    "DO $$ BEGIN DELETE FROM items; END $$",
    "SELECT set_config('transaction_read_only', 'off', true), count(*) FROM items",
    "SET TRANSACTION READ WRITE",
    "SET statement_timeout = 0",
    "COMMIT",
    "CALL nothing()",
    "LISTEN x",
    "EXPLAIN ANALYZE DELETE FROM items",
    "SELECT nextval('counter')",
    "SELECT lo_create(0)",
    "",
    ";",
    "\0SELECT 1",
    "SELECT '\ud800'",
]


@pytest.mark.parametrize("sql", WRITES)
async def test_nothing_but_one_query_that_reads_is_taken(sql: str, databases: PostgresDatabases, postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute("CREATE SEQUENCE IF NOT EXISTS counter")
    with tempfile.TemporaryDirectory() as folder:
        await asyncio.to_thread(Path(folder).chmod, 0o777)  # the server may be another user
        with pytest.raises(QueryFailed):
            await ask(databases, sql.replace("{folder}", folder))
        assert await asyncio.to_thread(os.listdir, folder) == []


async def test_what_a_function_did_is_rolled_back(databases: PostgresDatabases, postgres: str) -> None:
    await ask(databases, "SELECT set_config('search_path', 'nowhere', false), pg_advisory_lock(7)")
    await until_counted(postgres, 0, "pg_locks WHERE locktype = 'advisory'")


async def test_a_query_that_takes_too_long_is_ended_whatever_it_says_of_its_time(
    databases: PostgresDatabases,
) -> None:
    for sql in ("SELECT pg_sleep(60)::text", "SELECT count(*) FROM generate_series(1, 100000000000)"):
        with pytest.raises(QueryFailed, match="statement timeout"):
            await databases.query("shop", sql, (), 10, 1.0)
    lifted = "SELECT set_config('statement_timeout', '0', true), x FROM generate_series(1, 2) x, pg_sleep(x * 30)"
    with pytest.raises(QueryFailed, match=r"statement timeout|took over"):
        await databases.query("shop", lifted, (), 10, 1.0)


@pytest.mark.parametrize(
    ("rights", "named"),
    [
        ("SUPERUSER", "mighty"),
        ("IN ROLE pg_read_server_files", "pg_read_server_files"),
        ("IN ROLE pg_write_server_files", "pg_write_server_files"),
        ("IN ROLE pg_execute_server_program", "pg_execute_server_program"),
        ("IN ROLE pg_signal_backend", "pg_signal_backend"),
        ("NOINHERIT IN ROLE postgres", "postgres"),
    ],
)
async def test_a_user_whose_rights_reach_beyond_the_tables_is_refused(rights: str, named: str, postgres: str) -> None:
    async with await psycopg.AsyncConnection.connect(postgres, autocommit=True) as connection:
        await connection.execute(SQL("CREATE ROLE mighty LOGIN " + rights))
        try:
            held = PostgresDatabases({"shop": SecretStr(postgres.replace("postgres:@", "mighty:@"))})
            with pytest.raises(
                QueryFailed, match=rf"'shop' is not asked: its user has the rights of {named},.*can only"
            ):
                await ask(held, "SELECT pg_read_file('PG_VERSION')")
        finally:
            await connection.execute("DROP ROLE mighty")


async def test_an_unknown_table_is_answered_with_those_there_are(databases: PostgresDatabases) -> None:
    with pytest.raises(QueryFailed, match=r'relation "item" does not exist\. Tables: .*public\.items'):
        await ask(databases, "SELECT * FROM item")
    with pytest.raises(QueryFailed, match=r"Write one SELECT, with \$1, \$2 for parameters"):
        await ask(databases, "SELECT * FROM items WHERE id = ?", 1)


@pytest.mark.parametrize(
    "place",
    [
        f"postgresql://me:{PASSWORD}@127.0.0.1:9/secret-database",
        f"postgresql://me:{PASSWORD}@nowhere.invalid/secret-database",
        f"postgresql://me:{PASSWORD}@[bad/secret-database?x=y",
    ],
)
async def test_where_a_database_is_and_what_opens_it_is_never_told(place: str, postgres: str) -> None:
    databases = PostgresDatabases({"shop": SecretStr(place)})
    with pytest.raises(QueryFailed, match="'shop' does not answer") as failed:
        await ask(databases, "SELECT 1")
    assert failed.value.__cause__ is None
    assert failed.value.__suppress_context__
    for secret in (PASSWORD, "secret-database", "127.0.0.1", "nowhere.invalid"):
        assert secret not in str(failed.value)
        assert secret not in repr(databases.__dict__)


async def test_a_query_that_is_given_up_leaves_no_connection(databases: PostgresDatabases, postgres: str) -> None:
    asking = asyncio.create_task(ask(databases, "SELECT pg_sleep(60)::text"))
    await until_counted(postgres, 1, "pg_stat_activity WHERE application_name = 'soundstage' AND state = 'active'")
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until_counted(postgres, 0, "pg_stat_activity WHERE application_name = 'soundstage'")


def test_databases_are_read_from_the_setting_and_nothing_of_it_is_shown() -> None:
    both = "a=postgresql://me:x,y@h1,h2/one?x=1, b-2=postgres://u:p@[::1]:5/two"
    read = read_databases(SecretStr(both))
    assert {name: place.get_secret_value() for name, place in read.items()} == {
        "a": "postgresql://me:x,y@h1,h2/one?x=1",
        "b-2": "postgres://u:p@[::1]:5/two",
    }
    assert read_databases(None) == {}
    for wrong in (f"postgresql://me:{PASSWORD}@h/x", f"A=postgresql://me:{PASSWORD}@h/x", f"a=mysql://me:{PASSWORD}@h/x",
                  f"a=postgresql://me:{PASSWORD}@h/x,a=postgresql://h/y"):  # fmt: skip
        with pytest.raises(UsageError, match="SOUNDSTAGE_DATABASES cannot be used") as failed:
            read_databases(SecretStr(wrong))
        assert PASSWORD not in str(failed.value)


def test_the_passwords_of_the_setting_are_known_in_both_forms_even_where_it_cannot_be_used() -> None:
    text = SecretStr("a=postgresql://me:w%40rd@h/x,b=postgresql://h/y?user=me&password=second,nonsense://u:third@h")
    assert [word.get_secret_value() for word in passwords(text)] == ["w%40rd", "second", "third", "w@rd"]
    assert passwords(None) == passwords(SecretStr("a=postgresql://h/x")) == []
