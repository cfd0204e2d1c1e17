"""A task whose request has examples, from the request to the result."""

from pathlib import Path

from domain.events import SubtaskStarted
from domain.evidence import Grade
from domain.task import TaskStatus
from gateway.scripted import ScriptedProvider
from tests.director.stage import RIGHT, WRONG, node, open_stage, part, planned, writes

STUB = {"path": "calc.py", "signatures": ["def add(a: int, b: int) -> int"]}
ASKED = "Write add in calc.py. add(2, 3) == 5, and add(0, 0) returns 0."


def model(code: str) -> ScriptedProvider:
    """Plans one node, and writes this code."""
    plan = planned(node("tests", "test"), node("code", needs=["tests"]), files=[STUB])
    return ScriptedProvider((plan, part("You are the code specialist", lines=writes(("calc.py", code)))))


async def test_right_work_is_proven_by_the_examples_alone_and_they_stay_in_the_tree(tmp_path: Path) -> None:
    async with open_stage(tmp_path, model(RIGHT)) as stage:
        await stage.submit(prompt=ASKED)
        result = await stage.run()
        assert (result.status, result.grade) == (TaskStatus.SOLVED, Grade.PROVEN), result.reason
        texts = await stage.texts(result.commit)
    (path,) = [path for path in texts if path.startswith("test_request_examples")]
    assert "test_add_of_2_and_3_is_5" in texts[path]


async def test_wrong_work_is_not_solved_whatever_its_specialist_says(tmp_path: Path) -> None:
    async with open_stage(tmp_path, model(WRONG)) as stage:
        await stage.submit(prompt=ASKED)
        result = await stage.run()
    assert result.grade is Grade.UNCHECKED
    assert not result.solved


async def test_one_example_does_not_spare_the_test_specialist_but_two_do(tmp_path: Path) -> None:
    one = "Write add in calc.py. add(2, 3) == 5."
    for at, (prompt, roles) in enumerate(((one, {"test", "code"}), (ASKED, {"code"}))):
        async with open_stage(tmp_path / str(at), model(RIGHT)) as stage:
            await stage.submit(prompt=prompt)
            assert (await stage.run()).grade is Grade.PROVEN
            assert {fact.subtask.role for fact in await stage.happened(SubtaskStarted)} == roles
