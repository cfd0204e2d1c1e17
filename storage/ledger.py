"""The ledger and the budgets in the database."""

from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from domain.chat import Usage
from domain.errors import BudgetExceeded, Conflict
from domain.ledger import Attempt, AttemptOutcome, Scope, Settlement, Spending
from domain.money import NanoUsd, format_usd
from storage.clock import timestamp
from storage.database import Database
from storage.tables import BudgetRow, LedgerRow, ReservationRow, table
from storage.writer import Writer

BUDGET = table(BudgetRow)
RESERVATION = table(ReservationRow)
LEDGER = table(LedgerRow)


class SqlLedger:
    """Reserves and settles through the writer, so that one transaction sees one state of every scope."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def open(self, scope: Scope) -> None:
        """Makes a scope, or changes the caps of one that is there."""
        await self._writer.submit(lambda connection: _open(connection, scope))

    async def reserve(self, attempt: Attempt) -> None:
        """Holds the attempt's amounts in its scope and all above it; BudgetExceeded, and nothing is held."""
        await self._writer.submit(lambda connection: _reserve(connection, attempt))

    async def settle(self, settlement: Settlement) -> None:
        """Turns a reservation into a ledger entry, once."""
        await self._writer.submit(lambda connection: _settle(connection, settlement))

    async def spending(self, scope_id: str) -> Spending:
        """A scope's state."""
        async with self._database.sessions() as session:
            row = await session.get(BudgetRow, scope_id)
        if row is None:
            return Spending()
        return Spending(
            reserved=NanoUsd(row.reserved),
            settled=NanoUsd(row.settled),
            reserved_tokens=row.reserved_tokens,
            settled_tokens=row.settled_tokens,
        )

    async def settle_abandoned(self) -> int:
        """Settles reservations whose sender died: at what they reserved, marked estimated. Returns how many."""
        return await self._writer.submit(_settle_abandoned)


def _open(connection: Connection, scope: Scope) -> None:
    if scope.parent == scope.id:
        raise Conflict(f"The budget scope {scope.id} cannot be its own parent.")
    caps = {"cap": scope.cap, "token_cap": scope.token_cap}
    known = connection.execute(select(BUDGET.c.parent).where(BUDGET.c.scope == scope.id)).first()
    if known is None:
        connection.execute(insert(BUDGET).values(scope=scope.id, parent=scope.parent, **caps))
    elif known.parent != scope.parent:
        raise Conflict(f"The budget scope {scope.id} is already below {known.parent}, not {scope.parent}.")
    else:
        connection.execute(update(BUDGET).where(BUDGET.c.scope == scope.id).values(**caps))


def _chain(connection: Connection, scope: str) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    following: str | None = scope
    while following is not None:
        row = connection.execute(select(BUDGET).where(BUDGET.c.scope == following)).first()
        if row is None:
            raise Conflict(f"The budget scope {following} does not exist. Open it before the first call.")
        rows.append(row)
        following = row.parent
    return rows


def _reserve(connection: Connection, attempt: Attempt) -> None:
    known = connection.execute(select(RESERVATION.c.attempt).where(RESERVATION.c.attempt_id == attempt.id)).scalar()
    if known is not None:
        if known != attempt.model_dump_json():
            raise Conflict(f"Attempt {attempt.id} is already reserved, with other amounts.")
        return
    ended = select(LEDGER.c.attempt_id).where(LEDGER.c.attempt_id == attempt.id)
    if connection.execute(ended).first() is not None:
        raise Conflict(f"Attempt {attempt.id} was already made and settled. Use a new id.")
    chain = _chain(connection, attempt.scope)
    for row in chain:
        _check(row, attempt)
    _hold(connection, chain, attempt.reserved, attempt.reserved_tokens)
    held = {
        "attempt_id": attempt.id,
        "owner": attempt.owner,
        "scope": attempt.scope,
        "reserved": attempt.reserved,
        "reserved_tokens": attempt.reserved_tokens,
        "attempt": attempt.model_dump_json(),
        "reserved_at": timestamp(),
        "expires_at": timestamp(attempt.expires_s),
    }
    connection.execute(insert(RESERVATION).values(held))


