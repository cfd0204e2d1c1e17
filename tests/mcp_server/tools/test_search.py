"""Searching in files."""

from pathlib import Path

import pytest

from tests.mcp_server.place import Place, open_place

FILES = {
    "calc.py": "import os\n\ndef add(a, b):\n    return a - b\n",
    "src/deep.py": "def add(): ...\n",
    ".venv/x.py": "def add(): ...\n",
    ".github/ci.yml": "run: add\n",
    "long.js": f"var add = '{'x' * 5000}'\n",
}


async def lines(place: Place, **arguments: object) -> list[str]:
    observation = await place.call("search", **arguments)
    assert observation.ok, observation.text
    return sorted(observation.text.split("\n"))


async def test_lines_are_found_in_all_files_by_default_and_in_one_that_is_named(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert await lines(place, pattern="def (add|sub)") == [
            "calc.py:3:def add(a, b):",
            "src/deep.py:1:def add(): ...",
        ]
        assert await lines(place, pattern="add", path="./calc.py") == ["calc.py:3:def add(a, b):"]
        assert await lines(place, pattern="add", path="/workspace/src/") == ["src/deep.py:1:def add(): ..."]
        assert await lines(place, pattern="add", path=".github") == [".github/ci.yml:1:run: add"]


async def test_the_usual_classes_of_characters_are_understood(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "x1 = 5\n"}) as place:
        for pattern in (r"\w\d\s=", r"(?i)X1", r"\bx1\b", "-e|x1"):
            assert await lines(place, pattern=pattern) == ["a.txt:1:x1 = 5"], pattern


async def test_what_is_no_regular_expression_is_searched_for_as_it_stands(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        observation = await place.call("search", pattern="def add(a")
        assert observation.text.startswith("[the pattern is no regular expression")
        assert observation.text.endswith("\ncalc.py:3:def add(a, b):")
        assert (await place.call("search", pattern="f(")).text.endswith("No match.")


async def test_lines_around_a_match_are_shown_and_gaps_are_marked(tmp_path: Path) -> None:
    text = "".join(f"{'hit' if number in {2, 9} else 'line'} {number}\n" for number in range(1, 11))
    async with open_place(tmp_path, {"a.txt": text}) as place:
        found = (await place.call("search", pattern="hit", context=1)).text
        assert found.split("\n") == [
            "a.txt-1-line 1", "a.txt:2:hit 2", "a.txt-3-line 3", "--",
            "a.txt-8-line 8", "a.txt:9:hit 9", "a.txt-10-line 10",
        ]  # fmt: skip


async def test_an_answer_that_was_cut_says_so_and_how_much_there_is(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "hit\n" * 120, "b.txt": "miss\n"}) as place:
        usual = await place.call("search", pattern="hit")
        assert usual.text.count("a.txt:") == 50
        assert "[the first 50 of 120 matching lines;" in usual.text
        fewer = await place.call("search", pattern="hit", max_results=3)
        assert fewer.text.count("a.txt:") == 3
        whole = await place.call("search", pattern="hit", max_results=500)
        assert whole.text.count("a.txt:") == 120
        assert "[the first" not in whole.text


async def test_a_line_that_is_very_long_is_shown_in_part(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        (line,) = await lines(place, pattern="var add")
        assert len(line) < 600
        assert line.endswith("[...]")


async def test_a_search_says_when_nothing_matches_and_where_nothing_is(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert (await place.call("search", pattern="multiply", path="calc.py")).text == "No match."
        missing = await place.call("search", pattern="x", path="deep.py")
        assert not missing.ok
        assert missing.text == "There is nothing at deep.py. Files: src/deep.py"


@pytest.mark.parametrize("path", ["..", "/etc", "src/../..", "way", "way/hosts", "inner/deep.py"])
async def test_no_search_leads_out_of_the_workspace(path: str, tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        await place.call("shell", command="ln -s /etc way; ln -s src inner")
        observation = await place.call("search", pattern=".", path=path)
        assert not observation.ok
        assert "is a link" in observation.text or "leaves the workspace" in observation.text
        assert "localhost" not in observation.text
        assert "localhost" not in (await place.call("search", pattern="localhost")).text


async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        await place.call("shell", command="mkfifo pipe")
        observation = await place.call("search", pattern=".", path="pipe")
        assert "neither a file nor a folder" in observation.text


async def test_files_that_a_pattern_takes_too_long_for_are_named_and_the_others_searched(tmp_path: Path) -> None:
    hard = "a" * 40 + "b\naaa\n"
    files = {**{f"f{number}.txt": "aaa\n" for number in range(20)}, "src/[long]*.txt": hard}
    async with open_place(tmp_path, files) as place:
        observation = await place.call("search", pattern="(a+)+$")
        assert observation.text.startswith("[files called [long]*.txt were left out")
        data = await place.data("search", pattern="(a+)+$")
        assert (len(data["matches"]), data["complete"]) == (20, False)
        await place.call("write_file", path="second.txt", content=hard)
        await place.call("write_file", path="third.txt", content=hard)
        data = await place.data("search", pattern="(a+)+$", path=".")
        assert not data["complete"]
        assert "not all files were searched" in (await place.call("search", pattern="(a+)+$")).text


async def test_a_pattern_is_of_one_line(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert await lines(place, pattern="def add\n", path="src") == ["src/deep.py:1:def add(): ..."]
        for pattern in ("def add(a\nreturn", "\n", "import\n\n"):
            observation = await place.call("search", pattern=pattern)
            assert not observation.ok
            assert "without a newline" in observation.text
