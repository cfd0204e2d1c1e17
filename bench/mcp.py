"""What a call of a tool costs in memory and over HTTP, and how many scenarios of the conformance suite fail."""

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# This file has the name of the SDK, and must not stand before it.
sys.path.remove(str(Path(__file__).resolve().parent))

from bench import mcp_http, mcp_memory
from bench.measure import Figure, show, wants_json
from tests.mcp_server.conformance.suite import failed_scenarios


async def measure() -> None:
    """Measures and prints."""
    as_json = wants_json("What a call of a tool costs.")
    figures = await mcp_memory.overhead()
    figures += await mcp_http.throughput()
    failed = await failed_scenarios()
    figures.append(Figure("conformance_failed", len(failed), "", f"0 {' '.join(failed)}".rstrip()))
    show(figures, as_json)


if __name__ == "__main__":
    asyncio.run(measure())
