"""Context of all providers together."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.project_context import project_context
from domain.errors import ParserUnavailable
from domain.files import File, FileTree
from domain.tokens import estimate_text
from mcp_server.context.project_context import Gathered, Part, ProjectContext
from mcp_server.context.provider import Topic, beginning
from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.repo_map import RepoMap
from tests.mcp_server.code.outline import SAMPLES

FILES: FileTree = {
    "AGENTS.md": File(content=b"Use tabs.\n"),
    "README.md": File(content=b"# Shop\nIt sells.\n"),
    "pyproject.toml": File(content=b'[project]\nrequires-python = ">=3.11"\n'),
    "shop.py": File(content=b"def sell(): ...\n"),
}
HOSTILE: FileTree = {
    "README.md": File(content=b"\0\xff\x1b]0;x\x07" * 1000),
    "docs/big.md": File(content=b"# " + b"x" * 50_000_000),
    "pyproject.toml": File(content=b"[[[[" * 10_000),
    "package.json": File(content=b"[" * 100_000),
    "AGENTS.md": File(content=b"\xff" * 2**20),
    "CLAUDE.md": File(link="AGENTS.md"),
    "a.py": File(content=b"(" * 100_000),
    "\u202eb.md": File(content=b"# \xe2\x80\xae"),
}


@pytest.fixture
async def context(tmp_path: Path) -> AsyncIterator[ProjectContext]:
    own = tmp_path / "preferences.md"
    own.write_text("Be brief.\n")
    async with Parsers() as parsers:
        yield project_context(RepoMap(parsers), own)


class Says:
    """A provider of one text."""

    def __init__(self, name: str, text: str = "", error: Exception | None = None, waits_s: float = 0.0) -> None:
        self.name = name
        self._text = text
        self._error = error
        self._waits_s = waits_s
        self.budget = 0

    async def give(self, files: FileTree, topic: Topic, budget_tokens: int) -> str:
        """The text."""
        self.budget = budget_tokens
        await asyncio.sleep(self._waits_s)
        if self._error is not None:
            raise self._error
        return beginning(self._text, (budget_tokens - 8) * 3)


async def test_what_stays_the_same_comes_before_what_changes(context: ProjectContext) -> None:
    assert context.names == ("preferences", "environment", "documentation", "repository")
    text = (await context.gather(FILES, Topic(text="Mend `sell`."), 4_000)).text
    places = [text.index(part) for part in ("Be brief.", "Use tabs.", "Python >=3.11", "It sells.", "def sell()")]
    assert places == sorted(places)
    other = (await context.gather(FILES, Topic(text="Mend README.md."), 4_000)).text
    assert other[: places[-2]] == text[: places[-2]]


async def test_the_budget_holds_whatever_the_tree_is(context: ProjectContext) -> None:
    samples = {sample.name: File(content=sample.read_bytes()) for sample in SAMPLES.values()}
    trees: list[FileTree] = [FILES, HOSTILE, FILES | samples, HOSTILE | samples, {}]
    for files, budget in itertools.product(trees, (0, 50, 200, 1000, 4000)):
        gathered = await context.gather(files, Topic(text="sell", paths=("shop.py",)), budget)
        assert gathered.notes == ()
        assert not gathered.text or estimate_text(gathered.text) <= budget
        assert "\x1b" not in gathered.text
        assert "\u202e" not in gathered.text


async def test_equal_trees_give_equal_context(context: ProjectContext) -> None:
    backwards = dict(reversed(FILES.items()))
    assert await context.gather(FILES, Topic(), 4_000) == await context.gather(backwards, Topic(), 4_000)


async def test_what_fails_becomes_a_note_and_the_others_are_told() -> None:
    parts = [
        Part(Says("broken", error=RecursionError("too deep")), 0.2),
        Part(Says("fine", "all is well\n"), 0.2),
        Part(Says("unavailable", error=ParserUnavailable()), 0.2),
        Part(Says("slow", waits_s=600), 1),
    ]
    gathered = await ProjectContext(parts, provider_s=0.05).gather({}, Topic(), 1_000)
    assert gathered == Gathered(
        text="all is well\n",
        notes=(
            "The broken could not be told: RecursionError('too deep')",
            f"The unavailable could not be told: {ParserUnavailable()}",
            "The slow could not be told in 0 s.",
        ),
    )


async def test_a_cancelled_task_is_not_held_up_by_a_provider() -> None:
    asking = asyncio.create_task(ProjectContext([Part(Says("slow", waits_s=600), 1)]).gather({}, Topic(), 100))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_the_last_provider_gets_what_the_others_left() -> None:
    first, last = Says("first", "short"), Says("last", "line\n" * 1000)
    text = (await ProjectContext([Part(first, 0.5), Part(last, 1)]).gather({}, Topic(), 1_000)).text
    assert first.budget == 500
    assert 980 <= last.budget < 1_000
    assert 900 <= estimate_text(text) <= 1_000


async def test_one_provider_can_be_asked_alone(context: ProjectContext) -> None:
    assert "It sells." in (await context.one("documentation", FILES, Topic(), 1_000)).text
    with pytest.raises(KeyError):
        await context.one("nothing", FILES, Topic(), 1_000)
