"""What is kept of a home: the database and the folders, opened together."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from app.instances import InstanceLock
from app.settings import Settings
from domain.errors import InfrastructureError
from storage.access_keys import SqlAccessKeys
from storage.artifacts import ArtifactFolder
from storage.audit import SqlAudit
from storage.costs import SqlCosts
from storage.database import Database
from storage.event_log import SqlEventLog
from storage.key_file import KeyFile
from storage.key_uses import SqlKeyUses
from storage.ledger import SqlLedger
from storage.master_keys import MasterKeySource
from storage.reply_cache import SqlReplyCache
from storage.secrets import SqlKeyStore
from storage.tasks import SqlTasks
from storage.writer import Writer

if TYPE_CHECKING:
    from storage.workspace import WorkspaceStore


@dataclass(frozen=True)
class Store:
    """What is kept: events, ledger, tasks, workspaces, artifacts, API keys, access keys, and who used which tool."""

    home: Path
    log: SqlEventLog
    ledger: SqlLedger
    replies: SqlReplyCache
    costs: SqlCosts
    key_uses: SqlKeyUses
    tasks: SqlTasks
    artifacts: ArtifactFolder
    keys: SqlKeyStore
    audit: SqlAudit
    access: SqlAccessKeys

    @cached_property
    def workspaces(self) -> "WorkspaceStore":
        """The files of the tasks. Few commands need them, so what reads and writes them is imported here."""
        from storage.workspace import WorkspaceStore

        return WorkspaceStore(self.home / "workspaces")


@contextlib.asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage of a home, its schema brought up to date. StorageUnavailable."""
    database = Database(settings.home / "soundstage.db")
    await database.prepare()
    writer = Writer(database.writer)
    master = MasterKeySource(settings.soundstage_master_key, KeyFile(settings.home / "master.key"))
    try:
        yield Store(
            home=settings.home,
            log=SqlEventLog(database, writer),
            ledger=SqlLedger(writer),
            replies=SqlReplyCache(database, writer),
            costs=SqlCosts(database),
            key_uses=SqlKeyUses(database),
            tasks=SqlTasks(database),
            artifacts=ArtifactFolder(settings.home / "artifacts"),
            keys=SqlKeyStore(database, writer, master),
            audit=SqlAudit(database, writer),
            access=SqlAccessKeys(database, writer),
        )
    finally:
        await writer.close()
        await database.close()


@contextlib.asynccontextmanager
async def open_tidy_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage, after the tasks that crashed processes left open were ended."""
    async with open_store(settings) as store:
        await tidy(store, InstanceLock(settings.home / "instances").alive())
        yield store


async def tidy(store: Store, alive: set[str]) -> None:
    """Ends what crashed processes left open: their tasks and their reservations."""
    with contextlib.suppress(InfrastructureError):
        await store.ledger.settle_abandoned()
        for task in await store.tasks.abandoned(alive):
            await store.log.append(task.task_id, "finished", task.finish())
