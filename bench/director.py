"""The director: what a step costs, many tasks at once, and how seeded bugs and false claims end."""

import asyncio
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
# Its own folder has a module that is called mcp.
sys.path.remove(str(Path(__file__).resolve().parent))

from app.bootstrap import build
from app.demo_script import DEMO_PROMPT, demo_model
from app.models import only
from app.settings import Settings
from bench.director_step import step_overhead
from bench.measure import Figure, show, wants_json
from domain.task import LOCAL_OWNER
from domain.task_service import TaskOrder
from tests.director.scenarios.catalogue import SCENARIOS
from tests.director.scenarios.play import play_all

TASKS = 50
SAMPLE_S = 0.05


async def many_at_once(home: Path) -> list[Figure]:
    """The demo's task, so many times at once in one process, in real containers."""
    settings = Settings(soundstage_home=home, soundstage_tasks=TASKS)
    most = 0
    over = asyncio.Event()

    async def watch() -> None:
        nonlocal most
        own = psutil.Process()
        while not over.is_set():
            most = max(most, own.memory_info().rss)
            await asyncio.sleep(SAMPLE_S)

    started = time.perf_counter()
    watching = asyncio.create_task(watch())
    async with build(settings, only(demo_model(), "scripted", "a bench")) as product:
        ids = [await product.tasks.submit(TaskOrder(prompt=DEMO_PROMPT)) for _ in range(TASKS)]
        results = await asyncio.gather(*(product.tasks.wait(LOCAL_OWNER, task_id) for task_id in ids))
    over.set()
    await watching
    solved = sum(result.solved for result in results)
    ended = sum(result.status.finished for result in results)
    took = time.perf_counter() - started
    return [
        Figure("concurrent_50_ended", ended, "", f"{solved} of them solved"),
        Figure("concurrent_50_s", took, "s", f"{took / TASKS:.2f} s a task"),
        Figure("service_rss_mb", most / 1e6, "MB", "the most of this process while they ran"),
    ]


async def scenarios(home: Path) -> list[Figure]:
    """Every scenario, judged."""
    played = await play_all(home, SCENARIOS)
    for one in played:
        for problem in one.problems:
            print(f"{one.scenario.name}: {problem}", file=sys.stderr)
    fine = sum(not one.problems for one in played)
    return [
        Figure("scenarios_ok", fine, "", "ended as they should, and no claim of success was contradicted"),
        Figure("scenarios", len(played), ""),
    ]


async def measure(folder: Path) -> list[Figure]:
    """All figures, one after the other."""
    return [
        *await step_overhead(folder / "step"),
        *await many_at_once(folder / "many"),
        *await scenarios(folder / "scenarios"),
    ]


def main() -> None:
    """Measures and prints."""
    as_json = wants_json("What the director costs, and whether its word is good.")
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as folder:
        figures = asyncio.run(measure(Path(folder)))
    show(figures, as_json)


if __name__ == "__main__":
    main()
