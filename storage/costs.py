"""The ledger, added up."""

from typing import Any

from sqlalchemy import ColumnElement, Integer, RowMapping, Select, cast, func, select

from domain.costs import CostGrouping, CostLine, CostQuery
from domain.ledger import AttemptOutcome
from storage.database import Database
from storage.tables import LedgerRow, table

LEDGER = table(LedgerRow)
KEYS: dict[CostGrouping, ColumnElement[str]] = {
    CostGrouping.MODEL: LEDGER.c.provider + "/" + LEDGER.c.model,
    CostGrouping.TASK: LEDGER.c.task_id,
    CostGrouping.DAY: func.substr(LEDGER.c.settled_at, 1, 10),
    CostGrouping.SPECIALIST: LEDGER.c.specialist,
    CostGrouping.PROVIDER: LEDGER.c.provider,
    CostGrouping.USER: LEDGER.c.owner,
    CostGrouping.PURPOSE: LEDGER.c.purpose,
}

AMOUNTS = ("input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "cost")
COUNTS: dict[str, ColumnElement[bool]] = {
    "attempts": ~LEDGER.c.cache_hit,
    "hits": LEDGER.c.cache_hit,
    "failed": LEDGER.c.outcome.in_((AttemptOutcome.FAILED, AttemptOutcome.ABANDONED)),
    "unpriced": ~LEDGER.c.priced,
    "estimated": LEDGER.c.estimated,
}


class SqlCosts:
    """What was spent, read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, query: CostQuery) -> tuple[CostLine, ...]:
        """A line for each group: days in their order, others with the dearest first."""
        rows = await self._database.read(lambda connection: connection.execute(_statement(query)).mappings().all())
        lines = [from_row(row) for row in rows]
        if query.by is CostGrouping.DAY:
            return tuple(sorted(lines, key=lambda line: line.key))
        return tuple(sorted(lines, key=lambda line: (-line.cost, -line.attempts, line.key)))


def _statement(query: CostQuery) -> Select[*tuple[Any, ...]]:
    key = KEYS[query.by].label("key")
    amounts = [func.sum(LEDGER.c[name]).label(name) for name in AMOUNTS]
    counts = [func.sum(cast(condition, Integer)).label(name) for name, condition in COUNTS.items()]
    statement = select(key, *amounts, *counts).group_by(key)
    if query.task_id is not None:
        statement = statement.where(LEDGER.c.task_id == query.task_id)
    if query.since is not None:
        statement = statement.where(LEDGER.c.settled_at >= query.since.isoformat())
    if query.until is not None:
        # No time of the day is as late as this.
        statement = statement.where(LEDGER.c.settled_at < f"{query.until.isoformat()}T24")
    return statement


def from_row(row: RowMapping) -> CostLine:
    """The line in a row."""
    return CostLine.model_validate(dict(row))
