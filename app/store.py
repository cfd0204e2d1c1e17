"""What is kept of a home: the database and the folders, opened together."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from app.settings import Settings
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
from storage.workspace import WorkspaceStore
from storage.writer import Writer


@dataclass(frozen=True)
class Store:
    """What is kept: events, ledger, tasks, workspaces, artifacts, API keys and who used which tool."""

    log: SqlEventLog
    ledger: SqlLedger
    replies: SqlReplyCache
    costs: SqlCosts
    key_uses: SqlKeyUses
    tasks: SqlTasks
    workspaces: WorkspaceStore
    artifacts: ArtifactFolder
    keys: SqlKeyStore
    audit: SqlAudit


@contextlib.asynccontextmanager
async def open_store(settings: Settings) -> AsyncIterator[Store]:
    """The storage of a home, its schema brought up to date. StorageUnavailable."""
    database = Database(settings.home / "soundstage.db")
    await database.prepare()
    writer = Writer(database.writer)
    master = MasterKeySource(settings.soundstage_master_key, KeyFile(settings.home / "master.key"))
    try:
        yield Store(
            log=SqlEventLog(database, writer),
            ledger=SqlLedger(writer),
            replies=SqlReplyCache(database, writer),
            costs=SqlCosts(database),
            key_uses=SqlKeyUses(database),
            tasks=SqlTasks(database),
            workspaces=WorkspaceStore(settings.home / "workspaces"),
            artifacts=ArtifactFolder(settings.home / "artifacts"),
            keys=SqlKeyStore(database, writer, master),
            audit=SqlAudit(database, writer),
        )
    finally:
        await writer.close()
        await database.close()
