"""The ledger: what may be spent, and what was."""

from enum import StrEnum
from typing import Protocol

from pydantic import Field

from domain.base import Value
from domain.chat import Usage
from domain.money import FREE, NanoUsd
from domain.task import LOCAL_OWNER


class Scope(Value):
    """A budget's place in the hierarchy, such as ``task:abc`` under ``user:local`` under ``day:2026-11-21``."""

    id: str
    parent: str | None = None
    cap: NanoUsd | None = None
    token_cap: int | None = None


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


class Ledger(Protocol):
    """Reserves before a send and settles after it, exactly once each."""

    async def open(self, scope: Scope) -> None:
        """Makes a scope, or changes the caps of one that is there. The parent must be there."""
        ...

    async def reserve(self, attempt: Attempt) -> None:
        """Holds the attempt's amounts in its scope and all above it; BudgetExceeded when one cannot bear them."""
        ...

    async def settle(self, settlement: Settlement) -> None:
        """Turns a reservation into a ledger entry. The same settlement again changes nothing."""
        ...

    async def spending(self, scope_id: str) -> Spending:
        """A scope's state; zeros for one that is not there."""
        ...
