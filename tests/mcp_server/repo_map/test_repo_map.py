"""Maps of whole trees, with real workers."""

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.files import File, FileTree
from domain.tokens import estimate_text
from mcp_server.parsers.parsers import Parsers
from mcp_server.repo_map.mentioned import Mentioned, mentioned_in
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.repo_map.source import Source, blob_id
from tests.mcp_server.code.outline import SAMPLES
from tests.mcp_server.parsers.test_parsers import GLUTTON
from tests.mcp_server.repo_map.trees import PATHS, files, trees

PLENTY = 10_000
TREE = {
    "shop/cart.py": File(content=b"from shop.price import price_of\n\nclass Cart:\n    def total(self): ...\n"),
    "shop/price.py": File(content=b"CURRENCY = 'EUR'\n\ndef price_of(item: str) -> int:\n    return 1\n"),
    "shop/main.py": File(content=b"from shop.cart import Cart\nfrom shop.price import price_of\n\nprice_of('a')\n"),
    "README.md": File(content=b"# Shop\n"),
    "link.py": File(link="shop/cart.py"),
}


@pytest.fixture
async def parsers() -> AsyncIterator[Parsers]:
    async with Parsers() as opened:
        yield opened


async def test_a_map_shows_files_and_their_symbols_the_most_used_first(parsers: Parsers) -> None:
    assert await RepoMap(parsers).show(TREE, PLENTY) == (
        "shop/price.py:\n  CURRENCY = 'EUR'\n  def price_of(item: str) -> int\n"
        "shop/cart.py:\n  class Cart\n    def total(self)\n"
        "shop/main.py\nREADME.md"
    )


async def test_a_map_of_sources_with_known_ids_is_that_of_the_tree(parsers: Parsers) -> None:
    sources = [Source(path, blob_id(file.content), file.content) for path, file in TREE.items() if file.link is None]
    assert await RepoMap(parsers).show(sources, 200) == await RepoMap(parsers).show(TREE, 200)


async def test_every_language_is_in_the_map(parsers: Parsers) -> None:
    tree = {sample.name: File(content=sample.read_bytes()) for sample in SAMPLES.values()}
    lines = (await RepoMap(parsers).show(tree, PLENTY)).split("\n")
    assert {f"{name}:" for name in tree} <= set(lines)


async def test_what_a_request_mentions_comes_first_and_the_budget_holds(parsers: Parsers) -> None:
    mentioned = mentioned_in("Why is `total` in shop/main.py wrong?", TREE)
    drawn = await RepoMap(parsers).show(TREE, 35, mentioned)

    assert drawn == "shop/main.py\nshop/cart.py:\n  class Cart\n    def total(self)\nshop/price.py"
    assert estimate_text(drawn) <= 35


async def test_the_same_content_in_two_languages_is_read_in_each(parsers: Parsers, tmp_path: Path) -> None:
    same = File(content=b"function main() {}\n")
    for _ in range(2):
        drawn = await RepoMap(parsers, tmp_path / "tags").show({"a.js": same, "a.py": same}, PLENTY)
        assert drawn == "a.js:\n  function main()\na.py"


async def test_an_empty_tree_and_no_budget_give_an_empty_map(parsers: Parsers) -> None:
    assert await RepoMap(parsers).show({}, PLENTY) == ""
    assert await RepoMap(parsers).show(TREE, 0) == ""


async def test_hostile_files_do_not_keep_the_others_out_of_the_map(parsers: Parsers, tmp_path: Path) -> None:
    tree = TREE | {"A.java": File(content=GLUTTON), "nul.py": File(content=b"\x00" * 1000)}
    repo_map = RepoMap(parsers, tmp_path / "tags")

    assert "def price_of(item: str) -> int" in await repo_map.show(tree, PLENTY)
    assert "A.java" in (await repo_map.show(tree, PLENTY)).split("\n")


class Counting(Parsers):
    """Parsers that count what they are asked to read."""

    def __init__(self) -> None:
        super().__init__()
        self.read_paths: list[str] = []

    async def read(self, files: list[tuple[str, bytes]]) -> dict[int, bytes | None]:  # type: ignore[override]  # maps give lists
        self.read_paths += [path for path, _ in files]
        return await super().read(files)


