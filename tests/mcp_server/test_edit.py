"""Replacing a piece of a text."""

import textwrap

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from mcp_server.edit import apply_edit, nearest
from mcp_server.tool import ToolRefused

LINE = st.sampled_from(["a", "b", "  a", "    b", "\tc", "", "   ", "a b", "  a b  "])
TEXT = st.lists(LINE, max_size=8).map("\n".join)
CODE = st.sampled_from(["x = 1", "if x:", "    y = 2", "        z = 3", "return x"])
BLOCK = st.tuples(st.sampled_from(["def f():", "x = 1"]), st.lists(CODE, min_size=1, max_size=4)).map(
    lambda parts: "\n".join([parts[0], *parts[1]])
)


@given(st.text(), st.text(min_size=1), st.text(), st.text())
def test_a_piece_that_occurs_once_is_replaced_once_and_the_rest_stays(
    before: str, old: str, new: str, after: str
) -> None:
    content = f"{before}{old}{after}"
    assume(old.strip() and content.count(old) == 1)
    assume("\r\n" not in content)
    assert (
        apply_edit(content, old, new) == content[: content.index(old)] + new + content[content.index(old) + len(old) :]
    )


def places(content: str, old: str) -> list[tuple[int, int]]:
    """Where the lines of ``old`` stand in ``content``, white space at their ends aside: an oracle of our own."""
    lines, wanted = content.splitlines(), [line.strip() for line in old.strip("\n").splitlines()]
    stripped = [line.strip() for line in lines]
    return [(at, at + len(wanted)) for at in range(len(lines)) if stripped[at : at + len(wanted)] == wanted]


@given(TEXT, TEXT, TEXT)
@example("a\n", "a\nb", "c")
def test_an_edit_touches_only_the_one_place_that_fits_or_is_refused(content: str, old: str, new: str) -> None:
    found = places(content, old)
    exact = content.count(old) if old else 0
    try:
        edited = apply_edit(content, old, new)
    except ToolRefused:
        assert not old.strip() or exact > 1 or (exact == 0 and len(found) != 1)
        return
    assert old.strip()
    if exact == 1:
        assert edited == content.replace(old, new)
        return
    lines = content.splitlines(keepends=True)
    ((start, end),) = found
    assert edited.startswith("".join(lines[:start]))
    assert edited.endswith("".join(lines[end:]))
    # What came in is the new text, white space aside.
    middle = edited[len("".join(lines[:start])) : len(edited) - len("".join(lines[end:]))]
    assert middle.split() == new.split()


@given(BLOCK, BLOCK, st.sampled_from(["  ", "    ", "\t    "]))
def test_a_block_that_was_given_without_its_indentation_is_put_back_with_it(old: str, new: str, indent: str) -> None:
    content = f"class A:\n{textwrap.indent(old, indent)}\n\nend = 1\n"
    assume(len(places(content, old)) == 1 and old not in content)
    assert apply_edit(content, old, new) == f"class A:\n{textwrap.indent(new, indent)}\n\nend = 1\n"


TABS = "def f(c):\n\tif c:\n\t\ta = 1\n\t\tb = 2\n\treturn c\n"


@pytest.mark.parametrize(
    ("content", "old", "new", "edited"),
    [
        (TABS, "    if c:\n        a = 1", "    if c:\n        a = 3", TABS.replace("1", "3")),
        (TABS, "  if c:\n    a = 1", "  if c:\n    if a:\n      a = 3", TABS.replace("a = 1", "if a:\n\t\t\ta = 3")),
        (TABS, "if c:\n  a = 1\n", "if c:\n  if c:\n    a = 3\n", TABS.replace("a = 1", "if c:\n\t\t\ta = 3")),
        (TABS, "def f(c):\n    if c:", "def f(d):\n    if d:", TABS.replace("f(c)", "f(d)").replace("if c", "if d")),
        (TABS, "return c ", "if c:\n    return c", TABS.replace("return c", "if c:\n\t\treturn c")),
        ("if a:\n    b\n", "\tb", "\tif b:\n\t\tc", "if a:\n    if b:\n        c\n"),
    ],
)  # fmt: skip
def test_levels_further_in_are_indented_as_the_file_does_it(content: str, old: str, new: str, edited: str) -> None:
    assert apply_edit(content, old, new) == edited


@pytest.mark.parametrize(
    ("old", "new"), [("    if c:", "    if c:\n      a = 1"), ("  return c ", "  if c:\n   \treturn c")]
)
def test_an_indentation_that_would_mix_tabs_and_blanks_is_refused(old: str, new: str) -> None:
    with pytest.raises(ToolRefused, match="mix tabs and blanks"):
        apply_edit(TABS, old, new)


