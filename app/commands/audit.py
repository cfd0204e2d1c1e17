"""``soundstage audit``."""

from collections.abc import AsyncIterator

from app.settings import Settings
from app.store import Store, open_tidy_store
from domain.text import one_line
from storage.audit import AuditRecord

PAGE = 1000


async def show_audit(settings: Settings, prefix: str | None, as_json: bool) -> None:
    """Prints the calls of tools in their order. UnknownTask, StorageUnavailable."""
    empty = True
    async with open_tidy_store(settings) as store:
        task_id = None if prefix is None else (await store.tasks.find(prefix)).id
        async for record in _records(store, task_id):
            if empty and not as_json:
                print(f"{'number':>6} {'time':<19} {'owner':<10} {'actor':<24} {'task':<13}{'tool':<16} {'verdict':<9}")
            empty = False
            print(record.model_dump_json() if as_json else _line(record))
    if empty and not as_json:
        print("No tool was called.")


async def _records(store: Store, task_id: str | None) -> AsyncIterator[AuditRecord]:
    after = 0
    while page := await store.audit.read(task_id, after, PAGE):
        for record in page:
            yield record
        after = page[-1].number


def _line(record: AuditRecord) -> str:
    entry = record.entry
    who = f"{one_line(entry.owner, 10):<10} {one_line(entry.actor, 24):<24} {one_line(entry.task_id, 12):<13}"
    end = f"{entry.verdict:<9} {entry.duration_s:.2f} s, {entry.size:,} bytes  {one_line(entry.reason)}"
    return f"{record.number:>6} {record.at[:19]} {who}{one_line(entry.tool, 16):<16} {end}".rstrip()
