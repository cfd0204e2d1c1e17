"""The ledger: what may be spent, and what was."""

from collections.abc import Awaitable
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from domain.base import Value
from domain.chat import Usage
from domain.money import FREE, NanoUsd, format_usd
from domain.task import LOCAL_OWNER


class Scope(Value):
    """A budget's place in the hierarchy, such as ``task:abc`` under ``user:local`` under ``day:2026-11-21``."""

    id: str
    parent: str | None = None
    cap: NanoUsd | None = None
    token_cap: int | None = None


class Caps(Value):
    """What may be spent in nano-USD, besides what a task's own limits say; None is without limit."""

    subtask: NanoUsd | None = None
    day: NanoUsd | None = None
    user: NanoUsd | None = None


class Attempt(Value):
    """One physical send to a provider, before it is made. ``key_id`` names the API key; empty where there is none."""

    id: str
    scope: str
    task_id: str
    subtask_id: str
    owner: str = LOCAL_OWNER
    specialist: str = ""
    purpose: str = ""
    provider: str
    model: str
    key_id: str = ""
    reserved: NanoUsd = Field(ge=0)
    reserved_tokens: int = Field(ge=0)
    priced: bool = True
    expires_s: float = Field(default=900.0, gt=0)


class AttemptOutcome(StrEnum):
    """How a send ended."""

    OK = "ok"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABANDONED = "abandoned"


class Settlement(Value):
    """What a send really cost. ``latency_s`` and ``first_token_s`` are seconds from the send.

    ``cache_hit``: nothing was sent, since the answer was known.
    """

    attempt_id: str
    outcome: AttemptOutcome
    usage: Usage = Usage()
    cost: NanoUsd = FREE
    latency_s: float = 0.0
    first_token_s: float | None = None
    cache_hit: bool = False
    error: str = ""


class Spending(Value):
    """A scope's state: amounts reserved by calls under way, and settled by ended ones."""

    reserved: NanoUsd = FREE
    settled: NanoUsd = FREE
    reserved_tokens: int = 0
    settled_tokens: int = 0


ALERT_SHARE = 0.8
"""The part of a cap whose use is worth a word."""


class BudgetAlert(Value):
    """A scope of which most of a cap is used, or held for calls under way: nano-USD, or tokens where ``tokens``."""

    scope: str
    used: int
    cap: int
    tokens: bool = False

    def __str__(self) -> str:
        used, cap = (f"{self.used:,}", f"{self.cap:,} tokens") if self.tokens else map(_usd, (self.used, self.cap))
        return f"{self.scope} has used or holds {used} of {cap}"


def _usd(amount: int) -> str:
    return format_usd(NanoUsd(amount))


class Ledger(Protocol):
    """Reserves before a send and settles after it, exactly once each."""

    async def open(self, scope: Scope) -> None:
        """Makes a scope, or changes the caps of one that is there. The parent must be there."""
        ...

    def reserve(self, attempt: Attempt) -> Awaitable[tuple[BudgetAlert, ...]]:
        """Holds the attempt's amounts in its scope and all above it; BudgetExceeded when one cannot bear them.

        Returns the scopes of which more than ALERT_SHARE is used or held now.
        """
        ...

    def settle(self, settlement: Settlement) -> Awaitable[None]:
        """Turns a reservation into a ledger entry: in its turn with all that is written, and durably once awaited.

        The same settlement again changes nothing.
        """
        ...

    def enter(self, attempt: Attempt, settlement: Settlement) -> Awaitable[None]:
        """Writes down what cost nothing, and so was not reserved; in its turn, as above."""
        ...

    async def spending(self, scope_id: str) -> Spending:
        """A scope's state; zeros for one that is not there."""
        ...
