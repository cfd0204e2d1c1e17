import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlmodel import SQLModel

import storage.tables
from domain.errors import StorageUnavailable
from storage.database import HEAD, Database

MIGRATIONS = Path(storage.tables.__file__).parent / "migrations"


async def test_preparing_twice_keeps_what_is_there(database: Database) -> None:
    with database.writer.begin() as writing:
        writing.execute(text("INSERT INTO budget (scope, owner) VALUES ('day', 'local')"))

    await database.prepare()
    again = Database(database.path)
    await again.prepare()

    wanted = text("SELECT scope FROM budget")
    assert await again.read(lambda connection: connection.execute(wanted).scalars().all()) == ["day"]
    await again.close()


def test_the_head_that_the_database_knows_is_the_only_head_of_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    with database.writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})

        assert compare_metadata(context, SQLModel.metadata) == []
        found = set(connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'")).scalars())
    assert found == {*SQLModel.metadata.tables, "alembic_version"}


async def test_the_database_of_a_newer_soundstage_is_refused_and_left_alone(database: Database) -> None:
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(StorageUnavailable, match=r"A newer Soundstage \(schema 9999\)"):
        await database.prepare()

    with database.writer.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["9999"]


@pytest.mark.parametrize("obstacle", ["the home is a file", "the database is a folder", "the file is no database"])
async def test_a_home_that_cannot_be_used_is_reported_with_its_path_and_a_remedy(tmp_path: Path, obstacle: str) -> None:
    home = tmp_path / "home"
    path = home / "soundstage.db"
    match obstacle:
        case "the home is a file":
            home.write_text("I was here first")
        case "the database is a folder":
            path.mkdir(parents=True)
        case _:
            home.mkdir()
            path.write_bytes(b"no database, but long enough to be looked at " * 50)
    database = Database(path)

    with pytest.raises(StorageUnavailable) as raised:
        await database.prepare()

    assert str(path) in str(raised.value)
    assert "SOUNDSTAGE_HOME" in str(raised.value)
    await database.close()


async def test_processes_that_start_at_the_same_time_prepare_one_database(tmp_path: Path) -> None:
    databases = [Database(tmp_path / "home" / "soundstage.db") for _ in range(6)]

    await asyncio.gather(*(database.prepare() for database in databases))

    with sqlite3.connect(databases[0].path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    connection.close()
    await asyncio.gather(*(database.close() for database in databases))


async def test_every_connection_is_durable_waits_its_turn_and_checks_foreign_keys(database: Database) -> None:
    pragmas = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 10_000}

    def told(connection: Connection) -> dict[str, object]:
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas}

    with database.writer.connect() as connection:
        written = told(connection)
    read = await database.read(told)

    assert written == read == pragmas
