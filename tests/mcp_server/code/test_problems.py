"""Broken syntax, and edits that break it."""

import itertools

import pytest

from mcp_server.code.languages import LANGUAGES
from mcp_server.code.problems import MAX_PROBLEMS, broken_by, syntax_problems
from tests.mcp_server.code.outline import SAMPLES

GOOD = b"""import os


def first(a):
    return [a, 1]


class Second:
    def third(self, x):
        if x:
            return first(x)
        return os.path.join("a", x)
"""


@pytest.mark.parametrize("language", [language.name for language in LANGUAGES])
def test_a_sample_is_in_order_and_half_of_it_is_not(language: str) -> None:
    sample = SAMPLES[language]
    source = sample.read_bytes()

    assert syntax_problems(sample.name, source) == ()
    assert syntax_problems(sample.name, source[: source.rindex(b"\n", 0, len(source) // 2)] + b" ( [ {\n")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (b"[a, 1]", b"[a, 1", 5),
        (b"        if x:", b"        if x", 10),
        (b'"a", x)', b'"a, x)', 12),
        (b"class Second:", b"clas Second:", 8),
        (b"if x:\n", b"if x:\n<<<<<<< HEAD\n", 11),
    ],
)
def test_an_edit_that_breaks_the_syntax_is_shown_with_its_line_and_the_lines_around(
    old: bytes, new: bytes, line: int
) -> None:
    problems = broken_by("a.py", GOOD, GOOD.replace(old, new))
    shown = new.decode().splitlines()[-1]

    assert problems[0].line == line
    assert f"{line:6}\t" in problems[0].region
    assert shown in problems[0].region
    assert len(problems[0].region.splitlines()) <= 5


def test_an_edit_that_keeps_the_syntax_may_be_made() -> None:
    assert broken_by("a.py", GOOD, GOOD.replace(b"1", b"2")) == ()


def test_a_file_that_never_parsed_stays_editable() -> None:
    assert broken_by("a.py", b"def (:\n", b"def ((:\n") == ()


def test_a_new_file_that_is_empty_before_is_looked_at() -> None:
    assert broken_by("a.py", b"", b"def f(:\n")


@pytest.mark.parametrize("path", ["a.txt", "a.c", "a.cpp", "a.h"])
def test_what_is_no_language_of_ours_or_has_a_preprocessor_stays_editable(path: str) -> None:
    assert broken_by(path, b"int a;\n", b"int a( {{;\n") == ()


def test_an_unknown_language_has_no_answer_and_no_error() -> None:
    assert syntax_problems("a.txt", b"((((") is None


def test_problems_are_few_and_their_regions_do_not_overlap() -> None:
    problems = syntax_problems("a.py", b"x = = 1\n" * 500)

    assert problems is not None
    assert len(problems) == MAX_PROBLEMS
    assert all(after.line - before.line > 2 for before, after in itertools.pairwise(problems))


def test_a_region_of_very_long_lines_with_escapes_is_short_and_plain() -> None:
    problems = syntax_problems("a.py", b"x = (\x1b[31m" + b"y" * 100_000 + b"\n" + b"z" * 100_000)

    assert problems
    assert all(len(problem.region) < 1000 and "\x1b" not in problem.region for problem in problems)
