"""Fixtures of the gateway tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ledger import Scope
from tests.gateway.books import Books
from tests.gateway.clock import Clock


@pytest.fixture
def clock() -> Clock:
    """A clock that the test sets."""
    return Clock()


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Books]:
    """A ledger with the scope of a task."""
    books = Books(tmp_path / "ledger.db")
    await books.database.prepare()
    await books.ledger.open(Scope(id="task:t1"))
    yield books
    await books.writer.close()
    await books.database.close()
