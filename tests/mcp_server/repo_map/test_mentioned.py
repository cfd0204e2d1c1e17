"""What a text mentions."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mcp_server.repo_map.mentioned import mentioned_in

PATHS = ["src/app.py", "src/deep/app.py", "README.md", "tests/test_app.py", ".github/ci.yml"]


@pytest.mark.parametrize(
    ("text", "files"),
    [
        ("Look at src/app.py.", {"src/app.py"}),
        ("Mend deep/app.py, please", {"src/deep/app.py"}),
        ("app.py is broken", {"src/app.py", "src/deep/app.py"}),
        ("see `./README.md`", {"README.md"}),
        ("(tests/test_app.py:12)", {"tests/test_app.py"}),
        ("the app and its tests", set()),
        ("in .github/ci.yml:", {".github/ci.yml"}),
        ("." * 100_000 + "README.md", {"README.md"}),
        ("", set()),
    ],
)
def test_files_are_mentioned_by_path_by_its_end_or_by_name(text: str, files: set[str]) -> None:
    assert mentioned_in(text, PATHS).files == files


@pytest.mark.parametrize(
    ("text", "identifiers"),
    [
        ("rename total_price to sum_of", {"total_price", "sum_of"}),
        ("ShopCart and parseHtml", {"ShopCart", "parseHtml"}),
        ("call run(x) twice", {"run"}),
        ("the `run` of `Cart.total`", {"run", "Cart", "total"}),
        ("a plain sentence about get and set", set()),
        ("_private", {"_private"}),
    ],
)
def test_words_that_look_like_code_are_identifiers(text: str, identifiers: set[str]) -> None:
    assert identifiers <= mentioned_in(text, PATHS).identifiers
    if not identifiers:
        assert mentioned_in(text, PATHS).identifiers == set()


@settings(deadline=None)
@given(st.text(), st.lists(st.text()))
def test_any_text_mentions_paths_that_there_are(text: str, paths: list[str]) -> None:
    assert mentioned_in(text, paths).files <= set(paths)
