"""How much the gateway costs, how quickly it fails over, and whether its ledger is exact."""

import argparse
import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import gateway_failover, gateway_ledger, gateway_peer, gateway_speed
from bench.gateway_place import fake_upstream
from bench.measure import Figure, show

GATEWAY = Path(__file__).resolve().parent.parent / "gateway"


async def measure(peers: bool) -> list[Figure]:
    """Every figure, one after the other."""
    with fake_upstream() as url:
        figures = await gateway_speed.overhead(url) + await gateway_speed.overhead_long(url)
        figures += await gateway_speed.first_token(url)
        shares, ours = await gateway_speed.throughput(url)
        figures += shares
        if peers:
            figures += await gateway_peer.litellm_router(url, ours)
        figures += await gateway_failover.refused(url) + await gateway_failover.hanging(url)
    with fake_upstream() as url:
        figures += await gateway_ledger.reconciled(url)
    return [*figures, lines()]


def lines() -> Figure:
    """The size of the gateway."""
    files = GATEWAY.rglob("*.py")
    return Figure("lines", sum(len(path.read_text().splitlines()) for path in files), "", "under 2,500")


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    parser.add_argument("--no-peers", action="store_true", help="without LiteLLM, which is installed for it")
    options = parser.parse_args()
    show(asyncio.run(measure(not options.no_peers)), options.json)


if __name__ == "__main__":
    main()
