"""A database of the test's own, and what writes to it."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.database import Database
from storage.event_log import SqlEventLog
from storage.ledger import SqlLedger
from storage.tasks import SqlTasks
from storage.workspace import WorkspaceStore
from storage.writer import Writer


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(tmp_path / "home" / "soundstage.db")
    await database.prepare()
    yield database
    await database.close()


@pytest.fixture
async def writer(database: Database) -> AsyncIterator[Writer]:
    writer = Writer(database.writer)
    yield writer
    await writer.close()


@pytest.fixture
def log(database: Database, writer: Writer) -> SqlEventLog:
    return SqlEventLog(database, writer)


@pytest.fixture
def ledger(database: Database, writer: Writer) -> SqlLedger:
    return SqlLedger(writer)


@pytest.fixture
def tasks(database: Database) -> SqlTasks:
    return SqlTasks(database)


@pytest.fixture
def workspaces(tmp_path: Path) -> WorkspaceStore:
    return WorkspaceStore(tmp_path / "workspaces")


@pytest.fixture
def stranger(database: Database) -> sqlite3.Connection:
    """A connection of another program: it sees what is committed, and nothing else."""
    connection = sqlite3.connect(database.path, isolation_level=None, timeout=0)
    connection.row_factory = sqlite3.Row
    return connection
