import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.text import both_ends, excerpt, one_line, plain

# The characters with the property Bidi_Control (Unicode, PropList.txt).
BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SEQUENCES = st.sampled_from(
    ["\x1b[31m", "\x1b[2J", "\x1b]0;title\x07", "\x1b]8;;http://x\x1b\\", "\x1bP", "\x1b(0", "\x9b31m", "\x1b", "\r"]
)
NASTY = st.lists(
    st.one_of(
        SEQUENCES,
        st.sampled_from(BIDI),
        st.text(max_size=10),
        st.characters(min_codepoint=0, max_codepoint=0xA0),
        st.characters(categories=["Cs", "Cc"]),
        st.text(alphabet="[]0;mPX\\()", max_size=5),
    ),
    max_size=12,
).map("".join)


@settings(deadline=None, max_examples=300)
@given(NASTY)
def test_plain_text_has_no_escape_no_control_no_bidi_control_and_no_surrogate(text: str) -> None:
    left = plain(text)

    assert not [character for character in left if unicodedata.category(character) == "Cc" and character not in "\t\n"]
    assert not [character for character in left if unicodedata.category(character) == "Cs"]
    assert not set(left) & set(BIDI)
    assert plain(left) == left


@settings(deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Cf"])))
def test_text_without_such_characters_stays_as_it_is(text: str) -> None:
    assert plain(f"\t{text}\n") == f"\t{text}\n"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x1b[1;31mred\x1b[0mb", "aredb"),
        ("\x1b]0;your terminal\x07x", "x"),
        ("\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;ZXZpbA==\x07copied", "copied"),
        ("\x1b(0line\x1b(B", "line"),
        ("one\r\ntwo\rthree", "one\ntwothree"),
        ("user\u202etxt.exe", "usertxt.exe"),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_what_drives_a_terminal_goes_and_what_a_person_reads_stays(text: str, left: str) -> None:
    assert plain(text) == left


@settings(deadline=None)
@given(st.text(), st.integers(min_value=0, max_value=60))
def test_an_excerpt_is_the_beginning_and_the_end_and_counts_what_it_leaves_out(text: str, most: int) -> None:
    part = excerpt(text, most)

    if len(text) <= most:
        assert part == text
        return
    half = most // 2
    assert part == f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[len(text) - half :]}"


@settings(deadline=None)
@given(NASTY, st.integers(min_value=1, max_value=40))
def test_one_line_is_one_line_and_no_longer_than_asked(text: str, most: int) -> None:
    line = one_line(text, most)

    assert len(line) <= most
    assert line.splitlines() in ([], [line])
    assert line == line.strip()


def test_both_ends_are_on_one_line_with_what_was_left_out_between_them() -> None:
    assert both_ends("a\nb", 10) == "a b"
    assert both_ends("begin" + "x" * 90 + "\x1b[31m\nend", 10) == "begin [... 89 characters left out ...] x end"
