"""The ledger and the budgets in the database."""

from collections.abc import Awaitable

from sqlalchemy import Connection, insert, select, update

from domain.errors import Conflict
from domain.ledger import Attempt, BudgetAlert, Scope, Settlement, Spending
from storage.books import Books, Chains
from storage.tables import BudgetRow, table
from storage.writer import Writer

BUDGET = table(BudgetRow)


class SqlLedger:
    """Reserves and settles through the writer, so that one transaction sees one state of every scope."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._chains: Chains = {}

    async def open(self, scope: Scope) -> None:
        """Makes a scope, or changes the caps of one that is there."""
        await self._writer.submit(lambda connection: _open(connection, scope))

    def reserve(self, attempt: Attempt) -> Awaitable[tuple[BudgetAlert, ...]]:
        """Queues that the attempt's amounts are held in its scope and all above it; BudgetExceeded, and nothing is."""
        return self._writer.submit(lambda connection: Books(connection, self._chains).reserve(attempt))

    def settle(self, settlement: Settlement) -> Awaitable[None]:
        """Queues that a reservation turns into a ledger entry, once."""
        return self._writer.submit(lambda connection: Books(connection, self._chains).settle(settlement), patient=True)

    def enter(self, attempt: Attempt, settlement: Settlement) -> Awaitable[None]:
        """Queues an entry of something that cost nothing."""
        return self._writer.submit(lambda connection: Books(connection, self._chains).enter(attempt, settlement))

    async def spending(self, scope_id: str) -> Spending:
        """A scope's state, after all that was submitted before."""
        return await self._writer.submit(lambda connection: Books(connection, self._chains).spending(scope_id))

    async def settle_abandoned(self) -> int:
        """Settles reservations whose sender died: at what they reserved, marked estimated. Returns how many."""
        return await self._writer.submit(lambda connection: Books(connection, self._chains).settle_abandoned())


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
