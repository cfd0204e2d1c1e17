"""What a ledger may do, as a state machine that Hypothesis drives against the real one."""

import asyncio
import contextlib
import itertools
import shutil
import sqlite3
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import event

from domain.chat import Usage
from domain.errors import BudgetExceeded, Conflict
from domain.ledger import Attempt, AttemptOutcome, Scope, Settlement, Spending
from domain.money import NanoUsd
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer, driver_cursor

CHAINS = {
    "day": ("day",),
    "user": ("user", "day"),
    "task:a": ("task:a", "user", "day"),
    "task:b": ("task:b", "user", "day"),
}
CAPS = st.none() | st.integers(0, 20).map(NanoUsd)
AMOUNTS = st.integers(0, 5)
SCOPES = st.sampled_from(sorted(CHAINS))
DEATHS = st.none() | st.none() | st.integers(0, 12)
"""Before which statement of a change, or of what goes before it, the process is killed; a change has about eight."""

Sums = dict[str, list[int]]
Change = Callable[[SqlLedger], Awaitable[object]]

HELD = "SELECT scope, reserved, 0, reserved_tokens, 0 FROM reservation"
BOOKED = "SELECT task_id, 0, cost, 0, input_tokens + output_tokens FROM ledger"
WITHIN_CAPS = """
SELECT scope FROM budget WHERE (cap IS NULL OR reserved + settled <= cap)
  AND (token_cap IS NULL OR reserved_tokens + settled_tokens <= token_cap)
"""
EXPIRE = "UPDATE reservation SET expires_at = '2000-01-01T00:00:00.000000+00:00' WHERE attempt_id = ?"


def attempt(number: int, scope: str, cost: int, tokens: int, expires_s: float = 900.0) -> Attempt:
    """A send of so much."""
    return Attempt(
        id=f"a{number}",
        scope=scope,
        task_id=scope,
        subtask_id="s",
        provider="p",
        model="m",
        reserved=NanoUsd(cost),
        reserved_tokens=tokens,
        expires_s=expires_s,
    )


def settlement(number: int, cost: int, tokens: int, outcome: AttemptOutcome = AttemptOutcome.OK) -> Settlement:
    """What the send really cost."""
    usage = Usage(input_tokens=tokens)
    return Settlement(attempt_id=f"a{number}", outcome=outcome, usage=usage, cost=NanoUsd(cost))


def add(sums: Sums, scope: str, *amounts: int) -> None:
    """Adds amounts, in the order of Spending, to a scope and all above it."""
    for above in CHAINS[scope]:
        sums[above] = [before + amount for before, amount in zip(sums[above], amounts, strict=True)]


@cache
def empty() -> bytes:
    """The file of a ledger in which nothing is yet."""
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        database = Database(Path(folder, "ledger.db"))
        runner.run(database.prepare())
        runner.run(database.close())
        return database.path.read_bytes()


