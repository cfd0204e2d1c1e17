"""What failed once is tried again with a stronger model, where the route's policy is by difficulty."""

from pathlib import Path

import pytest

from app.bootstrap import build
from app.models import ChosenModel, Models
from app.settings import Settings
from director.difficulty import difficulty_of
from domain.events import ModelCalled
from domain.task import Limits, TaskStatus
from gateway.scripted import Scene, ScriptedProvider
from sandbox.fake import FakeSandboxes
from tests.director.stage import CODE, FIX, RIGHT, TEST, TESTER, TESTS, WRONG, Stage, part, usual_plan, writes
from tests.gateway.house import upstream

ROUTE = "difficulty:strong/m,medium/m,weak/m"
ENTRY = """
[[model]]
provider = "{name}"
id = "m"
context_tokens = 100_000
capabilities = ["tools", "json_schema"]
strength = {strength}

[[price]]
provider = "{name}"
id = "m"
input = {strength}
output = {strength}
"""
STRENGTHS = {"weak": 2, "medium": 3, "strong": 5}


class Model(ScriptedProvider):
    """A scripted provider of another name, whose calls cost something."""

    local = False

    def __init__(self, name: str, *scenes: Scene) -> None:
        super().__init__(scenes)
        self.name = name


def test_each_further_attempt_is_more_difficult_up_to_the_most() -> None:
    assert [difficulty_of(attempt) for attempt in range(1, 7)] == [2, 3, 4, 5, 5, 5]


async def asked(home: Path, *scenes: Scene) -> tuple[TaskStatus, list[tuple[str, str]]]:
    """How the task ends, and which provider was asked in which subtask, in order and once each."""
    (home / "models.toml").write_text("".join(ENTRY.format(name=name, strength=n) for name, n in STRENGTHS.items()))
    providers = [upstream(Model(name, usual_plan(), *scenes)) for name in STRENGTHS]
    chosen = ChosenModel(provider="weak", model="m", route=ROUTE, why="a test")
    async with build(Settings(soundstage_home=home), Models(tuple(providers), chosen), FakeSandboxes()) as product:
        stage = Stage(product, ScriptedProvider(()))
        await stage.submit(model=ROUTE, limits=Limits(max_attempts=4))
        result = await stage.run()
        called = [(fact.subtask_id, fact.provider) for fact in await stage.happened(ModelCalled)]
    return result.status, list(dict.fromkeys(called))


async def test_a_correction_is_made_by_a_stronger_model_and_the_plan_by_a_strong_one(tmp_path: Path) -> None:
    wrong = part(CODE, lines=writes(("calc.py", WRONG)))
    right = part(CODE, FIX, "assert", lines=writes(("calc.py", RIGHT)))
    status, called = await asked(tmp_path, part(TESTER, lines=writes((TEST, TESTS))), right, wrong)
    assert status is TaskStatus.SOLVED
    assert called == [("", "strong"), ("tests", "weak"), ("code", "weak"), ("fix-1", "medium")]


@pytest.mark.parametrize("good", [False, True])
async def test_tests_that_prove_nothing_are_written_anew_by_stronger_models(tmp_path: Path, good: bool) -> None:
    useless = part(TESTER, lines=writes((TEST, "def test_nothing():\n    pass\n")))
    useful = [part(TESTER, "Verification failed", lines=writes((TEST, TESTS)))] if good else []
    _, called = await asked(tmp_path, *useful, useless, part(CODE, lines=writes(("calc.py", RIGHT))))
    tested = [provider for subtask, provider in called if subtask == "tests"]
    assert tested == (["weak", "medium"] if good else ["weak", "medium", "strong"])
