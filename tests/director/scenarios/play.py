"""Playing scenarios on the whole product, in real containers, and judging how they ended."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.bootstrap import Soundstage, build
from app.models import only
from app.settings import Settings
from domain.command import shell
from domain.files import TreeChange
from domain.task import LOCAL_OWNER, TaskResult
from gateway.scripted import ScriptedProvider
from sandbox.base import SandboxRequest
from tests.director.scenarios.scenario import Scenario


@dataclass(frozen=True)
class Played:
    """How a scenario ended, and what is wrong with that; nothing where all is as it should be."""

    scenario: Scenario
    result: TaskResult | None
    problems: tuple[str, ...]


def model_of(scenarios: Sequence[Scenario]) -> ScriptedProvider:
    """One model that plays them all."""
    return ScriptedProvider([scene for scenario in scenarios for scene in scenario.script()])


async def play(product: Soundstage, scenario: Scenario) -> Played:
    """Plays one scenario to its end."""
    task_id = await product.tasks.submit(scenario.order())
    result = await product.tasks.wait(LOCAL_OWNER, task_id)
    happened = {event.fact.type for event in await product.store.log.read(task_id)}
    problems = []
    if result.status not in scenario.ends:
        problems.append(f"it ended as {result.status} ({result.reason}), not as {' or '.join(scenario.ends)}")
    if scenario.reason not in result.reason:
        problems.append(f"its reason is {result.reason!r}, without {scenario.reason!r}")
    problems += [f"there was no {kind}" for kind in scenario.events if kind not in happened]
    if result.solved and (said := await _contradiction(product, scenario, result)):
        problems.append(f"it claims success, and a run of its own says: {said}")
    return Played(scenario, result, tuple(problems))


async def _contradiction(product: Soundstage, scenario: Scenario, result: TaskResult) -> str:
    """What a run of the tests as a person would run them says against a claim of success, or nothing."""
    workspace = product.store.workspaces.open(result.task_id)
    files = await workspace.files(result.commit)
    base = await workspace.files((await product.store.tasks.spec(result.task_id)).base_commit)
    files |= {path: base[path] for path in scenario.tests}
    request = SandboxRequest(task_id=result.task_id, purpose="contradiction", lifetime_s=120)
    async with product.sandboxes.lease(request) as sandbox:
        await sandbox.put(TreeChange(written=files), clear=True)
        ran = await sandbox.run(shell("python3 -m pytest -q -p no:cacheprovider"))
    return "" if ran.ok else ran.text()[-500:]


async def play_all(home: Path, scenarios: Sequence[Scenario], at_once: int = 4) -> list[Played]:
    """Plays them in one process, so many at a time, in sandboxes of the engine."""
    settings = Settings(soundstage_home=home, soundstage_tasks=at_once)
    async with build(settings, only(model_of(scenarios), "scripted", "a test")) as product:
        places = asyncio.Semaphore(at_once)

        async def in_turn(scenario: Scenario) -> Played:
            async with places:
                return await play(product, scenario)

        return await asyncio.gather(*map(in_turn, scenarios))
