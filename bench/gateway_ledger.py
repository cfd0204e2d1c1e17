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

from bench.fake_upstream import usage_of
from bench.gateway_place import call, gateway, ledger
from bench.measure import Figure
from domain.errors import SoundstageError
from gateway.breaker import BreakerPolicy
from gateway.deadlines import Deadlines
from gateway.policy import GatewayPolicy, RetryPolicy

CALLS = 10_000
AT_ONCE = 64
KILLS = 12
SEED = 11
POLICY = GatewayPolicy(
    deadlines=Deadlines(first_s=0.5, between_s=0.5, total_s=0.5),
    retry=RetryPolicy(pause_s=0.01),
    breaker=BreakerPolicy(failures=1_000_000),
)
EXPIRES_AT_ONCE = "UPDATE reservation SET expires_at = '2000-01-01T00:00:00.000000+00:00'"


async def work(url: str, path: Path, first: int) -> None:
    """Makes calls from a number on, until killed or until they are all made; says which one begins."""
    numbers = iter(range(first, CALLS))
    async with gateway(POLICY, path, openai=url) as door:

        async def worker(streams: bool) -> None:
            for number in numbers:
                print(number, flush=True)
                ask = door.collect if streams else door.complete
                with contextlib.suppress(SoundstageError):
                    await ask(call("chaos", number))

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
        rows = books.execute("SELECT input_tokens, output_tokens, cost, estimated, task_id FROM ledger").fetchall()
        scopes = books.execute(
            "SELECT scope, reserved, settled, reserved_tokens, settled_tokens FROM budget"
        ).fetchall()
        held = books.execute("SELECT count(*) FROM reservation").fetchone()[0]
    found = [f"{held} reservations are left"] if held else []
    exact, unknown, tried = Counter[int](), Counter[int](), Counter[int]()
    for tokens_in, tokens_out, _cost, estimated, task in rows:
        number = int(task)
        tried[number] += 1
        unknown[number] += estimated
        if tokens_in and not estimated:
            exact[number] += 1
            told = usage_of(number)
            if (tokens_in, tokens_out) != (told["prompt_tokens"], told["completion_tokens"]):
                found.append(f"call {number} has {tokens_in} and {tokens_out} tokens instead of {told}")
    for number in came | served | tried:
        if came[number] > tried[number]:
            found.append(f"call {number} came {came[number]} times and is in the ledger {tried[number]} times")
        if not exact[number] <= served[number] <= exact[number] + unknown[number]:
            found.append(f"call {number}: {served[number]} served, {exact[number]} exact, {unknown[number]} unknown")
    cost, tokens = sum(row[2] for row in rows), sum(row[0] + row[1] for row in rows)
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
