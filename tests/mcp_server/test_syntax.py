"""The syntax gate with real parsers."""

from pathlib import Path

import pytest

from domain.errors import ParserUnavailable
from mcp_server.code.symbol import Problem
from mcp_server.tools import Means, specialist_tools
from tests.mcp_server.code_place import reading_place
from tests.mcp_server.place import open_place

FILES = {
    "calc.py": "def add(a, b):\n    return (a - b)\n",
    "calc.go": "package calc\n\nfunc Add(a int) int {\n\treturn a\n}\n",
    "calc.c": "int add(int a) { return a; }\n",
    "broken.py": "def (:\n    pass\n",
}


class NobodyHome:
    """A syntax check that has no process to parse with."""

    async def syntax_problems(self, path: str, source: bytes) -> tuple[Problem, ...] | None:
        raise ParserUnavailable

    async def broken_by(self, path: str, before: bytes, after: bytes) -> tuple[Problem, ...]:
        raise ParserUnavailable


@pytest.mark.parametrize(("path", "old", "line"), [("calc.py", "b)\n", 2), ("calc.go", "a int)", 3)])
async def test_an_edit_that_breaks_a_file_is_refused_with_the_region(
    path: str, old: str, line: int, tmp_path: Path
) -> None:
    async with reading_place(tmp_path, FILES) as place:
        refused = await place.call("edit_file", path=path, old=old, new=old.replace(")", ""))
        assert not refused.ok
        assert f"{path} parses now and would not parse any more (line {line})" in refused.text
        assert f"{line:6}\t" in refused.text
        assert (await place.tree())[path].content.decode() == FILES[path]
        assert (await place.call("edit_file", path="calc.py", old="a - b", new="a + b")).text == "Edited calc.py."


async def test_a_new_file_may_be_broken_and_a_broken_one_may_be_edited_and_both_are_told(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        made = await place.call("write_file", path="new.ts", content="function f( {\n")
        assert made.ok
        assert "Note that new.ts does not parse (line 1)" in made.text
        edited = await place.call("edit_file", path="broken.py", old="pass", new="return 1")
        assert "Note that broken.py does not parse" in edited.text


async def test_of_a_language_whose_grammar_cannot_tell_nothing_is_said(tmp_path: Path) -> None:
    async with reading_place(tmp_path, FILES) as place:
        for path, text in {"calc.c": "int add(int a { return a; }\n", "new.h": "X(\n", "a.txt": "("}.items():
            written = await place.call("write_file", path=path, content=text)
            assert written.ok
            assert "Note" not in written.text


async def test_work_goes_on_where_nothing_can_be_parsed(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES, tools=specialist_tools(Means(syntax=NobodyHome()))) as place:
        edited = await place.call("edit_file", path="calc.py", old="b)\n", new="b\n")
        assert (edited.ok, edited.text) == (True, "Edited calc.py.")
        assert place.session.failure is None
