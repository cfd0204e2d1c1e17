"""A real ledger for tests, and an auditor of it."""

import sqlite3
from pathlib import Path

from domain.ledger import Spending
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer


class Books:
    """A real ledger, and what an auditor finds in it."""

    def __init__(self, path: Path) -> None:
        self.database = Database(path)
        self.writer = Writer(self.database.writer)
        self.ledger = SqlLedger(self.writer)

    async def entries(self) -> list[sqlite3.Row]:
        """The ledger entries, in order."""
        return await self._query("SELECT * FROM ledger ORDER BY rowid")

    async def outcomes(self) -> list[tuple[str, str]]:
        """How each attempt ended, in order, and by which error."""
        return [(row["outcome"], row["error"]) for row in await self.entries()]

    async def reservations(self) -> list[sqlite3.Row]:
        """What is held at this moment."""
        return await self._query("SELECT * FROM reservation")

    async def spent(self) -> Spending:
        """The state of the task's scope; nothing may be held any more."""
        spending = await self.ledger.spending("task:t1")
        assert (spending.reserved, spending.reserved_tokens, await self.reservations()) == (0, 0, [])
        return spending

    async def _query(self, query: str) -> list[sqlite3.Row]:
        await self.ledger.spending("all that was submitted before")
        connection = sqlite3.connect(self.database.path)
        connection.row_factory = sqlite3.Row
        rows = connection.execute(query).fetchall()
        connection.close()
        return rows
