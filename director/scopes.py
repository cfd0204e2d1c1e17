"""The budget scopes above every task."""

from datetime import date

from domain.ledger import Caps, Ledger, Scope


async def open_day(ledger: Ledger, owner: str, day: date, caps: Caps) -> str:
    """Opens the scope of a user and the one of a day in UTC below it, both with their caps; the id of the latter."""
    user, scope = f"user:{owner}", f"day:{owner}:{day.isoformat()}"
    await ledger.open(Scope(id=user, cap=caps.user))
    await ledger.open(Scope(id=scope, parent=user, cap=caps.day))
    return scope
