"""Access keys in the database."""

import sqlite3
from datetime import timedelta

import pytest
from pydantic import ValidationError

from domain.access import AccessScope
from domain.errors import UnknownKey
from storage.access_keys import SqlAccessKeys
from storage.database import Database
from storage.writer import Writer

BOTH = (AccessScope.SEE_TASKS, AccessScope.STEER_TASKS)


@pytest.fixture
def keys(database: Database, writer: Writer) -> SqlAccessKeys:
    return SqlAccessKeys(database, writer)


async def test_who_shows_a_key_is_let_in_with_what_it_allows(keys: SqlAccessKeys) -> None:
    made, secret = await keys.add(BOTH, "ada", "laptop", timedelta(days=1))
    await keys.add([AccessScope.SEE_COSTS], "bob")

    found = await keys.find(secret.get_secret_value())

    assert found == made
    assert (found.owner, found.label, found.scopes) == ("ada", "laptop", frozenset(BOTH))
    assert [key.owner for key in await keys.known()] == ["ada", "bob"]


async def test_who_shows_anything_else_is_not(keys: SqlAccessKeys) -> None:
    made, secret = await keys.add(BOTH, "ada")
    shown = secret.get_secret_value()
    swapped = shown[:-1] + ("A" if shown[-1] != "A" else "B")

    for wrong in ("", "sst_", made.id, f"sst_{made.id}_", swapped, f"{shown}A", shown.upper(), f"{shown}\0", "é" * 50):
        assert await keys.find(wrong) is None, wrong


async def test_a_key_that_was_revoked_or_has_expired_lets_nobody_in(keys: SqlAccessKeys) -> None:
    old, old_secret = await keys.add(BOTH, "ada", lifetime=timedelta(microseconds=1))
    new, new_secret = await keys.add(BOTH, "ada")

    revoked = await keys.revoke(new.id[:8])

    assert revoked.revoked_at is not None
    assert await keys.revoke(new.id) == revoked, "once more changes nothing"
    assert await keys.find(new_secret.get_secret_value()) is await keys.find(old_secret.get_secret_value()) is None
    assert {key.id for key in await keys.known()} == {old.id, new.id}


async def test_a_key_is_revoked_by_an_id_that_is_its_own_alone(keys: SqlAccessKeys) -> None:
    await keys.add(BOTH, "ada")
    for prefix in ("", "zz"):
        with pytest.raises(UnknownKey, match="soundstage access list"):
            await keys.revoke(prefix)


async def test_the_database_holds_no_key(keys: SqlAccessKeys, stranger: sqlite3.Connection) -> None:
    _, secret = await keys.add(BOTH, "ada")
    (row,) = stranger.execute("SELECT * FROM access_key").fetchall()
    kept = " ".join(str(value) for value in row)
    assert secret.get_secret_value().rpartition("_")[2] not in kept


@pytest.mark.parametrize(
    ("owner", "label", "scopes"), [("", "", BOTH), ("a b", "", BOTH), ("a", "x" * 101, BOTH), ("a", "", ())]
)
async def test_a_key_that_makes_no_sense_is_not_made(
    keys: SqlAccessKeys, owner: str, label: str, scopes: tuple[AccessScope, ...]
) -> None:
    with pytest.raises(ValidationError):
        await keys.add(scopes, owner, label)
    assert await keys.known() == ()
