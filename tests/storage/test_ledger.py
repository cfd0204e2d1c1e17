import asyncio
import sqlite3

import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from domain.errors import BudgetExceeded, Conflict, SoundstageError
from domain.ledger import AttemptOutcome, BudgetAlert, Scope, Spending
from domain.money import NanoUsd
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer
from tests.storage.ledger_machine import LedgerMachine, attempt, settlement


@pytest.fixture
async def chain(ledger: SqlLedger) -> None:
    """A task below a user, with caps."""
    await ledger.open(Scope(id="user", cap=NanoUsd(150)))
    await ledger.open(Scope(id="task", parent="user", cap=NanoUsd(100), token_cap=1000))


def entries(stranger: sqlite3.Connection) -> list[sqlite3.Row]:
    return stranger.execute("SELECT * FROM ledger ORDER BY rowid").fetchall()


def reservations(stranger: sqlite3.Connection) -> int:
    return int(stranger.execute("SELECT count(*) FROM reservation").fetchone()[0])


def test_in_any_interleaving_and_crash_caps_hold_nothing_is_leaked_and_the_ledger_is_what_the_budgets_say() -> None:
    # Thirty steps can be read as they are; to find fewer of them takes minutes.
    phases = set(Phase) - {Phase.shrink, Phase.explain}
    often = settings(deadline=None, max_examples=40, stateful_step_count=30, phases=phases)
    run_state_machine_as_test(LedgerMachine, settings=often)


