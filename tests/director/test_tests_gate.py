"""New tests are taken on only when they do what they must."""

from pathlib import Path

from domain.events import SubtaskStarted
from domain.evidence import Grade
from domain.strategy import Strategy
from domain.task import TaskStatus
from gateway.scripted import ScriptedProvider
from tests.director.stage import RIGHT, TEST, TESTER, open_stage, part, writes

WEAK = "from calc import add\n\n\ndef test_add():\n    add(2, 3)\n"
STRONG = "from calc import add\n\n\ndef test_add():\n    assert add(2, 3) == 5\n    assert add(0, 0) == 0\n"


async def test_added_tests_that_notice_nothing_go_back_with_what_they_did_not_notice(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            part(
                TESTER, "of 2 wrong changes they noticed 0", "calc.py:2: `+` became `-`", lines=writes((TEST, STRONG))
            ),
            part(TESTER, lines=writes((TEST, WEAK))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": RIGHT}, prompt="Add tests for calc.py", strategy=Strategy())
        result = await stage.run()
        assert (result.status, result.grade) == (TaskStatus.SOLVED, Grade.CHECKED)
        assert (await stage.texts(result.commit))[TEST] == STRONG
        started = [(fact.subtask.role, fact.attempt) for fact in await stage.happened(SubtaskStarted)]
        assert started == [("test", 1), ("test", 2)]


async def test_added_tests_that_never_notice_anything_are_dropped_and_nothing_is_claimed(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider((part(TESTER, lines=writes((TEST, WEAK))),))) as stage:
        await stage.submit({"calc.py": RIGHT}, prompt="Add tests for calc.py", strategy=Strategy())
        result = await stage.run()
        assert (result.status, result.grade) == (TaskStatus.UNCHECKED, Grade.UNCHECKED)
