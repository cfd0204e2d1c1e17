"""``soundstage audit`` by the command line."""

import asyncio
import json
from pathlib import Path

from app.settings import Settings
from app.store import open_store
from domain.audit import AuditEntry, AuditVerdict
from domain.events import TaskSubmitted
from tests.app.conftest import Cli
from tests.domain.sample_facts import spec


async def _calls(home: Path, count: int) -> None:
    async with open_store(Settings(soundstage_home=home)) as store:
        await store.log.append("abc1", "submitted", TaskSubmitted(spec=spec("abc1")))
        for number in range(count):
            entry = AuditEntry(
                actor="\x1b[31mann", task_id="" if number % 2 else "abc1", tool=f"tool{number}",
                verdict=AuditVerdict.REFUSED, reason="not\nso", duration_s=0.5, size=1234,
            )  # fmt: skip
            store.audit.record(entry)


def test_every_call_is_told_in_its_order_on_a_line_of_its_own(cli: Cli, home: Path) -> None:
    assert cli("audit").stdout == "No tool was called.\n"
    assert cli("audit", "--json").stdout == ""
    asyncio.run(_calls(home, 2050))
    lines = [json.loads(line) for line in cli("audit", "--json").stdout.splitlines()]
    assert [line["entry"]["tool"] for line in lines] == [f"tool{number}" for number in range(2050)]
    heading, first, *others = cli("audit", "--task", "abc").stdout.splitlines()
    assert heading.split() == ["number", "time", "owner", "actor", "task", "tool", "verdict"]
    assert first.split()[2:] == [
        "local",
        "ann",
        "abc1",
        "tool0",
        "refused",
        "0.50",
        "s,",
        "1,234",
        "bytes",
        "not",
        "so",
    ]
    assert len(others) == 1024
