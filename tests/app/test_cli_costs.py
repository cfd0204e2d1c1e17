"""``soundstage costs`` by the command line, on a ledger that a stranger wrote."""

import csv
import io
import json
import sqlite3
from pathlib import Path

import pytest

from tests.app.conftest import Cli

Row = tuple[object, ...]
COLUMNS = (
    "attempt_id", "task_id", "subtask_id", "specialist", "purpose", "provider", "model", "outcome", "input_tokens",
    "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated", "priced", "cost",
    "overrun", "latency_s", "cache_hit", "error", "settled_at", "owner",
)  # fmt: skip


def row(
    number: int,
    model: str,
    cost: int,
    priced: bool,
    *,
    failed: bool = False,
    estimated: bool = False,
    hit: bool = False,
) -> Row:
    tokens = (0,) * 5 if hit else (1000, 400, 200, 50, 20)
    names = (f"a{number}", "", "", "", "trial", "openai", model, "failed" if failed else "ok")
    return (*names, *tokens, estimated, priced, cost, 0, 1.0, hit, "", "2026-11-21T10:00:00.000000+00:00", "local")


@pytest.fixture
def _ledger(cli: Cli, home: Path) -> None:
    assert cli("costs").stdout == "The ledger holds no such call.\n"
    rows = [
        row(1, "gpt-5-mini", 12_300_001, True, estimated=True),
        row(2, "gpt-5-mini", 0, False),
        row(3, "gpt-5-mini", 0, False, failed=True),
        row(4, "\x1b[31mnew one", 0, False),
        row(5, "gpt-6-luna", 77, True),
        row(6, "gpt-5-mini", 0, True, hit=True),
    ]
    database = sqlite3.connect(home / "soundstage.db")
    database.executemany(f"INSERT INTO ledger ({','.join(COLUMNS)}) VALUES ({','.join('?' * len(COLUMNS))})", rows)
    database.commit()
    database.close()


@pytest.mark.usefixtures("_ledger")
def test_a_price_that_is_not_known_is_said_and_never_shown_as_nothing(cli: Cli) -> None:
    heading, mini, luna, strange, total = cli("costs").stdout.splitlines()

    assert heading.split() == [
        "model",
        "attempts",
        "hits",
        "failed",
        "input",
        "cached",
        "cache",
        "write",
        "output",
        "reasoning",
        "cost",
    ]
    assert mini.split(maxsplit=9)[:9] == ["openai/gpt-5-mini", "3", "1", "1", "3,000", "1,200", "600", "150", "60"]
    assert mini.endswith("  $0.0123 + 2 calls without a known price (1 estimated)")
    assert luna.endswith("  $0.000000077")
    assert strange.startswith("openai/new one")
    assert strange.endswith("  1 call without a known price")
    assert "$" not in strange
    assert total.endswith("  $0.0123 + 3 calls without a known price (1 estimated)")


@pytest.mark.usefixtures("_ledger")
def test_machines_read_every_digit(cli: Cli) -> None:
    lines = [json.loads(line) for line in cli("costs", "--json").stdout.splitlines()]
    table = list(csv.DictReader(io.StringIO(cli("costs", "--csv").stdout)))

    assert lines[0] == {
        "model": "openai/gpt-5-mini", "attempts": 3, "hits": 1, "failed": 1, "input_tokens": 3000,
        "cached_tokens": 1200, "cache_write_tokens": 600, "output_tokens": 150, "reasoning_tokens": 60,
        "cost_nano_usd": 12_300_001, "cost_usd": "0.012300001", "unpriced": 2, "estimated": 1,
    }  # fmt: skip
    assert table == [{name: str(value) for name, value in line.items()} for line in lines]


@pytest.mark.usefixtures("_ledger")
def test_days_and_groups_narrow_it_down(cli: Cli) -> None:
    by_day = json.loads(cli("costs", "--by", "day", "--since", "2026-11-21", "--until", "2026-11-21", "--json").stdout)
    assert (by_day["day"], by_day["attempts"]) == ("2026-11-21", 5)
    assert cli("costs", "--until", "2026-11-20").stdout == "The ledger holds no such call.\n"
    assert cli("costs", "--by", "task").stdout.splitlines()[1].startswith("-  ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--by", "mood"), "mood"),
        (("--since", "yesterday"), "yesterday"),
        (("--csv", "--json"), "--csv and --json exclude each other"),
        (("--since", "2026-02-02", "--until", "2026-02-01"), "is later than"),
        (("--task", "nope"), "no task"),
    ],
)
def test_wrong_usage_is_said(cli: Cli, arguments: tuple[str, ...], message: str) -> None:
    done = cli("costs", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