CRLF = "def f():\r\n    return 1\r\n\r\ndef g():\r\n    return 2\r\n"


@pytest.mark.parametrize(
    "old", ["    return 1", "return 1", "def f():\n    return 1\n", "def f():\r\n    return 1\r\n"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_new_lines_end_as_those_of_the_file(old: str, end: str) -> None:
    edited = apply_edit(CRLF, old, old.replace("return 1", f"x = 1{end}    return x"))
    assert edited.count("\r\n") == edited.count("\n") == 6
    assert "x = 1\r\n    return x\r\n" in edited


def test_a_block_that_was_given_too_far_in_is_moved_out() -> None:
    edited = apply_edit("a = 1\nb = 2\n", "    a = 1\n    b = 2", "    a = 1\n    if a:\n        b = 3")
    assert edited == "a = 1\nif a:\n    b = 3\n"


def test_a_blank_line_at_the_beginning_of_the_piece_does_not_spoil_the_indentation() -> None:
    content = "def f():\n\n    x = 1\n    return x\n"
    assert apply_edit(content, "  \n    x = 1 \n", "  \n    x = 2\n").split("\n")[2:] == [
        "    x = 2",
        "    return x",
        "",
    ]


def test_a_file_without_a_newline_at_its_end_stays_without_one() -> None:
    assert apply_edit("a\n  b\n  c", "b\nc", "b\nd") == "a\n  b\n  d"


def test_an_empty_replacement_removes_the_lines() -> None:
    assert apply_edit("a\n  b\n  c\nd\n", "b\nc", "") == "a\nd\n"


@pytest.mark.parametrize(
    ("content", "old", "why"),
    [
        ("x\nx\n", "x", "occurs 2 times, at lines 1, 2"),
        ("  x\n  y\n\tx\n\ty\n", "x\ny", "occurs 2 times, at lines 1, 3"),
        ("x\n", " \n", "empty"),
        ("x\n", "", "empty"),
        ("", "x", "does not occur"),
    ],
)
def test_what_cannot_be_placed_is_refused_with_the_reason(content: str, old: str, why: str) -> None:
    with pytest.raises(ToolRefused, match=why):
        apply_edit(content, old, "new")


def test_a_piece_that_is_not_there_shows_the_nearest_region_with_line_numbers() -> None:
    content = "".join(f"value_{number} = {number}\n" for number in range(100)) + "def total(items):\n    return 1\n"
    with pytest.raises(ToolRefused) as refusal:
        apply_edit(content, "def total(item):\n    return sum(item)", "pass")
    assert "   101\tdef total(items):" in str(refusal.value)
    assert "value_5 " not in str(refusal.value)


def test_line_numbers_that_were_copied_with_the_lines_are_left_out() -> None:
    content = "def f():\n    x = 1\n    return x\n"
    edited = apply_edit(content, "     2\t    x = 1\n     3\t    return x", "     2\t    x = 2\n     3\t    return x")
    assert edited == "def f():\n    x = 2\n    return x\n"
    assert apply_edit("1\ta\n2\tb\n", "1\ta", "1\tc") == "1\tc\n2\tb\n"


@pytest.mark.parametrize(
    ("content", "old"), [("1\tfoo\n10\tbar\n", "2\tfoo"), ("a\nb\n", "2\ta"), ("a\nb\n", "1\ta\n9\tb"), ("a\n", "0\ta")]
)
def test_numbers_that_are_not_those_of_the_lines_belong_to_the_text(content: str, old: str) -> None:
    with pytest.raises(ToolRefused, match="does not occur"):
        apply_edit(content, old, "2\tqux")


def test_only_a_newline_ends_a_line() -> None:
    assert apply_edit("a\x0cb\u2028c\n  d\n", "d", "e") == "a\x0cb\u2028c\n  e\n"
    with pytest.raises(ToolRefused, match=r"at lines 1, 2\."):
        apply_edit("x\x0c \n  x\n", "x", "e")


def test_a_piece_that_occurs_very_often_is_refused_without_counting_to_the_end() -> None:
    with pytest.raises(ToolRefused, match=r"occurs more than 10 times, at lines 1, 2, 3, 4, 5, 6, 7, 8, 9, 10\."):
        apply_edit("a\n" * 200_000, "a", "b")
    with pytest.raises(ToolRefused, match="does not occur"):
        apply_edit("a\n" * 200_000, "a\n" * 100_000 + "b", "b")


@given(TEXT, TEXT.filter(str.strip))
def test_the_nearest_region_holds_lines_of_the_file_with_their_right_numbers(content: str, old: str) -> None:
    lines = content.splitlines()
    for shown in nearest(content, old).splitlines():
        at, _, line = shown.partition("\t")
        assert lines[int(at) - 1] == line
