"""What one transaction does to budgets, reservations and the ledger.

Every call of a model passes here twice, so these are statements of the driver, as few as the work needs.
"""

from functools import cache
from typing import Any, NoReturn

from sqlalchemy import Connection

from domain.chat import Usage
from domain.errors import BudgetExceeded, Conflict
from domain.ledger import ALERT_SHARE, Attempt, AttemptOutcome, BudgetAlert, Settlement, Spending
from domain.money import NanoUsd, format_usd
from storage.clock import timestamp
from storage.writer import driver_cursor

Chains = dict[str, tuple[str, ...]]
"""A scope and all above it, by the scope's id. A parent never changes, so what was read once stays true."""

MAX_CHAINS = 10_000

CHAIN = """
WITH RECURSIVE chain(scope, parent, depth) AS (
    SELECT scope, parent, 0 FROM budget WHERE scope = ?
    UNION ALL
    SELECT above.scope, above.parent, chain.depth + 1 FROM budget above JOIN chain ON above.scope = chain.parent
) SELECT scope FROM chain ORDER BY depth
"""
STATE = "scope, cap, token_cap, reserved + settled, reserved_tokens + settled_tokens"
RESERVE = """
INSERT INTO reservation (attempt_id, owner, scope, reserved, reserved_tokens, attempt, reserved_at, expires_at)
SELECT ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM ledger WHERE attempt_id = ?)
ON CONFLICT DO NOTHING
"""
RELEASE = "DELETE FROM reservation WHERE attempt_id = ? RETURNING attempt"
LEDGER_COLUMNS = (
    "attempt_id", "owner", "task_id", "subtask_id", "specialist", "purpose", "provider", "model", "key_id", "outcome",
    "input_tokens", "cached_tokens", "cache_write_tokens", "output_tokens", "reasoning_tokens", "estimated", "priced",
    "cost", "overrun", "latency_s", "first_token_s", "cache_hit", "error", "settled_at",
)  # fmt: skip
ENTER = f"INSERT INTO ledger ({', '.join(LEDGER_COLUMNS)}) VALUES ({', '.join('?' * len(LEDGER_COLUMNS))})"  # noqa: S608 - names of ours


@cache
def _hold(scopes: int) -> str:
    return f"""
UPDATE budget SET reserved = reserved + ?, reserved_tokens = reserved_tokens + ?
WHERE scope IN ({", ".join("?" * scopes)})
  AND (cap IS NULL OR reserved + settled + ? <= cap)
  AND (token_cap IS NULL OR reserved_tokens + settled_tokens + ? <= token_cap)
RETURNING {STATE}
"""  # noqa: S608 - marks for parameters


@cache
def _spend(scopes: int) -> str:
    return f"""
UPDATE budget SET reserved = reserved - ?, settled = settled + ?,
  reserved_tokens = reserved_tokens - ?, settled_tokens = settled_tokens + ?
WHERE scope IN ({", ".join("?" * scopes)})
"""  # noqa: S608 - marks for parameters


