"""Fixtures of the gateway tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain.ledger import Scope
from tests.gateway.books import Books
from tests.gateway.clock import Clock


@pytest.fixture(scope="session")
def no_authorities(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder without certificates."""
    return str(tmp_path_factory.mktemp("authorities"))


@pytest.fixture(autouse=True)
def _no_tls(monkeypatch: pytest.MonkeyPatch, no_authorities: str) -> None:
    """No server of these tests speaks TLS, and each client of an SDK would read the certificates of all authorities."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv("SSL_CERT_DIR", no_authorities)


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
