"""Formatting files in the sandbox."""

from pathlib import Path

from domain.files import File
from mcp_server.protection import Protection
from tests.mcp_server.place import open_place

UGLY, PRETTY = "x = { 'a':1 }\n", b'x = {"a": 1}\n'
FILES = {"a.py": UGLY, "src/b.py": UGLY, "src/c.py": PRETTY.decode(), "README.md": "#  x\n", ".venv/d.py": UGLY}


async def test_all_files_are_formatted_or_those_that_are_named(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        one = await place.call("format", paths=["src"])
        assert one.text == "Formatted: src/b.py (2 files looked at)."
        assert one.changed == ("src/b.py",)
        assert (await place.data("format"))["changed"] == ["a.py"]
        assert (await place.call("format")).text == "Nothing had to change (3 files looked at)."
        tree = await place.tree()
        assert {path for path, file in tree.items() if file.content == PRETTY} == {"a.py", "src/b.py", "src/c.py"}
        assert tree[".venv/d.py"] == File(content=UGLY.encode())


async def test_protected_files_are_left_alone_without_a_word_unless_they_are_all(tmp_path: Path) -> None:
    async with open_place(tmp_path, {**FILES, "test_a.py": UGLY}, Protection(protected=("test_*.py",))) as place:
        every = await place.call("format")
        assert every.ok
        assert every.dropped == ()
        named = await place.call("format", paths=["test_a.py"])
        assert not named.ok
        assert "protected" in named.text
        assert (await place.tree())["test_a.py"].content == UGLY.encode()


async def test_a_file_that_cannot_be_parsed_is_named_and_the_others_are_formatted(tmp_path: Path) -> None:
    async with open_place(tmp_path, {**FILES, "bad.py": "x = (\n"}) as place:
        observation = await place.call("format")
        assert not observation.ok
        assert "bad.py" in observation.text
        assert observation.changed == ("a.py", "src/b.py")


async def test_a_language_whose_formatter_is_not_there_is_told(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.py": UGLY, "b.java": "class B{}\n"}) as place:
        observation = await place.call("format")
        assert "Java cannot be formatted: its formatter is not in this sandbox." in observation.text
        assert "Formatted: a.py (1 files looked at)." in observation.text
        assert (await place.data("format", paths=["b.java"]))["unavailable"] == ["Java"]


async def test_where_there_is_nothing_to_format_it_is_said(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"README.md": "x", "src/a.py": ""}) as place:
        for paths, why in ((["a.py"], "Files: src/a.py"), (["README.md"], "Python, TypeScript"), ([".."], "leaves")):
            observation = await place.call("format", paths=paths)
            assert not observation.ok
            assert why in observation.text
