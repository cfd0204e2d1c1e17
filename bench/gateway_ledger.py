"""Whether the ledger is exact: calls under random faults and kills, held against what the upstream says it served."""

import asyncio
import contextlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import urllib.request
from collections import Counter
from pathlib import Path
from typing import NamedTuple, Self

from bench.fake_upstream import usage_of
from bench.gateway_place import MAX_OUTPUT_TOKENS, call, gateway, ledger
from bench.measure import Figure
from domain.errors import SoundstageError
from domain.ledger import AttemptOutcome
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.policy import GatewayPolicy, RetryPolicy

CALLS = 10_000
AT_ONCE = 64
KILLS = 12
SEED = 11
MODEL = "gpt-6-sol"
RATES = (2000, 200, 2500, 10_000)
"""OpenAI's price list for it, in nano-USD for a token: of input, of input from the cache, of input to it, of output.
They are written down here, and not read where the gateway reads them, so that a wrong price is seen."""

POLICY = GatewayPolicy(
    deadlines=Deadlines(first_s=0.5, between_s=0.5, total_s=0.5),
    retry=RetryPolicy(pause_s=0.01),
    breaker=BreakerPolicy(failures=1_000_000),
)
EXPIRES_AT_ONCE = "UPDATE reservation SET expires_at = '2000-01-01T00:00:00.000000+00:00'"
"""The time after which a reservation counts as abandoned is left out: it is a minute more than a call may take, which
is 660 s unless the deadlines are changed, and 60.5 s with those of this benchmark. Until then a killed process's
reservations weigh on the budgets."""


class Entry(NamedTuple):
    """A row of the ledger."""

    number: int
    input: int
    cached: int
    written: int
    output: int
    cost: int
    estimated: bool
    abandoned: bool

    @classmethod
    def read(cls, books: sqlite3.Connection) -> list[Self]:
        """All of them."""
        columns = "CAST(task_id AS INTEGER), input_tokens, cached_tokens, cache_write_tokens, output_tokens, cost"
        outcome = f"estimated, outcome = '{AttemptOutcome.ABANDONED.value}'"
        return [cls(*row) for row in books.execute(f"SELECT {columns}, {outcome} FROM ledger")]

    @property
    def price(self) -> int:
        """What its tokens cost; an abandoned one costs the most that it may have cost."""
        plain, cached, written, output = RATES
        if self.abandoned:
            return (self.input - MAX_OUTPUT_TOKENS) * written + MAX_OUTPUT_TOKENS * output
        rest = self.input - self.cached - self.written
        return rest * plain + self.cached * cached + self.written * written + self.output * output

    @property
    def told(self) -> bool:
        """Whether its tokens are those that the upstream said."""
        usage = usage_of(self.number)
        cache = usage["prompt_tokens_details"]
        told = (usage["prompt_tokens"], cache["cached_tokens"], cache["cache_write_tokens"], usage["completion_tokens"])
        return self[1:5] == told


async def work(url: str, path: Path, first: int) -> None:
    """Makes calls from a number on, until killed or until they are all made; says which one begins."""
    numbers = iter(range(first, CALLS))
    async with gateway(POLICY, path, openai=url) as door:

        async def worker(streams: bool) -> None:
            for number in numbers:
                print(number, flush=True)
                ask = door.collect if streams else door.complete
                with contextlib.suppress(SoundstageError):
                    await ask(call("chaos", number, MODEL))

        await asyncio.gather(*(worker(bool(index % 2)) for index in range(AT_ONCE)))


def run_and_kill(url: str, path: Path) -> None:
    """Runs the calls in processes that are killed at some moment, but for the last one."""
    chance = random.Random(SEED)
    first = 0
    for left in range(KILLS, -1, -1):
        program = (sys.executable, "-m", "bench.gateway_ledger", url, str(path), str(first))
        most = CALLS if left == 0 else first + chance.randrange(CALLS // (KILLS + 1)) + 1
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                first = int(line) + 1
                if first >= most:
                    process.send_signal(signal.SIGKILL)
                    break
        if first >= CALLS:
            return


def mismatches(path: Path, came: Counter[int], served: Counter[int]) -> list[str]:
    """What in the books does not agree with what the upstream says."""
    with contextlib.closing(sqlite3.connect(path)) as books:
        rows = Entry.read(books)
        scopes = books.execute(
            "SELECT scope, reserved, settled, reserved_tokens, settled_tokens FROM budget"
        ).fetchall()
        held = books.execute("SELECT count(*) FROM reservation").fetchone()[0]
    found = [f"{held} reservations are left"] if held else []
    exact, unknown, tried = Counter[int](), Counter[int](), Counter[int]()
    for row in rows:
        tried[row.number] += 1
        unknown[row.number] += row.estimated
        if row.input and not row.estimated:
            exact[row.number] += 1
            if not row.told:
                found.append(f"{row} is not {usage_of(row.number)}")
        if row.cost != row.price:
            found.append(f"{row} should cost {row.price}")
    for number in came | served | tried:
        if came[number] > tried[number]:
            found.append(f"call {number} came {came[number]} times and is in the ledger {tried[number]} times")
        if not exact[number] <= served[number] <= exact[number] + unknown[number]:
            found.append(f"call {number}: {served[number]} served, {exact[number]} exact, {unknown[number]} unknown")
    cost, tokens = sum(row.cost for row in rows), sum(row.input + row.output for row in rows)
    found += [f"{scope} does not add up" for scope, *state in scopes if state != [0, cost, 0, tokens]]
    return found


async def reconciled(url: str) -> list[Figure]:
    """Calls, kills, a restart, and the comparison."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        await asyncio.to_thread(run_and_kill, url, path)
        with contextlib.closing(sqlite3.connect(path)) as books, books:
            books.execute(EXPIRES_AT_ONCE)
        async with ledger(path) as after:
            abandoned = await after.settle_abandoned()
        came, served = stats(url)
        found = mismatches(path, came, served)
    for each in found[:10]:
        print(f"  {each}", file=sys.stderr)
    told = f"0; {came.total():,} requests, {KILLS} kills, {abandoned} calls that a killed process left"
    return [Figure("ledger_mismatches", len(found), "", told)]


def stats(url: str) -> tuple[Counter[int], Counter[int]]:
    """What came to the upstream and what it served, by number."""
    with urllib.request.urlopen(f"{url}/stats") as answer:
        told = json.load(answer)
    came, served = ({int(number): times for number, times in told[key].items()} for key in ("came", "served"))
    return Counter(came), Counter(served)


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])))