class Process:
    """A process that has the ledger open, and beside it a stranger's connection that sees what is committed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._database = Database(folder / "ledger.db")
        # What a killed process leaves is looked at without a power cut, so nobody has to wait for the disk.
        event.listen(self._database.writer, "connect", lambda driver, _: driver.execute("PRAGMA synchronous=OFF"))
        self._writer = Writer(self._database.writer)
        self.ledger = SqlLedger(self._writer)
        self.stranger = sqlite3.connect(self._database.path, isolation_level=None)

    async def die(self, change: Change, statements: int, left: Path) -> bool:
        """Is killed before one of the statements of a change, or after them all: tells whether it came so far.

        ``left`` is then a folder with what was on the disk at that moment.
        """
        countdown = itertools.count(statements, -1)

        def watch(_statement: str) -> None:
            if next(countdown) == 0:
                self._leave(left)

        await self._writer.submit(lambda connection: driver_cursor(connection).connection.set_trace_callback(watch))
        try:
            await change(self.ledger)
        finally:
            ended = self._leave(left)
        return ended

    def _leave(self, left: Path) -> bool:
        """What a process leaves that is killed for the first time now."""
        alive = not left.exists()
        if alive:
            shutil.copytree(self._folder, left, ignore=shutil.ignore_patterns("*-shm"))
        return alive

    async def close(self) -> None:
        """Lets go of the files."""
        self.stranger.close()
        await self._writer.close()
        await self._database.close()


class LedgerMachine(RuleBasedStateMachine):
    """The model: sums of what is open and what is settled in each scope, and the caps.

    What is open is settled by its sender, or expires since the sender is dead or late, and is settled as abandoned.
    """

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._lives = itertools.count()
        self._runner = asyncio.Runner()
        first = Path(self._folder.name, str(next(self._lives)))
        first.mkdir()
        (first / "ledger.db").write_bytes(empty())
        self._process = Process(first)
        self._caps: dict[str, tuple[NanoUsd | None, int | None]] = {}
        self._open: dict[int, Attempt] = {}
        self._expired: set[int] = set()
        self._settled: dict[int, Attempt] = {}
        self._sums: Sums = {scope: [0, 0, 0, 0] for scope in CHAINS}
        self._count = 0

    @initialize(caps=st.lists(st.tuples(CAPS, CAPS), min_size=4, max_size=4))
    def prepare(self, caps: list[tuple[NanoUsd | None, NanoUsd | None]]) -> None:
        """Opens the scopes, the parents first."""
        for scope, pair in zip(CHAINS, caps, strict=True):
            self.change_caps(scope, *pair)

    @precondition(lambda self: self._open)
    @rule(scope=SCOPES, cap=CAPS, token_cap=CAPS)
    def change_caps(self, scope: str, cap: NanoUsd | None, token_cap: int | None) -> None:
        """Caps may be changed at any time, also below what is spent."""
        parent = CHAINS[scope][1] if len(CHAINS[scope]) > 1 else None
        changed = Scope(id=scope, parent=parent, cap=cap, token_cap=token_cap)
        if self._made(lambda ledger: ledger.open(changed)):
            self._caps[scope] = (cap, token_cap)

    @precondition(lambda self: len(self._open) < 4)
    @rule(scope=SCOPES, cost=AMOUNTS, tokens=AMOUNTS, dies=DEATHS)
    def reserve(self, scope: str, cost: int, tokens: int, dies: int | None) -> None:
        """Granted exactly when every scope of the chain can bear it; else nothing is held."""
        self._count += 1
        wanted = attempt(self._count, scope, cost, tokens)
        full = [above for above in CHAINS[scope] if not self._bears(above, cost, tokens)]
        if full:
            with pytest.raises(BudgetExceeded, match=full[0]) as raised:
                self._made(lambda ledger: ledger.reserve(wanted), dies)
            assert raised.value.scope == full[0]
        elif self._made(lambda ledger: ledger.reserve(wanted), dies):
            self._open[self._count] = wanted
            add(self._sums, scope, cost, 0, tokens, 0)
            assert set(CHAINS[scope]) <= {within for (within,) in self._process.stranger.execute(WITHIN_CAPS)}

    @precondition(lambda self: self._open or self._settled)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        """The same reservation again holds nothing more; one that ended, or was given up, does not begin again."""
        known = self._open | self._settled
        number = data.draw(st.sampled_from(sorted(known)))
        with pytest.raises(Conflict) if number in self._settled else contextlib.nullcontext():
            self._made(lambda ledger: ledger.reserve(known[number]))

    @precondition(lambda self: self._open)
    @rule(data=st.data(), cost=AMOUNTS, tokens=AMOUNTS, dies=DEATHS)
    def settle(self, data: st.DataObject, cost: int, tokens: int, dies: int | None) -> None:
        """Whatever it really cost, also more than was reserved, is booked in the whole chain, however it ended."""
        number, outcome = data.draw(st.sampled_from(sorted(self._open))), data.draw(st.sampled_from(AttemptOutcome))
        if self._made(lambda ledger: ledger.settle(settlement(number, cost, tokens, outcome)), dies):
            self._book(number, cost, tokens)

    @precondition(lambda self: self._settled)
    @rule(data=st.data(), cost=AMOUNTS, tokens=AMOUNTS, dies=DEATHS)
    def settle_again(self, data: st.DataObject, cost: int, tokens: int, dies: int | None) -> None:
        """A settlement of what is settled already, or was given up as abandoned, books nothing, whatever it says."""
        number = data.draw(st.sampled_from(sorted(self._settled)))
        self._made(lambda ledger: ledger.settle(settlement(number, cost, tokens)), dies)

    @precondition(lambda self: self._open.keys() - self._expired)
    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        """The time is over in which its sender could settle it; it still may, until somebody else does."""
        self._let_expire(data.draw(st.sampled_from(sorted(self._open.keys() - self._expired))))

    @precondition(lambda self: self._open)
    @rule(dies=DEATHS)
    def settle_abandoned(self, dies: int | None) -> None:
        """What has expired is booked at what it reserved, and nothing else is."""
        expired = sorted(self._expired)

        async def swept(ledger: SqlLedger) -> None:
            assert await ledger.settle_abandoned() == len(expired)

        if self._made(swept, dies):
            for number in expired:
                self._book(number, self._open[number].reserved, self._open[number].reserved_tokens)

    @invariant()
    def every_scope_holds_what_is_open_and_what_is_settled_below_it(self) -> None:
        """No reservation is lost and none is leaked: budgets are the sums of reservations and of the ledger."""
        look = self._process.stranger.execute
        budgets = look(f"SELECT scope, {', '.join(Spending.model_fields)} FROM budget").fetchall()
        held, booked = look(HELD).fetchall(), look(BOOKED).fetchall()
        sums: Sums = {scope: [0, 0, 0, 0] for scope in CHAINS}
        for scope, *amounts in (*held, *booked):
            add(sums, scope, *amounts)
        assert {scope: amounts for scope, *amounts in budgets} == sums == self._sums
        assert (len(held), len(booked)) == (len(self._open), len(self._settled))

    def teardown(self) -> None:
        """In the end everybody is dead: nothing stays reserved. Closes what is open."""
        try:
            for number in self._open.keys() - self._expired:
                self._let_expire(number)
            self.settle_abandoned(None)
            for scope, (_, settled, _, settled_tokens) in self._sums.items():
                found = self._runner.run(self._process.ledger.spending(scope))
                assert found == Spending(settled=NanoUsd(settled), settled_tokens=settled_tokens)
        finally:
            self._runner.run(self._process.close())
            self._runner.close()
            self._folder.cleanup()

    def _made(self, change: Change, dies: int | None = None) -> bool:
        """Makes a change; tells whether it came to its end, since the process may die before. Then another goes on."""
        return self._runner.run(self._make(change, dies))

    async def _make(self, change: Change, dies: int | None) -> bool:
        if dies is None:
            await change(self._process.ledger)
            return True
        left = Path(self._folder.name, str(next(self._lives)))
        try:
            return await self._process.die(change, dies, left)
        finally:
            await self._process.close()
            self._process = Process(left)

    def _let_expire(self, number: int) -> None:
        self._process.stranger.execute(EXPIRE, (f"a{number}",))
        self._expired.add(number)

    def _book(self, number: int, cost: int, tokens: int) -> None:
        was = self._settled[number] = self._open.pop(number)
        self._expired.discard(number)
        add(self._sums, was.scope, -was.reserved, cost, -was.reserved_tokens, tokens)

    def _bears(self, scope: str, cost: int, tokens: int) -> bool:
        reserved, settled, reserved_tokens, settled_tokens = self._sums[scope]
        cap, token_cap = self._caps[scope]
        enough = cap is None or reserved + settled + cost <= cap
        return enough and (token_cap is None or reserved_tokens + settled_tokens + tokens <= token_cap)
