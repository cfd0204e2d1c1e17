"""The audit log in the database."""

from domain.audit import AuditEntry, AuditVerdict
from storage.audit import SqlAudit
from storage.database import Database
from storage.writer import Writer


def entry(tool: str, task_id: str = "t") -> AuditEntry:
    return AuditEntry(
        actor="code specialist", task_id=task_id, subtask_id="s", tool=tool, verdict=AuditVerdict.REFUSED,
        reason="not for this role", duration_s=0.5, size=7,
    )  # fmt: skip


async def test_entries_are_read_in_their_order_from_any_one_on_and_by_task(database: Database, writer: Writer) -> None:
    audit = SqlAudit(database, writer)
    for number in range(5):
        audit.record(entry(f"tool{number}", task_id="t" if number % 2 else "u"))
    await writer.submit(lambda connection: None)

    everything = await audit.read()
    assert [record.entry for record in everything] == [entry(f"tool{n}", "t" if n % 2 else "u") for n in range(5)]
    assert [record.number for record in everything] == [1, 2, 3, 4, 5]
    assert all(record.at.endswith("+00:00") for record in everything)
    assert [record.entry.tool for record in await audit.read("t")] == ["tool1", "tool3"]
    assert [record.number for record in await audit.read(after=3, most=1)] == [4]


async def test_what_cannot_be_written_disturbs_no_call(database: Database, writer: Writer) -> None:
    with database.writer.begin() as connection:
        connection.exec_driver_sql("DROP TABLE audit")

    SqlAudit(database, writer).record(entry("shell"))
    await writer.submit(lambda connection: None)
