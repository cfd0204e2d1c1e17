"""The response cache in the database."""

from pydantic import Field, ValidationError
from sqlalchemy import Connection, delete, func, insert, select, update

from domain.base import Value
from domain.reply_cache import KnownReply
from storage.clock import timestamp
from storage.database import Database
from storage.tables import ReplyRow, table
from storage.writer import Writer

REPLY = table(ReplyRow)
ROW_BYTES = 250
"""About what a row takes besides the reply: the key twice, the owner, two times."""

KEPT_WHEN_FULL = 0.9
"""The part that is left when room is made, so that it is not made at each reply."""


class CacheLimits(Value):
    """How much is kept, in bytes, and for how long, in seconds."""

    most_bytes: int = Field(default=64 * 2**20, gt=0)
    longest_s: float = Field(default=7 * 86_400.0, gt=0)


class SqlReplyCache:
    """Keeps replies through the writer, and makes room by dropping those that were not used for the longest time.

    When a reply was used is written down with the next one that is kept: a hit writes nothing.
    """

    def __init__(self, database: Database, writer: Writer, limits: CacheLimits | None = None) -> None:
        self._database = database
        self._writer = writer
        self._limits = limits or CacheLimits()
        self._used: dict[str, str] = {}
        self._room = 0

    async def find(self, key: str) -> KnownReply | None:
        """The reply, unless it is too old. StorageUnavailable."""
        wanted = select(REPLY.c.reply).where(REPLY.c.key == key, REPLY.c.made_at > self._oldest())
        text = await self._database.read(lambda connection: connection.execute(wanted).scalar())
        if text is None:
            return None
        self._used[key] = timestamp()
        try:
            return KnownReply.model_validate_json(text)
        except ValidationError:
            # Another version of Soundstage wrote it; it goes when its time has come.
            return None

    async def keep(self, key: str, owner: str, reply: KnownReply) -> None:
        """Keeps the reply, durably. StorageUnavailable."""
        text = reply.model_dump_json()
        size = len(text.encode()) + ROW_BYTES
        if size > self._limits.most_bytes:
            return
        now = timestamp()
        row = {"key": key, "owner": owner, "reply": text, "size": size, "made_at": now, "used_at": now}
        used, self._used = self._used, {}

        def write(connection: Connection) -> None:
            for hit, at in used.items():
                connection.execute(update(REPLY).where(REPLY.c.key == hit, REPLY.c.used_at < at).values(used_at=at))
            connection.execute(delete(REPLY).where(REPLY.c.key == key))
            connection.execute(insert(REPLY).values(row))
            self._tidy(connection, key, size)

        await self._writer.submit(write)

    def _tidy(self, connection: Connection, key: str, size: int) -> None:
        connection.execute(delete(REPLY).where(REPLY.c.made_at <= self._oldest()))
        self._room -= size
        if self._room < 0:
            self._make_room(connection, key)

    def _make_room(self, connection: Connection, newest: str) -> None:
        """Measures what is kept and drops the oldest of it. Other processes add, too: so it is measured often."""
        most = self._limits.most_bytes
        if _size(connection) > most:
            upto = func.sum(REPLY.c.size).over(order_by=(REPLY.c.used_at.desc(), REPLY.c.key.desc()))
            sums = select(REPLY.c.key, upto.label("size")).subquery()
            beyond = select(sums.c.key).where(sums.c.size > most * KEPT_WHEN_FULL, sums.c.key != newest)
            connection.execute(delete(REPLY).where(REPLY.c.key.in_(beyond)))
        self._room = min(most - _size(connection), most // 16)

    def _oldest(self) -> str:
        return timestamp(-self._limits.longest_s)


def _size(connection: Connection) -> int:
    return connection.execute(select(func.sum(REPLY.c.size))).scalar() or 0
