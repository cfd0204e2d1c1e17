"""What is shown where edits fail again and again, and changes that would break a file."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from mcp_server.tools import Means, specialist_tools
from tests.mcp_server.place import Place, open_place

CODE = "def add(a, b):\n    return (a - b)\n"
LONG = "".join(f"line_{number} = {number}  # {'x' * 40}\n" for number in range(600))


@dataclass(frozen=True)
class Unbalanced:
    line: int
    region: str


class Brackets:
    """A syntax check that counts brackets in Python files."""

    async def syntax_problems(self, path: str, source: bytes) -> tuple[Unbalanced, ...] | None:
        if not path.endswith(".py"):
            return None
        lines = source.decode().split("\n")
        return tuple(
            Unbalanced(at, f"{at:6}\t{line}")
            for at, line in enumerate(lines, start=1)
            if line.count("(") != line.count(")")
        )

    async def broken_by(self, path: str, before: bytes, after: bytes) -> tuple[Unbalanced, ...]:
        return () if await self.syntax_problems(path, before) else await self.syntax_problems(path, after) or ()


FILES = {"calc.py": CODE, "long.py": LONG, "broken.py": "x = (\ny = 1\n", "a.txt": "(\n"}
TOOLS = specialist_tools(Means(syntax=Brackets()))


async def miss(place: Place, path: str = "calc.py") -> str:
    observation = await place.call("edit_file", path=path, old="return a * b", new="x")
    assert not observation.ok
    return observation.text


async def test_failed_edits_show_the_region_then_the_file_then_ask_for_a_rewrite(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        first, second, third = [await miss(place) for _ in range(3)]
        numbered = "     1\tdef add(a, b):\n     2\t    return (a - b)"

        assert "The nearest region is:" in first
        assert "as it is now" not in first
        assert second.endswith(f"The file calc.py as it is now:\n{numbered}")
        assert "3 edits of calc.py have failed" in third
        assert "give write_file the path calc.py" in third


@pytest.mark.parametrize("change", ["edit", "write"])
async def test_a_change_that_worked_starts_the_count_anew_and_files_count_apart(tmp_path: Path, change: str) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        await miss(place)
        await miss(place, "long.py")
        if change == "edit":
            assert (await place.call("edit_file", path="calc.py", old="a - b", new="a + b")).ok
        else:
            assert (await place.call("write_file", path="calc.py", content=CODE)).ok

        assert "as it is now" not in await miss(place)
        assert "as it is now" in await miss(place, "long.py")


async def test_of_a_long_file_a_part_is_shown_and_no_rewrite_is_asked_for(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        _, second, third = [await miss(place, "long.py") for _ in range(3)]

        assert "more lines; go on with start=" in second
        assert len(second) < 16_000
        assert "write_file" not in third
        assert "Show the lines with read_file" in third


async def test_an_edit_that_would_break_a_file_is_refused_with_the_region_and_counts_as_failed(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        first, second = [await place.call("edit_file", path="calc.py", old="b)\n", new="b\n") for _ in range(2)]

        assert not first.ok
        assert "would not parse any more (line 2)" in first.text
        assert "     2\t    return (a - b" in first.text
        assert "The file calc.py as it is now:" in second.text
        assert (await place.tree())["calc.py"].content == CODE.encode()


async def test_a_rewrite_that_would_break_a_file_is_refused_and_a_new_file_may_be_broken(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        refused = await place.call("write_file", path="calc.py", content="x = (")
        new = await place.call("write_file", path="new.py", content="x = (")

        assert not refused.ok
        assert "would not parse any more" in refused.text
        assert new.ok
        assert "Note that new.py does not parse (line 1)" in new.text
        tree = await place.tree()
        assert (tree["calc.py"].content, tree["new.py"].content) == (CODE.encode(), b"x = (")


async def test_a_file_that_is_broken_already_can_be_edited(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        still = await place.call("edit_file", path="broken.py", old="y = 1", new="y = 2")
        mended = await place.call("edit_file", path="broken.py", old="x = (", new="x = ()")

        assert still.ok
        assert "Note that broken.py does not parse" in still.text
        assert mended.ok
        assert "Note" not in mended.text


async def test_a_file_in_no_known_language_is_not_checked(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=TOOLS) as place:
        observation = await place.call("edit_file", path="a.txt", old="(", new="((")

        assert observation.ok
        assert observation.text == "Edited a.txt."