async def test_after_one_changed_file_that_file_alone_is_read(tmp_path: Path) -> None:
    async with Counting() as parsers:
        repo_map = RepoMap(parsers, tmp_path / "tags")
        await repo_map.show(TREE, PLENTY)
        assert sorted(parsers.read_paths) == ["shop/cart.py", "shop/main.py", "shop/price.py"]
        parsers.read_paths.clear()
        changed = TREE | {"shop/cart.py": File(content=b"def other(): ...\n")}
        assert "def other()" in await repo_map.show(changed, PLENTY)
        await repo_map.show(TREE, PLENTY)
        await repo_map.show(changed | {"copy/of.py": TREE["shop/cart.py"]}, PLENTY)
    assert parsers.read_paths == ["shop/cart.py"]


async def test_another_process_reads_nothing_that_was_kept(tmp_path: Path) -> None:
    async with Counting() as parsers:
        first = await RepoMap(parsers, tmp_path / "tags").show(TREE, PLENTY)
        parsers.read_paths.clear()
        assert await RepoMap(parsers, tmp_path / "tags").show(TREE, PLENTY) == first
        assert parsers.read_paths == []


async def test_what_was_kept_and_makes_no_sense_is_read_again(tmp_path: Path) -> None:
    async with Parsers() as parsers:
        first = await RepoMap(parsers, tmp_path / "tags").show(TREE, PLENTY)
        database = sqlite3.connect(tmp_path / "tags")
        database.execute("UPDATE tags_1 SET tags = substr(tags, 1, 9) WHERE rowid < 3")
        database.execute("UPDATE tags_1 SET tags = 'text' WHERE rowid = 3")
        database.commit()
        database.close()
        assert await RepoMap(parsers, tmp_path / "tags").show(TREE, PLENTY) == first
        assert await RepoMap(parsers, tmp_path / "tags").show(TREE, PLENTY) == first


async def test_a_source_that_ended_its_worker_is_not_read_again_by_this_process(tmp_path: Path) -> None:
    async with Counting() as parsers:
        repo_map = RepoMap(parsers, tmp_path / "tags")
        tree = {"A.java": File(content=GLUTTON)}
        assert await repo_map.show(tree, PLENTY) == "A.java"
        assert await repo_map.show(tree, PLENTY) == "A.java"
        assert parsers.read_paths == ["A.java"]


async def test_maps_of_several_trees_are_drawn_at_once(parsers: Parsers, tmp_path: Path) -> None:
    repo_map = RepoMap(parsers, tmp_path / "tags")
    many: list[FileTree] = [{f"{number}.py": File(content=f"def f{number}(): ...".encode())} for number in range(20)]
    drawn = await asyncio.gather(*(repo_map.show(tree, PLENTY) for tree in many))
    assert drawn == [f"{number}.py:\n  def f{number}()" for number in range(20)]


def test_neither_the_map_nor_the_command_line_loads_a_grammar_into_our_own_process() -> None:
    program = "import sys, app.cli, mcp_server.repo_map.repo_map; print([n for n in sys.modules if 'tree_sitter' in n])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


changes = st.lists(st.tuples(st.sampled_from(PATHS), st.none() | files), max_size=5)
abouts = st.builds(Mentioned, files=st.frozensets(st.sampled_from(PATHS), max_size=2))


@settings(deadline=None, max_examples=25)
@given(trees, changes, abouts, st.integers(0, 120))
def test_after_any_changes_a_map_is_what_it_would_be_from_nothing(
    tree: FileTree, changed: list[tuple[str, File | None]], mentioned: Mentioned, budget: int
) -> None:
    async def check() -> None:
        async with Parsers() as parsers:
            kept = RepoMap(parsers)
            await kept.show(tree, budget, mentioned)
            for path, file in changed:
                tree.pop(path, None)
                if file is not None:
                    tree[path] = file
                drawn = await kept.show(tree, budget, mentioned)
                assert drawn == await RepoMap(parsers).show(dict(reversed(tree.items())), budget, mentioned)

    asyncio.run(check())