@pytest.mark.usefixtures("chain")
async def test_of_many_at_once_in_two_processes_exactly_as_many_are_granted_as_the_cap_can_bear(
    ledger: SqlLedger, database: Database
) -> None:
    other = Database(database.path)
    writer = Writer(other.writer)
    ledgers = [ledger, SqlLedger(writer)]
    tries = [ledgers[number % 2].reserve(attempt(number, "task", 7, 1)) for number in range(60)]

    answers = await asyncio.gather(*tries, return_exceptions=True)
    await writer.close()
    await other.close()

    refused = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [type(answer) for answer in refused] == [BudgetExceeded] * (60 - 100 // 7)
    assert (await ledger.spending("task")).reserved == 98
    assert (await ledger.spending("user")).reserved == 98


@pytest.mark.usefixtures("chain")
async def test_an_overrun_is_recorded_and_counts_against_the_next_attempt(
    ledger: SqlLedger, stranger: sqlite3.Connection
) -> None:
    await ledger.reserve(attempt(1, "task", 60, 10))
    await ledger.settle(settlement(1, 130, 10))

    with pytest.raises(BudgetExceeded, match=r"task has \$0\.0000 of \$0\.000000100 left"):
        await ledger.reserve(attempt(2, "task", 0, 0))

    (entry,) = entries(stranger)
    assert (entry["cost"], entry["overrun"]) == (130, 70)
    assert await ledger.spending("user") == Spending(settled=NanoUsd(130), settled_tokens=10)
    with pytest.raises(BudgetExceeded, match="user has"):
        await ledger.reserve(attempt(3, "user", 21, 0))


@pytest.mark.usefixtures("chain")
async def test_a_token_budget_stops_a_model_without_a_price(ledger: SqlLedger) -> None:
    await ledger.reserve(attempt(1, "task", 0, 900))

    with pytest.raises(BudgetExceeded, match="100 of 1000 left") as raised:
        await ledger.reserve(attempt(2, "task", 0, 101))

    assert raised.value.scope == "task"
    await ledger.reserve(attempt(3, "task", 0, 100))


@pytest.mark.usefixtures("chain")
async def test_a_reservation_tells_of_every_cap_of_which_little_is_left(ledger: SqlLedger) -> None:
    assert await ledger.reserve(attempt(1, "task", 80, 800)) == ()
    (money,) = await ledger.reserve(attempt(2, "task", 1, 0))
    (_, tokens) = await ledger.reserve(attempt(3, "task", 0, 1))

    assert money == BudgetAlert(scope="task", used=81, cap=100)
    assert tokens == BudgetAlert(scope="task", used=801, cap=1000, tokens=True)
    assert str(money) == "task has used or holds $0.000000081 of $0.000000100"
    assert str(tokens) == "task has used or holds 801 of 1,000 tokens"


@pytest.mark.usefixtures("chain")
async def test_each_attempt_has_one_entry_however_often_it_is_settled(
    ledger: SqlLedger, stranger: sqlite3.Connection
) -> None:
    await ledger.reserve(attempt(1, "task", 50, 10))
    await asyncio.gather(*(ledger.settle(settlement(1, 40, 8)) for _ in range(5)))

    (entry,) = entries(stranger)
    assert (entry["attempt_id"], entry["cost"], entry["input_tokens"], entry["overrun"]) == ("a1", 40, 8, 0)
    assert reservations(stranger) == 0
    assert await ledger.spending("task") == Spending(settled=NanoUsd(40), settled_tokens=8)


@pytest.mark.usefixtures("chain")
async def test_an_attempt_that_is_settled_cannot_be_reserved_again(
    ledger: SqlLedger, stranger: sqlite3.Connection
) -> None:
    await ledger.reserve(attempt(1, "task", 50, 10))
    await ledger.settle(settlement(1, 40, 8))

    with pytest.raises(Conflict):
        await ledger.reserve(attempt(1, "task", 50, 10))

    assert reservations(stranger) == 0
    assert (await ledger.spending("task")).reserved == 0


@pytest.mark.usefixtures("chain")
async def test_an_id_stands_for_one_attempt_and_a_settlement_needs_one(ledger: SqlLedger) -> None:
    await ledger.reserve(attempt(1, "task", 50, 10))

    with pytest.raises(Conflict, match="other amounts"):
        await ledger.reserve(attempt(1, "task", 51, 10))
    with pytest.raises(Conflict, match="never reserved"):
        await ledger.settle(settlement(2, 1, 1))
    assert (await ledger.spending("task")).reserved == 50


@pytest.mark.usefixtures("chain")
async def test_what_a_dead_process_reserved_is_settled_at_that_amount_and_what_is_under_way_stays(
    ledger: SqlLedger, stranger: sqlite3.Connection
) -> None:
    await ledger.reserve(attempt(1, "task", 50, 10, expires_s=1e-6))
    await ledger.reserve(attempt(2, "task", 20, 5))

    assert await ledger.settle_abandoned() == 1
    assert await ledger.settle_abandoned() == 0

    (entry,) = entries(stranger)
    assert (entry["attempt_id"], entry["outcome"], entry["cost"]) == ("a1", AttemptOutcome.ABANDONED, 50)
    assert (entry["input_tokens"], entry["estimated"]) == (10, 1)
    assert await ledger.spending("user") == Spending(
        reserved=NanoUsd(20), settled=NanoUsd(50), reserved_tokens=5, settled_tokens=10
    )
    await ledger.settle(settlement(1, 1, 1))
    assert len(entries(stranger)) == 1


@pytest.mark.usefixtures("chain")
async def test_an_entry_names_the_key_and_tells_whether_the_answer_was_known(
    ledger: SqlLedger, stranger: sqlite3.Connection
) -> None:
    await ledger.reserve(attempt(1, "task", 1, 1).model_copy(update={"key_id": "0123456789ab"}))
    await ledger.settle(settlement(1, 0, 0).model_copy(update={"cache_hit": True}))
    await ledger.reserve(attempt(2, "task", 1, 1))
    await ledger.settle(settlement(2, 1, 1))

    assert [(row["key_id"], row["cache_hit"]) for row in entries(stranger)] == [("0123456789ab", 1), ("", 0)]


async def test_a_scope_needs_its_parent_and_keeps_it(ledger: SqlLedger) -> None:
    await ledger.open(Scope(id="user"))
    await ledger.open(Scope(id="task", parent="user"))

    with pytest.raises(Conflict, match="already below user"):
        await ledger.open(Scope(id="task", parent=None))
    with pytest.raises(SoundstageError):
        await ledger.open(Scope(id="orphan", parent="nobody"))
    with pytest.raises(Conflict, match="does not exist"):
        await ledger.reserve(attempt(1, "orphan", 1, 1))
    assert await ledger.spending("orphan") == Spending()


async def test_a_scope_cannot_be_its_own_parent(ledger: SqlLedger) -> None:
    """Else whoever walks up the chain never arrives."""
    with pytest.raises(SoundstageError):
        await ledger.open(Scope(id="ring", parent="ring"))
