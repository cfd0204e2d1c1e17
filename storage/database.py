"""The database: its engines, and bringing its schema up to date."""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import DatabaseError, SQLAlchemyError

from domain.errors import StorageUnavailable

HEAD = "0006"
"""The newest revision in ``storage/migrations``; a test holds the two together."""

T = TypeVar("T")
READERS = 4
"""How many reads go on at the same time."""

BUSY_TIMEOUT_MS = 10_000
PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)


class Database:
    """A SQLite file in WAL mode: one engine for the writer's thread, one for the threads of readers."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.writer: Engine = create_engine(f"sqlite:///{path}")
        self._readers: Engine = create_engine(f"sqlite:///{path}")
        self._reading = ThreadPoolExecutor(READERS, thread_name_prefix="soundstage-reader")
        for engine in (self.writer, self._readers):
            event.listen(engine, "connect", _tune)
        event.listen(self.writer, "begin", _begin)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """What ``work`` found, in a thread: it sees what was committed before. StorageUnavailable."""
        return await asyncio.get_running_loop().run_in_executor(self._reading, self._read, work)

    def _read(self, work: Callable[[Connection], T]) -> T:
        try:
            with self._readers.connect() as connection:
                return work(connection)
        except SQLAlchemyError as error:
            raise StorageUnavailable(
                f"The database {self.path} cannot be read: {str(error).splitlines()[0]}. Check the disk and who may "
                "read the file, and run it again."
            ) from error

    async def prepare(self) -> None:
        """Creates the file and brings the schema up to date. StorageUnavailable when that cannot be done."""
        await asyncio.to_thread(self._prepare)

    def _prepare(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if self._revision() != HEAD:
                self._migrate()
        except (OSError, DatabaseError, sqlite3.Error) as error:
            raise StorageUnavailable(
                f"The database {self.path} cannot be used ({error.__class__.__name__}: {str(error).splitlines()[0]}). "
                "Free disk space, check who may write there, or set SOUNDSTAGE_HOME to another folder."
            ) from error

    def _revision(self) -> str | None:
        with self.writer.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def _migrate(self) -> None:
        from alembic import command
        from alembic.config import Config
        from alembic.script import ScriptDirectory

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self.writer.begin() as connection:
            config.attributes["connection"] = connection
            revision = self._revision_in(connection)
            known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
            if revision is not None and revision not in known:
                raise StorageUnavailable(
                    f"A newer Soundstage (schema {revision}) wrote the database {self.path}. "
                    "Install that version, or set SOUNDSTAGE_HOME to another folder."
                )
            command.upgrade(config, "head")

    @staticmethod
    def _revision_in(connection: Any) -> str | None:
        if not inspect(connection).has_table("alembic_version"):
            return None
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found

    async def close(self) -> None:
        """Closes every connection."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._reading.shutdown()
        self._readers.dispose()
        self.writer.dispose()


def _begin(connection: Connection) -> None:
    """By the driver itself: every model call waits for this once."""
    driver = connection.connection.dbapi_connection
    assert driver is not None
    driver.cursor().execute("BEGIN IMMEDIATE")


def _tune(connection: Any, _record: object) -> None:
    # Transactions are begun by us (BEGIN IMMEDIATE), not by the driver's guess.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()
