"""Access keys in the database: the hash of each, never the key."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import SecretStr
from sqlalchemy import Connection, insert, select, update

from domain.access import AccessKey, AccessScope, id_of, new_secret, same
from domain.errors import UnknownKey
from storage.clock import timestamp
from storage.database import Database
from storage.tables import AccessKeyRow, table
from storage.writer import Writer

ACCESS = table(AccessKeyRow)


class SqlAccessKeys:
    """Implements ``domain.access.AccessKeys``, and gives keys out and takes them back."""

    def __init__(self, database: Database, writer: Writer) -> None:
        self._database = database
        self._writer = writer

    async def find(self, shown: str) -> AccessKey | None:
        """The key that somebody shows, where it lets them in. StorageUnavailable."""
        key_id = id_of(shown)
        row = await self._row(key_id) if key_id is not None else None
        if row is None or not same(row["digest"], shown):
            return None
        key = _key(row)
        return key if key.works(datetime.now(UTC)) else None

    async def works(self, key_id: str) -> bool:
        """Whether the key of an id still lets anybody in. StorageUnavailable."""
        row = await self._row(key_id)
        return row is not None and _key(row).works(datetime.now(UTC))

    async def _row(self, key_id: str) -> dict[str, Any] | None:
        wanted = select(ACCESS).where(ACCESS.c.id == key_id)
        row = await self._database.read(lambda connection: connection.execute(wanted).mappings().first())
        return None if row is None else dict(row)

    async def add(
        self, scopes: Iterable[AccessScope], owner: str, label: str = "", lifetime: timedelta | None = None
    ) -> tuple[AccessKey, SecretStr]:
        """Makes a key. The secret is nowhere else: who loses it makes another one. StorageUnavailable."""
        made, now = new_secret(), datetime.now(UTC)
        key = AccessKey(
            id=made.id, owner=owner, label=label, scopes=frozenset(scopes), made_at=now,
            expires_at=None if lifetime is None else now + lifetime,
        )  # fmt: skip
        row = {
            **key.model_dump(mode="json", exclude={"scopes"}), "scopes": " ".join(sorted(key.scopes)),
            "digest": made.digest,
        }  # fmt: skip
        await self._writer.submit(lambda connection: connection.execute(insert(ACCESS).values(row)) and None)
        return key, made.shown

    async def known(self) -> tuple[AccessKey, ...]:
        """Every key, the oldest first, also those that let nobody in any more. StorageUnavailable."""
        return await self._writer.submit(_known)

    async def revoke(self, prefix: str) -> AccessKey:
        """Ends the key whose id begins so, at once and for good; UnknownKey when that is none, or more than one."""
        return await self._writer.submit(lambda connection: _revoke(connection, prefix))


def _known(connection: Connection) -> tuple[AccessKey, ...]:
    rows = connection.execute(select(ACCESS).order_by(ACCESS.c.made_at, ACCESS.c.id)).mappings()
    return tuple(_key(dict(row)) for row in rows)


def _revoke(connection: Connection, prefix: str) -> AccessKey:
    found = [key for key in _known(connection) if prefix and key.id.startswith(prefix)]
    if len(found) != 1:
        raise UnknownKey("No access key, or more than one, has an id that begins so. See: soundstage access list")
    (key,) = found
    if key.revoked_at is None:
        connection.execute(update(ACCESS).where(ACCESS.c.id == key.id).values(revoked_at=timestamp()))
    return next(one for one in _known(connection) if one.id == key.id)


def _key(row: dict[str, Any]) -> AccessKey:
    del row["digest"]
    return AccessKey.model_validate({**row, "scopes": row["scopes"].split()})
