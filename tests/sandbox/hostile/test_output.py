"""Output that attacks whoever reads it: models, terminals, logs and browsers get it harmless."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.progress import JsonWatcher, LiveWatcher, PlainWatcher, Watcher
from domain.events import Event, Fact, NoticeGiven, SandboxFailed, ToolCalled
from domain.evidence import TestReport
from domain.files import File
from domain.workspace import MAIN_BRANCH
from mcp_server.client import connect
from mcp_server.dispatcher import Dispatcher
from mcp_server.protection import Protection
from mcp_server.registry import Registry
from mcp_server.session import ToolSession
from mcp_server.tools import SPECIALIST_TOOLS
from sandbox.test_run import parse_custom
from storage.workspace import WorkspaceStore
from tests.mcp_server.place import Ears, caller
from tests.sandbox.hostile.arena import arena, record
from tests.sandbox.hostile.case import Case
from tests.sandbox.hostile.cases import OUTPUT_CASES

HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""What nobody may see: controls but tab and newline, direction overrides, lone surrogates."""


@pytest.fixture(autouse=True)
def _engine(docker_engine: None) -> None:
    """All of them need one."""


@pytest.mark.parametrize("case", OUTPUT_CASES, ids=lambda case: case.id)
async def test_hostile_output_reaches_its_readers_harmless(
    case: Case, isolation: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with arena(tmp_path, isolation) as there, there.lease() as sandbox:
        result = await there.attack(sandbox, case)
        workspace = await WorkspaceStore(tmp_path / "store").create("task")
        program = case.program()
        assert program is not None
        start = await workspace.start({program.name: File(content=program.read_bytes())})
        await workspace.branch(MAIN_BRANCH, start.commit)
        session = ToolSession(sandbox, workspace, MAIN_BRANCH, caller(), Protection())
        await session.open()
        async with connect(session, Dispatcher(Registry(SPECIALIST_TOOLS), Ears())) as client:
            shown = await client.call("shell", {"command": f"python3 {program.name}"})
            listed = await client.call("shell", {"command": "touch '$(printf %b \\\\033]0;x)' $'a\\x1bb'; ls"})
    assert result.exit_code == 3
    raw = result.stdout.decode("utf-8", "surrogateescape")
    report = parse_custom("true", result)
    for text in (shown.text, listed.text, report.model_dump_json()):
        assert HARMFUL.search(text) is None
    assert shown.text
    for text in (shown.text, raw.encode("utf-8", "replace").decode()):
        assert_watchers_are_safe(facts(text, report), capsys)
    record(case, isolation, result.verdict)


def facts(text: str, report: TestReport) -> list[Fact]:
    """Facts that carry output, in whatever place there is for it."""
    assert report.cases
    return [
        ToolCalled(subtask_id="code", tool="shell", summary=text, ok=False, duration_s=0.1, observation=text),
        SandboxFailed(subtask_id="code", verdict=report.verdict, message=text),
        NoticeGiven(text=text),
    ]


def assert_watchers_are_safe(told: list[Fact], capsys: pytest.CaptureFixture[str]) -> None:
    """What is printed for people holds nothing harmful; what is printed for machines is one JSON object a line."""
    watchers: list[Watcher] = [PlainWatcher(), LiveWatcher(), JsonWatcher()]
    for watcher in watchers:
        for number, fact in enumerate(told, start=1):
            watcher.see(Event(task_id="t", seq=number, key=str(number), at=datetime.now(UTC), fact=fact))
        if not isinstance(watcher, JsonWatcher):
            watcher.say(told[2].text if isinstance(told[2], NoticeGiven) else "")
        watcher.close()
        printed = capsys.readouterr()
        if isinstance(watcher, JsonWatcher):
            assert len([json.loads(line) for line in printed.out.rstrip("\n").split("\n")]) == len(told)
            assert re.search("[\x00-\x08\x0b-\x1f\x7f]", printed.out) is None
        else:
            assert printed.out
            assert HARMFUL.search(printed.out + printed.err) is None
