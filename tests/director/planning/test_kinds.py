"""Telling what sort of work a request asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.planning.kinds import guess_kind
from domain.task_kind import TaskKind

NEW = {
    "Create a fibonacci function with tests": TaskKind.NEW_CODE,
    "Write a function is_prime(n) that returns whether n is prime.": TaskKind.NEW_CODE,
    "Can you please write a parser for INI files, with tests?": TaskKind.NEW_CODE,
    "Build a web app with Flask that lists notes.": TaskKind.WEB_APP,
    "Please create a REST API for todos.": TaskKind.WEB_APP,
    "Write a scraper that collects the titles of a page.": TaskKind.SCRAPE,
    "Crawl the pages below /docs and list dead links": TaskKind.SCRAPE,
    "What is a monad?": TaskKind.QUESTION,
    "Explain how quicksort works.": TaskKind.QUESTION,
}
ON_CODE = {
    "Fix the off-by-one error in pages().": TaskKind.FIX,
    "median([1, 2]) returns 1 instead of 1.5": TaskKind.FIX,
    "The parser crashes on empty input.\n\nTraceback (most recent call last):\n  File ...": TaskKind.FIX,
    "Why does slugify fail for umlauts? It raises UnicodeError": TaskKind.FIX,
    "Refactor calc.py so that there is one code path.": TaskKind.REFACTOR,
    "We need to rename Foo to Bar everywhere": TaskKind.REFACTOR,
    "Please clean up the imports": TaskKind.REFACTOR,
    "Add tests for calc.py": TaskKind.ADD_TESTS,
    "Write unit tests to cover the parser": TaskKind.ADD_TESTS,
    "Increase nothing. Add more test coverage for the edge cases": TaskKind.ADD_TESTS,
    "Add a --verbose flag to the command line.": TaskKind.NEW_CODE,
    "Implement pagination in the list view, with tests": TaskKind.NEW_CODE,
    "Where is the database opened?": TaskKind.QUESTION,
}


@pytest.mark.parametrize(("prompt", "kind"), NEW.items(), ids=NEW)
def test_the_kind_of_a_request_without_code(prompt: str, kind: TaskKind) -> None:
    assert guess_kind(prompt, has_files=False).kind is kind


@pytest.mark.parametrize(("prompt", "kind"), ON_CODE.items(), ids=ON_CODE)
def test_the_kind_of_a_request_about_code(prompt: str, kind: TaskKind) -> None:
    assert guess_kind(prompt, has_files=True).kind is kind


def test_material_in_fences_says_nothing_about_the_kind() -> None:
    prompt = "Add a cache.\n```\nfix the bug: Traceback (most recent call last)\n```\n"
    assert guess_kind(prompt, has_files=True).kind is TaskKind.NEW_CODE


def test_nothing_can_be_mended_where_there_is_no_code() -> None:
    found = guess_kind("Fix this function: def f(x): return x", has_files=False)
    assert (found.kind, found.sure) == (TaskKind.NEW_CODE, False)


@pytest.mark.parametrize("prompt", ["Lorem ipsum dolor sit amet.", "ein Taschenrechner", "calculator", "?"])
def test_what_cannot_be_told_is_said_to_be_so(prompt: str) -> None:
    assert not guess_kind(prompt, has_files=True).sure


@given(st.text(max_size=400), st.booleans())
def test_any_text_has_a_kind(prompt: str, has_files: bool) -> None:
    assert guess_kind(prompt, has_files).kind in TaskKind


def test_a_long_prompt_takes_no_longer_than_a_short_one_does() -> None:
    for filler in ("a ", "- ", "please ", "```\n", "test ", "should be ", "\n", "can you "):
        assert guess_kind(filler * 100_000, has_files=True).kind in TaskKind