class Books:
    """The books, open in a transaction. What raises leaves the undoing to the transaction."""

    def __init__(self, connection: Connection, chains: Chains) -> None:
        self._cursor = driver_cursor(connection)
        self._chains = chains

    def reserve(self, attempt: Attempt) -> tuple[BudgetAlert, ...]:
        """Holds the attempt's amounts. BudgetExceeded; Conflict for an id that stands for another attempt."""
        chain = self._chain(attempt.scope)
        told = attempt.model_dump_json()
        amounts = (attempt.reserved, attempt.reserved_tokens)
        times = (timestamp(), timestamp(attempt.expires_s))
        self._cursor.execute(RESERVE, (attempt.id, attempt.owner, attempt.scope, *amounts, told, *times, attempt.id))
        if self._cursor.rowcount == 0:
            self._check_repeated(attempt.id, told)
            return ()
        held = self._cursor.execute(_hold(len(chain)), (*amounts, *chain, *amounts)).fetchall()
        if len(held) < len(chain):
            self._refuse(attempt, chain, {row[0] for row in held})
        return tuple(alert for row in held for alert in _alerts(*row))

    def settle(self, settlement: Settlement) -> None:
        """Turns a reservation into an entry. Once more does nothing; Conflict when there never was a reservation."""
        released = self._cursor.execute(RELEASE, (settlement.attempt_id,)).fetchone()
        if released is None:
            if not self._entered(settlement.attempt_id):
                raise Conflict(f"Attempt {settlement.attempt_id} was never reserved, so it cannot be settled.")
            return
        attempt = Attempt.model_validate_json(released[0])
        chain = self._chain(attempt.scope)
        money, tokens = (attempt.reserved, settlement.cost), (attempt.reserved_tokens, settlement.usage.total_tokens)
        self._cursor.execute(_spend(len(chain)), (*money, *tokens, *chain))
        self.enter(attempt, settlement)

    def enter(self, attempt: Attempt, settlement: Settlement) -> None:
        """Adds an entry, which touches no budget."""
        self._cursor.execute(ENTER, _entry(attempt, settlement))

    def spending(self, scope: str) -> Spending:
        """A scope's state; zeros for one that is not there."""
        amounts = "reserved, settled, reserved_tokens, settled_tokens"
        found = self._cursor.execute(f"SELECT {amounts} FROM budget WHERE scope = ?", (scope,)).fetchone()  # noqa: S608 - names of ours
        if found is None:
            return Spending()
        return Spending(reserved=found[0], settled=found[1], reserved_tokens=found[2], settled_tokens=found[3])

    def settle_abandoned(self) -> int:
        """Settles what expired at what it reserved. Returns how many."""
        expired = self._cursor.execute(
            "SELECT attempt_id, reserved, reserved_tokens FROM reservation WHERE expires_at < ?", (timestamp(),)
        ).fetchall()
        for attempt_id, reserved, tokens in expired:
            self.settle(
                Settlement(
                    attempt_id=attempt_id,
                    outcome=AttemptOutcome.ABANDONED,
                    usage=Usage(input_tokens=tokens, estimated=True),
                    cost=NanoUsd(reserved),
                    error="the process that made the call ended before it was settled",
                )
            )
        return len(expired)

    def _chain(self, scope: str) -> tuple[str, ...]:
        chain = self._chains.get(scope)
        if chain is None:
            chain = tuple(row[0] for row in self._cursor.execute(CHAIN, (scope,)))
            if not chain:
                raise Conflict(f"The budget scope {scope} does not exist. Open it before the first call.")
            if len(self._chains) >= MAX_CHAINS:
                self._chains.clear()
            self._chains[scope] = chain
        return chain

    def _entered(self, attempt_id: str) -> bool:
        found = self._cursor.execute("SELECT 1 FROM ledger WHERE attempt_id = ?", (attempt_id,)).fetchone()
        return found is not None

    def _check_repeated(self, attempt_id: str, told: str) -> None:
        if self._entered(attempt_id):
            raise Conflict(f"Attempt {attempt_id} was already made and settled. Use a new id.")
        known = self._cursor.execute("SELECT attempt FROM reservation WHERE attempt_id = ?", (attempt_id,)).fetchone()
        if known != (told,):
            raise Conflict(f"Attempt {attempt_id} is already reserved, with other amounts.")

    def _refuse(self, attempt: Attempt, chain: tuple[str, ...], held: set[str]) -> NoReturn:
        narrow = next(scope for scope in chain if scope not in held)
        found = self._cursor.execute(f"SELECT {STATE} FROM budget WHERE scope = ?", (narrow,)).fetchone()  # noqa: S608 - names of ours
        if found is None:
            raise Conflict(f"The budget scope {narrow} does not exist. Open it before the first call.")
        scope, cap, token_cap, used, used_tokens = found
        if cap is not None and used + attempt.reserved > cap:
            raise BudgetExceeded(
                f"The next model call may cost {format_usd(attempt.reserved)}, and {scope} has "
                f"{format_usd(NanoUsd(max(0, cap - used)))} of {format_usd(cap)} left, so it was not made. "
                f"Raise the budget with {_remedy(scope)}.",
                scope=scope,
            )
        raise BudgetExceeded(
            f"The next model call may use {attempt.reserved_tokens} tokens, and {scope} has "
            f"{max(0, token_cap - used_tokens)} of {token_cap} left, so it was not made. "
            "Raise the limit with --max-tokens.",
            scope=scope,
            tokens=True,
        )


def _remedy(scope: str) -> str:
    kind = scope.partition(":")[0]
    return f"SOUNDSTAGE_{kind.upper()}_BUDGET_USD" if kind in {"subtask", "day", "user"} else "--budget-usd"


def _alerts(scope: str, cap: int | None, token_cap: int | None, used: int, used_tokens: int) -> list[BudgetAlert]:
    both = ((cap, used, False), (token_cap, used_tokens, True))
    return [
        BudgetAlert(scope=scope, used=amount, cap=most, tokens=tokens)
        for most, amount, tokens in both
        if most is not None and amount > ALERT_SHARE * most
    ]


def _entry(attempt: Attempt, settlement: Settlement) -> tuple[Any, ...]:
    usage = settlement.usage
    return (
        attempt.id, attempt.owner, attempt.task_id, attempt.subtask_id, attempt.specialist, attempt.purpose,
        attempt.provider, attempt.model, attempt.key_id, settlement.outcome.value,
        usage.input_tokens, usage.cached_tokens, usage.cache_write_tokens, usage.output_tokens, usage.reasoning_tokens,
        usage.estimated, attempt.priced, settlement.cost, max(0, settlement.cost - attempt.reserved),
        settlement.latency_s, settlement.first_token_s, settlement.cache_hit, settlement.error, timestamp(),
    )  # fmt: skip
