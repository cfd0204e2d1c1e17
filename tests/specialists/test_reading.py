"""Replies of small models are acted on where their meaning is beyond doubt, and nowhere else."""

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.chat import ToolSchema
from domain.replies import ReplyProblem
from mcp_server.tools import SPECIALIST_TOOLS
from specialists.reading.action import Reading
from specialists.reading.fences import blocks
from specialists.text_protocol import read
from tests.specialists.small_model_replies import (
    CODE,
    EDITS,
    FENCES,
    FILE,
    LISTING,
    SHELL,
    THOUGHTS,
    UNSURE,
    WRITTEN,
    Action,
)

TOOLS = tuple(
    ToolSchema(name=tool.name, description=tool.description, parameters=tool.arguments.model_json_schema())
    for tool in SPECIALIST_TOOLS
)
UNDERSTOOD = {**FENCES, **THOUGHTS, **WRITTEN, **EDITS}


def reading(text: str, *targets: str, cut_off: bool = False) -> Reading:
    return read(text, targets, TOOLS, cut_off)


def actions(text: str, *targets: str) -> list[Action]:
    return [(one.call.name, json.loads(one.call.arguments)) for one in reading(text, *targets).actions]


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_what_is_beyond_doubt_is_done(text: str, expected: list[Action]) -> None:
    assert actions(text) == expected
    assert actions(text, "calc.py") == expected


@pytest.mark.parametrize(("text", "expected"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_windows_line_ends_change_nothing(text: str, expected: list[Action]) -> None:
    assert actions(text.replace("\r\n", "\n").replace("\n", "\r\n")) == expected


@pytest.mark.parametrize("text", UNSURE.values(), ids=UNSURE)
def test_what_is_open_to_doubt_is_not_done(text: str) -> None:
    assert actions(text) == []
    assert actions(text, "calc.py") == []
    assert reading(text, "calc.py").problem is not None


@pytest.mark.parametrize(("text", "_expected"), WRITTEN.values(), ids=WRITTEN)
def test_a_call_in_the_block_of_a_file_is_the_file(text: str, _expected: list[Action]) -> None:
    if "```" not in text:
        assert [name for name, _ in actions(f"````file path=notes.txt\n{text}\n````")] == ["write_file"]


@pytest.mark.parametrize("text", [f"```file path=calc.py\n{CODE}", "```sh\nls", "<think>So", "I will now", SHELL[:-10]])
def test_a_reply_that_was_cut_off_at_its_limit_does_nothing_that_lacks_its_end(text: str) -> None:
    assert reading(text, cut_off=True) == Reading(problem=ReplyProblem.CUT_OFF, said=reading(text, cut_off=True).said)


def test_a_reply_that_was_cut_off_after_its_action_does_it() -> None:
    assert [one.call.name for one in reading(f"```file path=calc.py\n{CODE}```\nAnd n", cut_off=True).actions] == [
        "write_file"
    ]


PROBLEMS = {
    "I think so.": ReplyProblem.NO_ACTION,
    "<think>Hm": ReplyProblem.ONLY_THOUGHT,
    "```python\nx = 1\n```": ReplyProblem.NO_PATH,
    "```file path=calc.py\ndef add(": ReplyProblem.DOUBTFUL_BLOCK,
}


@pytest.mark.parametrize(("text", "problem"), PROBLEMS.items())
def test_the_problem_of_a_reply_without_an_action_is_said(text: str, problem: ReplyProblem) -> None:
    assert reading(text).problem is problem


def test_only_what_had_to_be_put_right_counts_as_repaired() -> None:
    repairs = {text: [bool(one.repair) for one in reading(text).actions] for text in (SHELL, "```sh\nls\n```")}
    assert repairs == {SHELL: [True], "```sh\nls\n```": [False]}


def test_thoughts_are_not_kept_in_the_conversation() -> None:
    assert reading("<think>Hm.</think>\n```sh\nls\n```").said.strip() == "```sh\nls\n```"


MARKS = [
    "```", "~~~", "'''", "````", "\n", "\r\n", " ", "file path=a.py", "python", "json", "sh", "SUBMIT: x", "<think>",
    "</think>", "<tool_call>", "</tool_call>", "[TOOL_CALLS]", "<function=shell>", "<parameter=command>",
    "</parameter>",
    "</function>", '{"name": "shell", "arguments": {', '"command": "ls"', "}}", "{", "}", "[", "]", "(", ")", '"', "'",
    '"""', "\\", "shell(", "write_file(path=", "command=", "--- a/a.py", "+++ b/a.py", "@@ -1 +1 @@", "-x", "+y",
    "<<<<<<< SEARCH", "=======", ">>>>>>> REPLACE", "&lt;", "a.py:", "x = 1", "Observation:", "Action: shell",
]  # fmt: skip
HOSTILE = st.lists(st.sampled_from(MARKS), max_size=40).map("".join)


@given(HOSTILE | st.text(), st.booleans(), st.sampled_from([(), ("calc.py",), ("a.py", "b.py")]))
def test_every_reply_is_read_as_calls_or_as_a_problem(text: str, cut_off: bool, targets: tuple[str, ...]) -> None:
    found = read(text, targets, TOOLS, cut_off)
    assert bool(found.actions) != (found.problem is not None)
    for at, one in enumerate(found.actions):
        assert one.call.id == f"text_{at}"
        assert isinstance(json.loads(one.call.arguments), dict)


@given(st.text(st.sampled_from("ab \n\t(){}[]\"'`~\\<>&;.:=-+@#"), max_size=200))
@example("-.a")
def test_a_file_in_a_long_fence_arrives_as_it_was_written(content: str) -> None:
    lines = f"# {content}\nend\n" if content else "end\n"
    assert actions(f"`````file path=a.txt\n{lines}`````") == [("write_file", {"path": "a.txt", "content": lines})]


@given(HOSTILE)
def test_blocks_follow_each_other_and_stay_within_the_text(text: str) -> None:
    end = 0
    for block in blocks(text):
        assert end <= block.start < block.end <= len(text)
        end = block.end


REPEATED = [*MARKS, *(f"{mark}\n" for mark in MARKS), "```a.py\nx```\n", "````a\nx````\n```b\ny```\n", "# a" + " " * 50]
REPEATED += ['{"name": "shell", "arguments": {"command": "', "<function=shell>{", "shell('", "a" * 299 + "\n```\n"]
HOSTILE_CHARACTERS = 150_000


@pytest.mark.parametrize("piece", REPEATED, ids=ascii)
def test_a_long_hostile_reply_is_read_before_the_time_limit_of_a_test(piece: str) -> None:
    """Were the time quadratic, these lengths would take hours."""
    read(piece * (HOSTILE_CHARACTERS // len(piece)), ("calc.py",), TOOLS)


def test_files_and_commands_keep_their_usual_forms() -> None:
    assert actions(f"```file path=calc.py\n{CODE}```") == [FILE]
    assert actions("```sh\nls\n```") == [LISTING]
