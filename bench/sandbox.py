"""How fast, how lean and how tidy the sandboxes are, each figure beside what plain Docker does in the same run."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import sandbox_leaks, sandbox_speed, sandbox_throughput, sandbox_trees
from bench.measure import Figure, show, wants_json
from sandbox.profiles import profile


async def measure() -> list[Figure]:
    """Every figure, one after the other."""
    figures: list[Figure] = []
    for part in (
        sandbox_speed.warm_lease,
        sandbox_speed.commands,
        sandbox_speed.cold_lease,
        sandbox_throughput.sustained_and_burst,
        sandbox_trees.transfer,
        sandbox_trees.sync,
        sandbox_leaks.big_output,
        sandbox_leaks.many_leases,
        sandbox_leaks.killed_service,
    ):
        found = await part()
        for figure in found:
            print(f"  {figure.key}: {figure.value:.3f} {figure.unit} {figure.compared}", file=sys.stderr, flush=True)
        figures += found
    return figures


def main() -> None:
    """Measures and prints."""
    as_json = wants_json("How fast, how lean and how tidy the sandboxes are.")
    print(f"profile small: {profile('small').memory >> 20} MiB, {profile('small').cpus} cores", file=sys.stderr)
    show(asyncio.run(measure()), as_json)


if __name__ == "__main__":
    main()
