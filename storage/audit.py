"""The audit log in the database."""

from typing import Any

from sqlalchemy import Connection, select

from domain.audit import AuditEntry
from domain.base import Value
from storage.clock import timestamp
from storage.database import Database
from storage.tables import AuditRow, table
from storage.writer import Writer, driver_cursor

AUDIT = table(AuditRow)
COLUMNS = ("at", *AuditEntry.model_fields)
RECORD = f"INSERT INTO audit ({', '.join(COLUMNS)}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - names of ours
"""A statement of the driver: every call of a tool writes one."""


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
        row = (timestamp(), *entry.model_dump(mode="json").values())

        def write(connection: Connection) -> None:
            driver_cursor(connection).execute(RECORD, row)

        # What the writer cannot write, the next reservation of a model call reports: a full disk stops the work there.
        writing = self._writer.submit(write, patient=True)
        writing.add_done_callback(lambda written: written.cancelled() or written.exception())

    async def read(self, task_id: str | None = None, after: int = 0, most: int = 1000) -> tuple[AuditRecord, ...]:
        """Entries above a number, in their order, of one task or of all. StorageUnavailable."""
        wanted = select(AUDIT).where(AUDIT.c.number > after).order_by(AUDIT.c.number).limit(most)
        if task_id is not None:
            wanted = wanted.where(AUDIT.c.task_id == task_id)
        rows = await self._database.read(lambda connection: connection.execute(wanted).mappings().all())
        return tuple(_record(dict(row)) for row in rows)


def _record(row: dict[str, Any]) -> AuditRecord:
    number, at = row.pop("number"), row.pop("at")
    return AuditRecord(number=number, at=at, entry=AuditEntry.model_validate(row))
