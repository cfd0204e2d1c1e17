"""``soundstage costs``."""

import csv
import json
import sys
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from app.bootstrap import open_tidy_store
from app.settings import Settings
from domain.base import Value
from domain.costs import CostGrouping, CostLine, CostQuery
from domain.errors import UsageError
from domain.money import NANO_PER_USD, NanoUsd, format_usd
from domain.text import one_line

COUNTS = (
    "attempts", "hits", "failed",
    "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens",
)  # fmt: skip
HEADINGS = ("attempts", "hits", "failed", "input", "cached", "cache write", "output", "reasoning")
KEY_WIDTH = 40


class CostOptions(Value):
    """What the user typed. ``days`` are the first and the last, both included."""

    by: str
    days: tuple[date | None, date | None] = (None, None)
    task: str | None = None
    as_csv: bool = False
    as_json: bool = False


async def show_costs(settings: Settings, options: CostOptions) -> None:
    """Prints what was spent. UsageError, UnknownTask."""
    first, last = options.days
    if options.as_csv and options.as_json:
        raise UsageError("--csv and --json exclude each other. Leave one of them out.")
    if first is not None and last is not None and first > last:
        raise UsageError(f"--since {first} is later than --until {last}. Exchange them.")
    async with open_tidy_store(settings) as store:
        task = None if options.task is None else (await store.tasks.find(options.task)).id
        query = CostQuery(by=CostGrouping(options.by), since=first, until=last, task_id=task)
        lines = await store.costs.read(query)
    if options.as_csv:
        _print_csv(query.by, lines)
    elif options.as_json:
        for line in lines:
            print(json.dumps(_fields(query.by, line)))
    else:
        _print_table(query.by, lines)


def _fields(by: CostGrouping, line: CostLine) -> dict[str, str | int]:
    counts = {name: getattr(line, name) for name in COUNTS}
    money = {"cost_nano_usd": line.cost, "cost_usd": _usd(line.cost)}
    return {by.value: line.key, **counts, **money, "unpriced": line.unpriced, "estimated": line.estimated}


def _usd(amount: NanoUsd) -> str:
    """Every digit of it."""
    return f"{Decimal(amount) / NANO_PER_USD:.9f}"


def _print_csv(by: CostGrouping, lines: Iterable[CostLine]) -> None:
    writer = csv.DictWriter(sys.stdout, list(_fields(by, CostLine(key=""))), lineterminator="\n")
    writer.writeheader()
    writer.writerows(_fields(by, line) for line in lines)


def _print_table(by: CostGrouping, lines: tuple[CostLine, ...]) -> None:
    if not lines:
        print("The ledger holds no such call.")
        return
    shown = [line.model_copy(update={"key": one_line(line.key, KEY_WIDTH) or "-"}) for line in lines]
    shown += [_total(lines)] if len(lines) > 1 else []
    width = max(len(by.value), *(len(line.key) for line in shown))
    print(f"{by.value:<{width}}" + "".join(f" {heading:>13}" for heading in HEADINGS) + "  cost")
    for line in shown:
        counts = "".join(f"{getattr(line, name):>14,}" for name in COUNTS)
        print(f"{line.key:<{width}}{counts}  {_cost(line)}")


def _total(lines: Iterable[CostLine]) -> CostLine:
    rows = [line.model_dump(exclude={"key"}) for line in lines]
    return CostLine(key="total", **{name: sum(row[name] for row in rows) for name in rows[0]})


def _cost(line: CostLine) -> str:
    """The cost for people; what is not known is said, and not shown as nothing."""
    calls = f"{line.unpriced:,} call{'' if line.unpriced == 1 else 's'} without a known price"
    known = format_usd(line.cost) if line.unpriced < line.attempts or not line.unpriced else ""
    text = " + ".join(part for part in (known, calls if line.unpriced else "") if part)
    return f"{text} ({line.estimated:,} estimated)" if line.estimated else text
