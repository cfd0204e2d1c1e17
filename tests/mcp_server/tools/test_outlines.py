"""Outlines of files and folders."""

import sys
from pathlib import Path

import pytest

from domain.files import File
from mcp_server.code.languages import LANGUAGES
from mcp_server.tools.outlines import PAGE_FILES, PAGE_SYMBOLS, SYMBOLS_OF_EACH
from tests.mcp_server.code.outline import SAMPLES
from tests.mcp_server.code_place import reading_place
from tests.mcp_server.place import Place, open_place

CART = "RATE = 2\n\n\nclass Cart:\n    def total(self) -> int:\n        def inner(): ...\n        return 1\n"
FILES = {"shop/cart.py": CART, "shop/go/main.go": "package main\n\nfunc main() {}\n", "README.md": "# Shop\n"}


async def test_a_file_is_outlined_by_lines_without_what_is_inside_of_functions(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        observation = await place.call("outline", path="shop/cart.py")
        assert observation.text == (
            "shop/cart.py (7 lines):\n"
            "     1-1      RATE = 2\n"
            "     4-7      class Cart\n"
            "     5-7        def total(self) -> int"
        )
        data = await place.data("outline", path="/workspace/shop/cart.py")
        assert [(one["kind"], one["name"], one["depth"]) for one in data["symbols"]] == [
            ("constant", "RATE", 0), ("class", "Cart", 0), ("method", "total", 1)
        ]  # fmt: skip
        assert (data["total"], data["next_start"], data["unread"]) == (3, None, [])


async def test_a_folder_is_outlined_file_by_file(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        assert (await place.call("outline")).text == (
            "README.md\n"
            "shop/cart.py:\n     1-1      RATE = 2\n     4-7      class Cart\n     5-7        def total(self) -> int\n"
            "shop/go/main.go:\n     3-3      func main()"
        )
        data = await place.data("outline", path="shop/go/")
        assert ([one["path"] for one in data["symbols"]], data["total"]) == (["shop/go/main.go"], 1)
        assert (await place.data("outline"))["unread"] == ["README.md"]


async def test_what_was_changed_a_moment_ago_is_outlined_as_it_is_now(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        await place.call("outline", path="shop/cart.py")
        await place.call("shell", command="echo 'def new(): ...' > shop/cart.py")
        assert (await place.call("outline", path="shop/cart.py")).text.endswith("1-1      def new()")


async def test_long_outlines_are_read_page_by_page_and_nothing_is_left_out(tmp_path: Path) -> None:
    many = "".join(f"def f{number:04}(argument: int) -> int: ...\n" for number in range(1000))
    files = {"many.py": many} | {f"folder/f{number:03}.py": many for number in range(100)}
    async with reading_place(tmp_path, files) as place:
        assert await pages(place, "many.py", "name") == [f"f{number:04}" for number in range(1000)]
        found = await pages(place, "folder", "path")
        assert sorted(set(found)) == [f"folder/f{number:03}.py" for number in range(100)]
        assert len(found) == 100 * SYMBOLS_OF_EACH
        shown = (await place.call("outline", path="many.py")).text
        assert f"[{1000 - PAGE_SYMBOLS} more symbols; go on with start={PAGE_SYMBOLS + 1}]" in shown
        assert "left out" not in shown
        past = await place.call("outline", path="folder", start=101)
        assert past.text == "folder has 100 files. Start at one of them."


async def pages(place: Place, path: str, field: str) -> list[str]:
    """What the field holds of every symbol, page after page."""
    found: list[str] = []
    start: int | None = 1
    while start is not None:
        data = await place.data("outline", path=path, start=start)
        assert len({one["path"] for one in data["symbols"]}) <= PAGE_FILES
        found += [one[field] for one in data["symbols"]]
        start = data["next_start"]
    return found


async def test_a_file_that_nobody_can_read_has_no_outline_and_the_answer_says_which_have(tmp_path: Path) -> None:
    files = FILES | {"large.py": "x = 1\n" * 300_000, "no.py": ""}
    async with reading_place(tmp_path, files) as place:
        for path in ("README.md", "large.py"):
            refused = await place.call("outline", path=path)
            assert not refused.ok
            assert f"{path} has no outline" in refused.text
            assert all(language.name in refused.text for language in LANGUAGES)
        assert (await place.call("outline", path="no.py")).text == "no.py (0 lines):"
        missing = await place.call("outline", path="nowhere")
        assert missing.text.startswith("There is nothing at nowhere. Files: ")


async def test_every_language_is_outlined(tmp_path: Path) -> None:
    samples = {sample.name: sample.read_bytes().decode() for sample in SAMPLES.values()}
    async with reading_place(tmp_path, samples) as place:
        for name in samples:
            assert (await place.data("outline", path=name))["symbols"], name


async def test_links_are_not_followed(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        await place.call("shell", command="ln -s cart.py shop/link.py; ln -s /etc out")
        for path in ("shop/link.py", "out/passwd", "out"):
            assert not (await place.call("outline", path=path)).ok
        place.session.tree["link.py"] = File(link="shop/cart.py")  # as a repository brings it
        assert not (await place.call("outline", path="link.py")).ok
        assert "link" not in (await place.call("outline")).text


@pytest.mark.parametrize("tool", ["outline", "repo_map"])
async def test_where_nothing_can_read_code_the_tools_say_what_to_use(tool: str, tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert (await place.call(tool)).text.endswith("Use search and read_file.")


@pytest.mark.parametrize("tool", ["outline", "repo_map"])
async def test_where_no_worker_starts_the_tools_say_what_to_use_and_the_work_goes_on(
    tool: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with reading_place(tmp_path, FILES) as place:
        monkeypatch.setattr(sys, "executable", "/bin/false")
        assert (await place.call(tool)).text.endswith("Use search and read_file.")
        assert (await place.call("write_file", path="shop/cart.py", content="x = (")).ok
        assert place.session.failure is None
