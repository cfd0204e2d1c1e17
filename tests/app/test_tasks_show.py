"""What ``soundstage tasks show`` prints of a model's replies."""

import json
from pathlib import Path

import pytest

from app.commands.tasks import show_task
from app.settings import Settings
from app.store import open_store
from domain.events import PlainTextChosen, ReplyCorrected, ReplyRepaired, TaskSubmitted
from domain.replies import PlainTextReason, ReplyProblem
from tests.domain.sample_facts import spec


async def test_repairs_and_corrections_are_counted_for_each_subtask(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(soundstage_home=tmp_path)
    problems = (ReplyProblem.UNKNOWN_TOOL, ReplyProblem.ARGUMENTS_NOT_VALID)
    async with open_store(settings) as store:
        await store.log.append("t1", "submitted", TaskSubmitted(spec=spec()))
        await store.log.append("t1", "1", ReplyRepaired(subtask_id="code", repairs=("shell: x", "shell: x")))
        await store.log.append("t1", "2", ReplyCorrected(subtask_id="code", problems=problems, malformed=False))
        await store.log.append("t1", "3", PlainTextChosen(subtask_id="tests", reason=PlainTextReason.CATALOGUE))
    await show_task(settings, "t1", as_json=True)
    shown = json.loads(capsys.readouterr().out)
    assert (shown["id"], shown["status"]) == ("t1", "submitted")
    assert shown["replies"] == {
        "code": {"repaired": 2, "malformed": 0, "corrections": 2, "plain_text": None},
        "tests": {"repaired": 0, "malformed": 0, "corrections": 0, "plain_text": "catalogue"},
    }
    await show_task(settings, "t1", as_json=False)
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("replies")]
    assert lines == [
        "replies   code: 2 repaired calls, 0 malformed replies, 2 corrections",
        "replies   tests: 0 repaired calls, 0 malformed replies, 0 corrections, plain text, "
        "since its model calls no tools",
    ]
