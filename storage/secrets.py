"""API keys in the database, encrypted."""

import json
from datetime import datetime
from typing import Any

from pydantic import SecretStr
from sqlalchemy import ColumnElement, Connection, LargeBinary, Row, Select, cast, delete, insert, select, update

from domain.errors import Conflict, SecretDamaged, UnknownKey
from domain.secrets import KeySource, ProviderKey, Rotation, StoredKey
from storage.clock import timestamp
from storage.database import Database
from storage.master_keys import MasterKeys, MasterKeySource, Sealed
from storage.tables import ProviderKeyRow, table
from storage.writer import Writer

KEY = table(ProviderKeyRow)
KNOWN: tuple[ColumnElement[Any], ...] = (
    KEY.c.id,
    KEY.c.provider,
    KEY.c.label,
    KEY.c.last4,
    KEY.c.added_at,
    KEY.c.master_key_id,
)
# As bytes, whatever somebody has put there.
SEALED = tuple(cast(KEY.c[name], LargeBinary).label(name) for name in ("nonce", "ciphertext"))


class SqlKeyStore:
    """Implements ``domain.secrets.KeyStore``.

    Whatever needs the master key runs in the writer: its transaction keeps other processes from changing the key
    between the look at the key and the look at the rows.
    """

    def __init__(self, database: Database, writer: Writer, master: MasterKeySource) -> None:
        self._database = database
        self._writer = writer
        self._master = master

    async def add(self, key: ProviderKey) -> StoredKey:
        """Keeps a key; the first one makes the master key. Conflict, SecretsUnavailable, StorageUnavailable."""
        return await self._writer.submit(lambda connection: self._add(connection, key))

    def _add(self, connection: Connection, key: ProviderKey) -> StoredKey:
        if connection.execute(select(KEY.c.id).where(KEY.c.id == key.id)).first() is not None:
            raise Conflict(f"The key {key.id} of {key.provider} is kept already. Remove it first to add it anew.")
        # A master key that is lost is not replaced silently: what it encrypted would be lost with it.
        some = connection.execute(select(KEY.c.id)).first() is not None
        master = self._master.present() if some else self._master.made()
        sealed = master.seal(key.secret.get_secret_value(), _about(key.id, key.provider))
        row = {
            "id": key.id,
            "provider": key.provider,
            "label": key.label,
            "last4": key.last4,
            "added_at": timestamp(),
            **sealed._asdict(),
        }
        connection.execute(insert(KEY).values(row))
        return from_row(connection.execute(select(*KNOWN).where(KEY.c.id == key.id)).one())

    async def known(self, provider: str | None = None) -> tuple[StoredKey, ...]:
        """What is known of the keys, the oldest first."""
        rows = await self._database.read(lambda connection: connection.execute(_wanted(provider)).all())
        return tuple(map(from_row, rows))

    async def opened(self, provider: str | None = None) -> tuple[ProviderKey, ...]:
        """The keys themselves, the oldest first. SecretsUnavailable."""
        if not await self.known(provider):
            return ()
        return await self._writer.submit(lambda connection: self._opened(connection, provider))

    def _opened(self, connection: Connection, provider: str | None) -> tuple[ProviderKey, ...]:
        master = self._master.present()
        return tuple(
            ProviderKey(
                id=row.id, provider=row.provider, secret=SecretStr(secret), label=row.label, source=KeySource.STORED
            )
            for row, secret in _unsealed(connection, master, provider)
        )

    async def remove(self, prefix: str) -> StoredKey:
        """Forgets a key; needs no master key. UnknownKey."""
        return await self._writer.submit(lambda connection: _remove(connection, prefix))

    async def rotate(self) -> Rotation:
        """Encrypts every key under a new master key, or under the first one in the environment.

        The old master keys are given up only when the rows that no longer need them are durable.
        """
        rotation = await self._writer.submit(self._rotate)
        await self._writer.submit(self._forget)
        return rotation

    def _rotate(self, connection: Connection) -> Rotation:
        found = _unsealed(connection, self._master.present(), None)
        master = self._master.renewed()
        stale = [(row, secret) for row, secret in found if row.master_key_id != master.newest]
        for row, secret in stale:
            sealed = master.seal(secret, _about(row.id, row.provider))
            connection.execute(update(KEY).where(KEY.c.id == row.id).values(**sealed._asdict()))
        return Rotation(changed=len(stale), total=len(found), master_key_id=master.newest)

    def _forget(self, connection: Connection) -> None:
        self._master.forget_all_but(set(connection.execute(select(KEY.c.master_key_id)).scalars()))


def _wanted(provider: str | None, *columns: ColumnElement[Any]) -> Select[Any]:
    wanted = select(*KNOWN, *columns).order_by(KEY.c.added_at, KEY.c.id)
    return wanted if provider is None else wanted.where(KEY.c.provider == provider)


def _about(key_id: str, provider: str) -> bytes:
    """What an encrypted key belongs to: moved to another row, it can no longer be decrypted."""
    return json.dumps(["soundstage provider key 1", provider, key_id]).encode()


def _unsealed(connection: Connection, master: MasterKeys, provider: str | None) -> list[tuple[Row[Any], str]]:
    found = []
    for row in connection.execute(_wanted(provider, *SEALED)).all():
        try:
            secret = master.unseal(Sealed(row.master_key_id, row.nonce, row.ciphertext), _about(row.id, row.provider))
        except SecretDamaged:
            raise SecretDamaged(
                f"The key {row.id} of {row.provider} was changed after it was encrypted. Remove it (soundstage keys "
                f"remove {row.id}), find out who writes to the database, and add the key anew."
            ) from None
        found.append((row, secret))
    return found


def _remove(connection: Connection, prefix: str) -> StoredKey:
    wanted = select(*KNOWN).where(KEY.c.id.startswith(prefix, autoescape=True)).limit(2)
    rows = connection.execute(wanted).all()
    if not prefix or len(rows) != 1:
        # What was given for an id may be a key, so it is not repeated.
        what = "The ids of several keys begin so" if prefix and rows else "There is no key with that id"
        raise UnknownKey(f"{what}. List the keys with: soundstage keys list")
    connection.execute(delete(KEY).where(KEY.c.id == rows[0].id))
    return from_row(rows[0])


def from_row(row: Row[Any]) -> StoredKey:
    """What is known of the key in a row."""
    return StoredKey(
        id=row.id,
        provider=row.provider,
        label=row.label,
        last4=row.last4,
        added_at=datetime.fromisoformat(row.added_at),
        master_key_id=row.master_key_id,
    )
