"""Plays random and adversarial calls over every tool, and says which one broke what must hold, if any did.

``--only N`` prints and plays the one call of that number, in a place of its own.
"""

import argparse
import asyncio
import json
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# A benchmark here has the name of the SDK, and must not stand before it.
sys.path.remove(str(Path(__file__).resolve().parent))

from mcp_server.tools import SPECIALIST_TOOLS
from tests.mcp_server.fuzz import SLOW, Played, fuzzing, shown
from tests.mcp_server.fuzz_values import Draws
from tests.mcp_server.ide.people_fuzz import play as play_people

IN_ONE_PLACE = 1_000
"""Calls after which a new place is opened, so that what is broken is near what broke it."""


def main() -> None:
    """Plays and prints; exits with 1 when a call broke something."""
    parser = argparse.ArgumentParser(description="Random and adversarial calls over every tool.")
    parser.add_argument("--count", type=int, default=10_000, help="how many calls")
    parser.add_argument("--people", type=int, default=2000, help="how many calls of tools for people besides")
    parser.add_argument("--seed", type=int, default=1, help="which calls")
    parser.add_argument("--only", type=int, help="the number of one call")
    parser.add_argument("--json", action="store_true", help="print one JSON object as well")
    options = parser.parse_args()
    if options.only is not None:
        print(shown(*Draws(SPECIALIST_TOOLS, SLOW, ["http://127.0.0.1/"]).call(options.seed, options.only)))
    numbers = range(options.count) if options.only is None else range(options.only, options.only + 1)
    started = time.monotonic()
    try:
        played = asyncio.run(_play(options.seed, numbers))
        people = asyncio.run(play_people(options.seed, range(options.people)))
    except AssertionError as error:
        print(error)
        sys.exit(1)
    seconds = time.monotonic() - started
    print(f"{len(numbers)} calls in {seconds:.0f} s: {dict(played.verdicts)}")
    print(f"{played.unsendable} besides that no transport carries")
    print(f"by tool: {dict(played.calls)}")
    print(f"{options.people} calls of tools for people: {dict(people)}")
    for took, name, number in sorted(played.slowest, reverse=True):
        print(f"slow: {took:6.2f} s {name}, number {number}")
    if options.json:
        print(json.dumps({"calls": len(numbers) + options.people, "broken": 0, "seconds": round(seconds, 1)}))


async def _play(seed: int, numbers: range) -> Played:
    together = Played()
    for at in range(0, len(numbers), IN_ONE_PLACE):
        async with fuzzing() as fuzz:
            await fuzz.play(seed, numbers[at : at + IN_ONE_PLACE])
        together.add(fuzz.played)
    return together


if __name__ == "__main__":
    main()
