"""The audit log in the database."""

from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import SQLAlchemyError

from domain.audit import AuditEntry
from domain.base import Value
from domain.errors import StorageUnavailable
from storage.clock import timestamp
from storage.database import Database
from storage.tables import AuditRow, table
from storage.writer import Writer

AUDIT = table(AuditRow)


class AuditRecord(Value):
    """An entry as it was written: in which order, and when (RFC 3339, UTC)."""

    number: int
    at: str
    entry: AuditEntry


class SqlAudit:
    """Writes entries through the writer, so that a call waits for none of them; reads them in their order."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    def record(self, entry: AuditEntry) -> None:
        """Queues the entry."""
        row = {"at": timestamp(), **entry.model_dump(mode="json")}

        def write(connection: Connection) -> None:
            connection.execute(insert(AUDIT).values(row))

        # What the writer cannot write, the next reservation of a model call reports: a full disk stops the work there.
        self._writer.submit(write).add_done_callback(lambda written: written.cancelled() or written.exception())

    async def read(self, task_id: str | None = None, after: int = 0, most: int = 1000) -> tuple[AuditRecord, ...]:
        """Entries above a number, in their order, of one task or of all. StorageUnavailable."""
        wanted = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(most)
        if task_id is not None:
            wanted = wanted.where(AUDIT.c.task_id == task_id)
        try:
            async with self._database.readers.connect() as connection:
                rows = (await connection.execute(wanted)).mappings().all()
        except SQLAlchemyError as error:
            raise StorageUnavailable(f"The audit log cannot be read: {str(error).splitlines()[0]}") from error
        return tuple(_record(dict(row)) for row in rows)


def _record(row: dict[str, Any]) -> AuditRecord:
    number, at = row.pop("number"), row.pop("at")
    return AuditRecord(number=number, at=at, entry=AuditEntry.model_validate(row))
