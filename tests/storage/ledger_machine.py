"""What a ledger may do, as a state machine that Hypothesis drives against the real one."""

import asyncio
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.chat import Usage
from domain.errors import BudgetExceeded
from domain.ledger import Attempt, AttemptOutcome, Scope, Settlement, Spending
from domain.money import NanoUsd
from storage.database import Database
from storage.ledger import SqlLedger
from storage.writer import Writer

CHAINS = {
    "day": ("day",),
    "user": ("user", "day"),
    "task:a": ("task:a", "user", "day"),
    "task:b": ("task:b", "user", "day"),
}
CAPS = st.none() | st.integers(0, 100).map(NanoUsd)
AMOUNTS = st.integers(0, 40)
SCOPES = st.sampled_from(sorted(CHAINS))
Sums = dict[str, list[int]]


def attempt(number: int, scope: str, cost: int, tokens: int, expires_s: float = 900.0) -> Attempt:
    """A send of so much."""
    return Attempt(
        id=f"a{number}",
        scope=scope,
        task_id="t",
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


class LedgerMachine(RuleBasedStateMachine):
    """The model: sums of what is open and what is settled in each scope, and the caps."""

    def __init__(self) -> None:
        super().__init__()
        self._folder = tempfile.TemporaryDirectory()
        self._runner = asyncio.Runner()
        self._database = Database(Path(self._folder.name) / "ledger.db")
        self._connection = sqlite3.connect(self._database.path, isolation_level=None)
        self._writer = Writer(self._database.writer)
        self._ledger = SqlLedger(self._writer)
        self._caps: dict[str, tuple[NanoUsd | None, int | None]] = {}
        self._open: dict[int, Attempt] = {}
        self._settled: dict[int, Settlement] = {}
        self._sums: Sums = {scope: [0, 0, 0, 0] for scope in CHAINS}
        self._count = 0

    @initialize(caps=st.lists(st.tuples(CAPS, CAPS), min_size=4, max_size=4))
    def prepare(self, caps: list[tuple[NanoUsd | None, NanoUsd | None]]) -> None:
        """Opens the scopes, the parents first."""
        self._runner.run(self._database.prepare())
        for scope, pair in zip(CHAINS, caps, strict=True):
            self.change_caps(scope, *pair)

    @rule(scope=SCOPES, cap=CAPS, token_cap=CAPS)
    def change_caps(self, scope: str, cap: NanoUsd | None, token_cap: int | None) -> None:
        """Caps may be changed at any time, also below what is spent."""
        parent = CHAINS[scope][1] if len(CHAINS[scope]) > 1 else None
        self._runner.run(self._ledger.open(Scope(id=scope, parent=parent, cap=cap, token_cap=token_cap)))
        self._caps[scope] = (cap, token_cap)

    @rule(scope=SCOPES, cost=AMOUNTS, tokens=AMOUNTS)
    def reserve(self, scope: str, cost: int, tokens: int) -> None:
        """Granted exactly when every scope of the chain can bear it; else nothing is held."""
        self._count += 1
        wanted = attempt(self._count, scope, cost, tokens)
        full = [above for above in CHAINS[scope] if not self._bears(above, cost, tokens)]
        if full:
            with pytest.raises(BudgetExceeded, match=full[0]) as raised:
                self._runner.run(self._ledger.reserve(wanted))
            assert raised.value.scope == full[0]
        else:
            self._runner.run(self._ledger.reserve(wanted))
            self._open[self._count] = wanted
            self._add(scope, reserved=cost, reserved_tokens=tokens)

    @precondition(lambda self: self._open)
    @rule(data=st.data())
    def reserve_again(self, data: st.DataObject) -> None:
        """The same reservation again holds nothing more."""
        number = data.draw(st.sampled_from(sorted(self._open)))
        self._runner.run(self._ledger.reserve(self._open[number]))

    async def _settle(self, settled: Settlement) -> None:
        await self._ledger.settle(settled)

    @precondition(lambda self: self._open)
    @rule(data=st.data(), cost=AMOUNTS, tokens=AMOUNTS, outcome=st.sampled_from(AttemptOutcome))
    def settle(self, data: st.DataObject, cost: int, tokens: int, outcome: AttemptOutcome) -> None:
        """Whatever it really cost, also more than was reserved, is booked in the whole chain."""
        number = data.draw(st.sampled_from(sorted(self._open)))
        settled = settlement(number, cost, tokens, outcome)
        self._runner.run(self._settle(settled))
        was = self._open.pop(number)
        self._settled[number] = settled
        self._add(was.scope, reserved=-was.reserved, reserved_tokens=-was.reserved_tokens)
        self._add(was.scope, settled=cost, settled_tokens=tokens)

    @precondition(lambda self: self._settled)
    @rule(data=st.data())
    def settle_again(self, data: st.DataObject) -> None:
        """The same settlement again books nothing more."""
        self._runner.run(self._settle(self._settled[data.draw(st.sampled_from(sorted(self._settled)))]))

    @invariant()
    def every_scope_holds_what_is_open_and_what_is_settled_below_it(self) -> None:
        """No reservation is lost and none is leaked."""
        rows = self._connection.execute(f"SELECT scope, {', '.join(Spending.model_fields)} FROM budget")
        assert {scope: list(amounts) for scope, *amounts in rows} == {
            scope: sums for scope, sums in self._sums.items() if scope in self._caps
        }
        (held,) = self._connection.execute("SELECT count(*) FROM reservation").fetchone()
        (booked,) = self._connection.execute("SELECT count(*) FROM ledger").fetchone()
        assert (held, booked) == (len(self._open), len(self._settled))

    def teardown(self) -> None:
        """Asks the ledger itself at the end, and closes what is open."""
        for scope, sums in self._sums.items():
            found = self._runner.run(self._ledger.spending(scope))
            assert list(found.model_dump().values()) == sums
        self._connection.close()
        self._runner.run(self._writer.close())
        self._runner.run(self._database.close())
        self._runner.close()
        self._folder.cleanup()

    def _bears(self, scope: str, cost: int, tokens: int) -> bool:
        reserved, settled, reserved_tokens, settled_tokens = self._sums[scope]
        cap, token_cap = self._caps[scope]
        enough = cap is None or reserved + settled + cost <= cap
        return enough and (token_cap is None or reserved_tokens + settled_tokens + tokens <= token_cap)

    def _add(
        self, scope: str, reserved: int = 0, settled: int = 0, reserved_tokens: int = 0, settled_tokens: int = 0
    ) -> None:
        for above in CHAINS[scope]:
            for place, amount in enumerate((reserved, settled, reserved_tokens, settled_tokens)):
                self._sums[above][place] += amount
