"""What a specialist's step costs besides its model and its sandbox: reading the reply, a tool call over MCP, the
journal, events on SQLite, the conversation."""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# Its own folder has a module that is called mcp.
sys.path.remove(str(Path(__file__).resolve().parent))

from app.journal import MemoryJournal
from bench.measure import Figure, show, wants_json
from specialists.loop import Loop
from specialists.role_files import role
from specialists.stuck import StuckLimits
from specialists.surroundings import Surroundings
from tests.gateway.house import single
from tests.specialists.desk import TASK, assignment_of, call, open_desk, script

STEPS = 200
TEXT = "".join(f"line {at}: some words of a file that is neither long nor short\n" for at in range(40))
PATIENT = StuckLimits(same_result=1000, same_error=1000, alternating=1000, idle_steps=1000)
T = TypeVar("T")


class TimedJournal(MemoryJournal):
    """Notes when each call of a model began and ended."""

    def __init__(self) -> None:
        super().__init__(TASK)
        self.began: list[float] = []
        self.ended: list[float] = []

    async def step(self, name: str, returns: type[T], run: Callable[[], Awaitable[T]]) -> T:
        """The step."""
        if not name.endswith(":model"):
            return await super().step(name, returns, run)
        self.began.append(time.perf_counter())
        result = await super().step(name, returns, run)
        self.ended.append(time.perf_counter())
        return result


async def steps() -> list[float]:
    """Seconds from each answer of the model to the next question, with a call of a tool between them."""
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as folder:
        async with open_desk(Path(folder), {"a.txt": TEXT}) as desk:
            journal = TimedJournal()
            model = script(call("read_file", path="a.txt"))
            around = Surroundings(single(model, desk.store.ledger), desk.place.client, journal, desk.store.log)
            patient = role("code").model_copy(update={"stuck": PATIENT})
            await Loop(patient, assignment_of(max_steps=STEPS), around).run()
    return [began - ended for ended, began in zip(journal.ended, journal.began[1:], strict=False)]


def main() -> None:
    """Measures and prints."""
    as_json = wants_json("What a specialist's step costs besides its model and its sandbox.")
    seconds = asyncio.run(steps())
    last = statistics.median(seconds[-STEPS // 10 :])
    figures = [
        Figure("step_p50_ms", statistics.median(seconds) * 1000, "ms", f"of {len(seconds)} steps"),
        Figure("step_p95_ms", statistics.quantiles(seconds, n=20)[-1] * 1000, "ms", ""),
        Figure("last_tenth_p50_ms", last * 1000, "ms", "when the conversation has become long"),
    ]
    show(figures, as_json)


if __name__ == "__main__":
    main()
