import sqlite3
from datetime import date

import pytest

from domain.chat import Usage
from domain.costs import CostGrouping, CostLine, CostQuery
from domain.ledger import Attempt, AttemptOutcome, Scope, Settlement
from domain.money import NanoUsd
from storage.costs import SqlCosts
from storage.database import Database
from storage.ledger import SqlLedger

USAGE = Usage(input_tokens=100, cached_tokens=40, cache_write_tokens=20, output_tokens=10, reasoning_tokens=5)
BY_MODEL = CostQuery(by=CostGrouping.MODEL)
ATTEMPT = Attempt(
    id="", scope="s", task_id="t", subtask_id="", specialist="code", purpose="work", provider="openai",
    model="gpt-5-mini", reserved=NanoUsd(0), reserved_tokens=0,
)  # fmt: skip


class Spender:
    """Makes attempts in a real ledger."""

    def __init__(self, ledger: SqlLedger) -> None:
        self._ledger = ledger
        self._count = 0

    async def spend(self, settlement: Settlement, **columns: str | bool) -> None:
        """One attempt that ends so; ``columns`` say what is special about it."""
        self._count += 1
        attempt = ATTEMPT.model_copy(update={**columns, "id": f"a{self._count}"})
        await self._ledger.open(Scope(id="s"))
        await self._ledger.reserve(attempt)
        await self._ledger.settle(settlement.model_copy(update={"attempt_id": attempt.id}))


def ended(cost: int, outcome: AttemptOutcome = AttemptOutcome.OK, estimated: bool = False) -> Settlement:
    usage = USAGE.model_copy(update={"estimated": estimated})
    return Settlement(attempt_id="", outcome=outcome, usage=usage, cost=NanoUsd(cost))


@pytest.fixture
def costs(database: Database) -> SqlCosts:
    return SqlCosts(database)


@pytest.fixture
def spender(ledger: SqlLedger) -> Spender:
    return Spender(ledger)


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        (CostGrouping.MODEL, ["groq/openai/gpt-oss-20b", "openai/gpt-5-mini"]),
        (CostGrouping.PROVIDER, ["groq", "openai"]),
        (CostGrouping.TASK, ["t2", "t"]),
        (CostGrouping.SPECIALIST, ["", "code"]),
        (CostGrouping.USER, ["ann", "local"]),
        (CostGrouping.PURPOSE, ["plan", "work"]),
    ],
)
async def test_attempts_are_added_up_by_what_they_have_in_common_with_the_dearest_first(
    costs: SqlCosts, spender: Spender, by: CostGrouping, keys: list[str]
) -> None:
    await spender.spend(ended(10))
    other = {"provider": "groq", "model": "openai/gpt-oss-20b", "task_id": "t2"}
    await spender.spend(ended(2**40), specialist="", owner="ann", purpose="plan", **other)
    await spender.spend(ended(2**41), specialist="", owner="ann", purpose="plan", **other)

    lines = await costs.read(CostQuery(by=by))

    assert [line.key for line in lines] == keys
    assert [(line.cost, line.attempts) for line in lines] == [(2**40 + 2**41, 2), (10, 1)]


async def test_a_line_tells_failures_tokens_estimates_and_calls_without_a_price(
    costs: SqlCosts, spender: Spender
) -> None:
    await spender.spend(ended(1))
    await spender.spend(ended(2, AttemptOutcome.FAILED))
    await spender.spend(ended(3, AttemptOutcome.ABANDONED, estimated=True))
    await spender.spend(ended(4, AttemptOutcome.CANCELLED, estimated=True))
    await spender.spend(ended(0), priced=False)

    (line,) = await costs.read(BY_MODEL)

    assert line == CostLine(
        key="openai/gpt-5-mini", attempts=5, failed=2, input_tokens=500, cached_tokens=200, cache_write_tokens=100,
        output_tokens=50, reasoning_tokens=25, cost=NanoUsd(10), unpriced=1, estimated=2,
    )  # fmt: skip


async def test_a_call_that_was_answered_from_the_cache_is_a_hit_and_no_attempt(
    costs: SqlCosts, spender: Spender, ledger: SqlLedger
) -> None:
    await spender.spend(ended(1))
    hit = Settlement(attempt_id="", outcome=AttemptOutcome.OK, cache_hit=True)
    for number in range(2):
        await ledger.enter(ATTEMPT.model_copy(update={"id": f"h{number}"}), hit)

    (line,) = await costs.read(BY_MODEL)

    assert (line.attempts, line.hits, line.cost, line.input_tokens) == (1, 2, 1, 100)


async def test_days_are_those_of_utc_in_their_order_and_both_ends_count(
    costs: SqlCosts, spender: Spender, stranger: sqlite3.Connection
) -> None:
    times = ("20T23:59:59.999999", "21T00:00:00.000000", "21T23:59:59.999999", "22T00:00:00.000000")
    for number, time in enumerate(times, start=1):
        await spender.spend(ended(10 - number))
        settled = (f"2026-11-{time}+00:00", f"a{number}")
        stranger.execute("UPDATE ledger SET settled_at = ? WHERE attempt_id = ?", settled)

    async def days(since: date | None = None, until: date | None = None) -> list[tuple[str, int]]:
        lines = await costs.read(CostQuery(by=CostGrouping.DAY, since=since, until=until))
        return [(line.key, line.attempts) for line in lines]

    assert await days() == [("2026-11-20", 1), ("2026-11-21", 2), ("2026-11-22", 1)]
    assert await days(since=date(2026, 11, 21)) == [("2026-11-21", 2), ("2026-11-22", 1)]
    assert await days(until=date(2026, 11, 21)) == [("2026-11-20", 1), ("2026-11-21", 2)]
    assert await days(date(2026, 11, 21), date(2026, 11, 21)) == [("2026-11-21", 2)]
    assert await days(date.min, date.max) == await days()


async def test_one_task_is_added_up_alone(costs: SqlCosts, spender: Spender) -> None:
    await spender.spend(ended(1))
    await spender.spend(ended(2), task_id="other")

    (line,) = await costs.read(CostQuery(by=CostGrouping.MODEL, task_id="other"))

    assert (line.attempts, line.cost) == (1, 2)


async def test_an_empty_ledger_has_no_lines(costs: SqlCosts) -> None:
    assert await costs.read(BY_MODEL) == ()