def _check(row: Row[Any], attempt: Attempt) -> None:
    if row.cap is not None and row.reserved + row.settled + attempt.reserved > row.cap:
        left = NanoUsd(max(0, row.cap - row.reserved - row.settled))
        raise BudgetExceeded(
            f"The next model call may cost {format_usd(attempt.reserved)}, and {row.scope} has {format_usd(left)} "
            f"of {format_usd(row.cap)} left, so it was not made. Raise the budget with --budget-usd.",
            scope=row.scope,
        )
    tokens = row.reserved_tokens + row.settled_tokens + attempt.reserved_tokens
    if row.token_cap is not None and tokens > row.token_cap:
        left = max(0, row.token_cap - row.reserved_tokens - row.settled_tokens)
        raise BudgetExceeded(
            f"The next model call may use {attempt.reserved_tokens} tokens, and {row.scope} has {left} of "
            f"{row.token_cap} left, so it was not made. Raise the limit with --max-tokens.",
            scope=row.scope,
        )


def _hold(connection: Connection, chain: list[Row[Any]], amount: int, tokens: int) -> None:
    for row in chain:
        held = {"reserved": BUDGET.c.reserved + amount, "reserved_tokens": BUDGET.c.reserved_tokens + tokens}
        connection.execute(update(BUDGET).where(BUDGET.c.scope == row.scope).values(**held))


def _settle(connection: Connection, settlement: Settlement) -> None:
    found = connection.execute(select(RESERVATION).where(RESERVATION.c.attempt_id == settlement.attempt_id)).first()
    if found is None:
        known = select(LEDGER.c.attempt_id).where(LEDGER.c.attempt_id == settlement.attempt_id)
        if connection.execute(known).first() is None:
            raise Conflict(f"Attempt {settlement.attempt_id} was never reserved, so it cannot be settled.")
        return
    attempt = Attempt.model_validate_json(found.attempt)
    for row in _chain(connection, attempt.scope):
        values = {
            "reserved": BUDGET.c.reserved - attempt.reserved,
            "settled": BUDGET.c.settled + settlement.cost,
            "reserved_tokens": BUDGET.c.reserved_tokens - attempt.reserved_tokens,
            "settled_tokens": BUDGET.c.settled_tokens + settlement.usage.total_tokens,
        }
        connection.execute(update(BUDGET).where(BUDGET.c.scope == row.scope).values(**values))
    connection.execute(delete(RESERVATION).where(RESERVATION.c.attempt_id == attempt.id))
    connection.execute(insert(LEDGER).values(_entry(attempt, settlement)))


def _entry(attempt: Attempt, settlement: Settlement) -> dict[str, Any]:
    return {
        **attempt.model_dump(
            include={"owner", "task_id", "subtask_id", "specialist", "purpose", "provider", "model", "key_id", "priced"}
        ),
        **settlement.usage.model_dump(),
        "attempt_id": attempt.id,
        "outcome": settlement.outcome,
        "cost": settlement.cost,
        "overrun": max(0, settlement.cost - attempt.reserved),
        "latency_s": settlement.latency_s,
        "first_token_s": settlement.first_token_s,
        "cache_hit": settlement.cache_hit,
        "error": settlement.error,
        "settled_at": timestamp(),
    }


def _settle_abandoned(connection: Connection) -> int:
    expired = connection.execute(select(RESERVATION).where(RESERVATION.c.expires_at < timestamp())).all()
    for row in expired:
        _settle(
            connection,
            Settlement(
                attempt_id=row.attempt_id,
                outcome=AttemptOutcome.ABANDONED,
                usage=Usage(input_tokens=row.reserved_tokens, estimated=True),
                cost=NanoUsd(row.reserved),
                error="the process that made the call ended before it was settled",
            ),
        )
    return len(expired)
