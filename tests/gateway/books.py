"""A real ledger for tests, an auditor of it, and calls over the wire that are booked there."""

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

from domain.chat import ModelRequest, UserMessage
from domain.errors import SoundstageError
from domain.ledger import Spending
from gateway.adapters.openai_adapter import OpenAIProvider
from gateway.base import Call, Endpoint
from gateway.policy import GatewayPolicy, RetryPolicy
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer
from tests.gateway.house import single
from tests.wire.openai_dialect import OpenAIServer
from tests.wire.replies import Reply

SWIFT = RetryPolicy(attempts=3, pause_s=0, longest_pause_s=30)
REQUEST = ModelRequest(model="gpt-4o-mini", messages=(UserMessage(content="hello"),), max_output_tokens=1000)
CALL = Call(request=REQUEST, task_id="t1", subtask_id="s1", specialist="code", purpose="work", scope="task:t1")


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


async def over_the_wire(
    books: Books, replies: Sequence[Reply], retry: RetryPolicy = SWIFT
) -> tuple[BaseException | None, int]:
    """What a call of a server with these replies raised, and how many requests the server saw."""
    async with OpenAIServer(replies) as server:
        model = OpenAIProvider(Endpoint(name="openai", base_url=server.url, read_s=1.0))
        try:
            async with asyncio.timeout(60):
                await single(model, books.ledger, GatewayPolicy(retry=retry)).collect(CALL)
        except SoundstageError as error:
            return error, len(server.requests)
        finally:
            await model.close()
        return None, len(server.requests)
