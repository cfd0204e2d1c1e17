"""What the ledger tells of API keys."""

from sqlalchemy import and_, func, or_, select

from domain.errors import ModelAuthenticationFailed, NoCredit
from domain.ledger import AttemptOutcome
from storage.database import Database
from storage.tables import LedgerRow, table

LEDGER = table(LedgerRow)
REFUSED = LEDGER.c.error.in_((ModelAuthenticationFailed.__name__, NoCredit.__name__))


class SqlKeyUses:
    """How the keys fared in the calls that were made with them, read only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def refused(self) -> frozenset[str]:
        """The ids of the keys that their provider did not take when it last answered to them."""
        answered = and_(LEDGER.c.key_id != "", or_(REFUSED, LEDGER.c.outcome == AttemptOutcome.OK))
        last = func.max(LEDGER.c.settled_at).label("at")
        newest = select(LEDGER.c.key_id, last).where(answered).group_by(LEDGER.c.key_id).subquery()
        same = and_(LEDGER.c.key_id == newest.c.key_id, LEDGER.c.settled_at == newest.c.at)
        wanted = select(LEDGER.c.key_id).join(newest, same).where(REFUSED)
        return frozenset(await self._database.read(lambda connection: connection.execute(wanted).scalars().all()))
