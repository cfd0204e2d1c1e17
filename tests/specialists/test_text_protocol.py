"""Actions in plain text, as small models really write them."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.chat import ToolCall
from specialists.text_protocol import instructions, read

CODE = "def add(a, b):\n    return a + b\n"
FILE = ("write_file", {"path": "calc.py", "content": CODE})
LISTING = ("shell", {"command": "ls"})
BLOCK = f"```python\n{CODE}```"

Action = tuple[str, dict[str, str]]


def calls(text: str, *targets: str) -> list[ToolCall]:
    return [action.call for action in read(text, targets).actions]


def actions(text: str, *targets: str) -> list[Action]:
    return [(call.name, json.loads(call.arguments)) for call in calls(text, *targets)]


FILES = {
    "as told": f"```file path=calc.py\n{CODE}```",
    "path alone in the info": f"```calc.py\n{CODE}```",
    "language and path": f"```python calc.py\n{CODE}```",
    "language, colon, path": f"```python:calc.py\n{CODE}```",
    "title": f'```python title="calc.py"\n{CODE}```',
    "filename attribute": f"```python filename='calc.py'\n{CODE}```",
    "braces": f"```python {{file=calc.py}}\n{CODE}```",
    "dotted": f"```python ./calc.py\n{CODE}```",
    "absolute": f"```file path=/workspace/calc.py\n{CODE}```",
    "tildes": f"~~~file path=calc.py\n{CODE}~~~",
    "longer fence": f"````file path=calc.py\n{CODE}````",
    "comment": f"```python\n# calc.py\n{CODE}```",
    "comment with the word file": f"```python\n# file: calc.py\n{CODE}```",
    "bold before": f"**calc.py**\n{BLOCK}",
    "bold with colon before": f"Here it is.\n\n**calc.py:**\n\n{BLOCK}",
    "heading before": f"### calc.py\n{BLOCK}",
    "code span before": f"Here is `calc.py`:\n\n{BLOCK}",
    "word file before": f"File: calc.py\n{BLOCK}",
    "bare line before": f"calc.py\n{BLOCK}",
    "indented fence": f"  ```file path=calc.py\n{CODE}  ```",
    "unclosed": f"```file path=calc.py\n{CODE}",
    "prose around": f"I will write it now.\n```file path=calc.py\n{CODE}```\nThat is all.",
    "with a command": f"```file path=calc.py\n{CODE}```\n```sh\nls\n```",
    "with a submission": f"```file path=calc.py\n{CODE}```\nSUBMIT: done",
}


@pytest.mark.parametrize("text", FILES.values(), ids=FILES)
def test_a_file_is_found_wherever_its_path_stands(text: str) -> None:
    assert actions(text) == [FILE]


def test_several_files_are_written_in_order() -> None:
    text = f"```file path=src/a.py\n1\n```\nand\n**calc.py**\n{BLOCK}\n```b.py\n2\n```"
    assert [arguments["path"] for _, arguments in actions(text)] == ["src/a.py", "calc.py", "b.py"]
    assert [call.id for call in calls(text)] == ["text_0", "text_1", "text_2"]


OTHERS: dict[str, tuple[str, list[Action]]] = {
    "command": ("```sh\nls\n```", [LISTING]),
    "command with a prompt": ("```console\n$ ls\n```", [LISTING]),
    "two commands": ("```bash\nls\n```\nthen\n```bash\npwd\n```", [LISTING]),
    "command and submission": ("```sh\nls\n```\nSUBMIT: done", [LISTING]),
    "empty command": ("```sh\n\n```", []),
    "submission": ("SUBMIT: all tests pass", [("submit", {"summary": "all tests pass"})]),
    "bare submission": ("SUBMIT", [("submit", {"summary": "done"})]),
    "bold submission": ("All done.\n\n**SUBMIT**: ok", [("submit", {"summary": "ok"})]),
    "submission in a list": ("- SUBMIT: ok", [("submit", {"summary": "ok"})]),
    "submission in a fence": ("```\nSUBMIT: ok\n```", [("submit", {"summary": "ok"})]),
    "submission in a fence with a language": ("```text\nSUBMIT: ok\n```", [("submit", {"summary": "ok"})]),
    "talk of a submission": ("I will SUBMIT when it works.", []),
    "a longer word": ("SUBMITTING now would be wrong.", []),
    "a name": ("SUBMIT_URL is not set.", []),
    "a script with a path of its own": (
        "```sh path=run.sh\nls\n```",
        [("write_file", {"path": "run.sh", "content": "ls\n"})],
    ),
    "prose": ("I think that the function should add.", []),
    "nothing": ("", []),
}


@pytest.mark.parametrize(("text", "expected"), OTHERS.values(), ids=OTHERS)
def test_commands_and_submissions_are_told_from_talk(text: str, expected: list[Action]) -> None:
    assert actions(text) == expected
    # A file that the plan names changes nothing about that.
    assert actions(text, "calc.py") == expected


def test_a_single_block_without_a_name_is_the_file_that_the_plan_names() -> None:
    assert actions(f"Here you go:\n{BLOCK}", "calc.py") == [FILE]
    assert actions(BLOCK, "calc.py", "other.py") == []
    assert actions(f"{BLOCK}\n{BLOCK}", "calc.py") == []


def test_a_single_block_without_any_name_is_called_after_what_it_defines() -> None:
    assert actions("```python\nimport os\n\nclass Stack:\n    pass\n```")[0][1]["path"] == "stack.py"
    assert actions("```python\nx = 1\n```") == []


@given(st.text(), st.lists(st.just("calc.py"), max_size=2))
def test_no_reply_breaks_the_parser(text: str, targets: list[str]) -> None:
    read(text, targets)


PIECES = st.sampled_from(
    ["```", "~~~", "\n", "file path=", "a.py", "SUBMIT", ":", "sh", "#", "**", "`", " ", "x", "$ "]
)


@given(st.lists(PIECES, max_size=30).map("".join))
def test_whatever_it_finds_can_be_called(text: str) -> None:
    for name, arguments in actions(text, "calc.py"):
        assert name in {"write_file", "shell", "submit"}
        assert all(isinstance(value, str) for value in arguments.values())
        assert arguments.get("path") != ""


@given(st.text(st.characters(exclude_characters="`~\r"), min_size=1).filter(str.strip))
def test_the_content_of_a_file_arrives_as_it_was_written(content: str) -> None:
    lines = content if content.endswith("\n") else f"{content}\n"
    first = lines.split("\n", 1)[0].strip()
    if not first.startswith(("#", "//", "--", "<!--")):
        assert actions(f"```file path=a.txt\n{lines}```") == [("write_file", {"path": "a.txt", "content": lines})]


def test_the_examples_in_the_instructions_are_understood() -> None:
    assert [name for name, _ in actions(instructions())] == ["write_file"]
    command = instructions().partition("To run a command")[2]
    assert actions(command)[0][0] == "shell"
    assert actions(command.partition("To hand in")[2]) == [("submit", {"summary": "what you did"})]
