"""Which paths a role may change."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mcp_server.protection import Protection, fits

NAMES = st.sampled_from(["tests", "test_a.py", "a_test.py", "conftest.py", "app.py", "src", "contest.py"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
PATTERNS = st.frozensets(st.sampled_from(["*", "test_*.py", "*_test.py", "*.py", "src/*", "tests/*"]), max_size=4)


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        ("test_a.py", "test_*.py", True),
        ("deep/down/test_a.py", "test_*.py", True),
        ("contest_a.py", "test_*.py", False),
        ("test_a.pyc", "test_*.py", False),
        ("test_a.py/inside", "test_*.py", True),
        ("a/conftest.py", "conftest.py", True),
        ("TEST_A.PY", "test_*.py", False),
        ("tests/a.py", "tests/*", True),
        ("tests/a/b.py", "tests/*", True),
        ("mytests/a.py", "tests/*", False),
        ("site/x.pth", "*.pth", True),
    ],
)
def test_a_pattern_without_a_slash_fits_a_name_in_any_folder(path: str, pattern: str, expected: bool) -> None:
    assert fits(path, pattern) is expected


@given(st.frozensets(PATHS, min_size=1), PATTERNS, PATTERNS)
def test_a_kept_path_is_never_allowed(
    kept: frozenset[str], protected: frozenset[str], writable: frozenset[str]
) -> None:
    protection = Protection(protected=tuple(protected), writable=tuple(writable), kept=kept)
    assert not any(protection.allows(path) for path in kept)


@given(PATHS, PATTERNS, PATTERNS)
def test_a_path_is_allowed_when_it_is_writable_and_not_protected(
    path: str, protected: frozenset[str], writable: frozenset[str]
) -> None:
    protection = Protection(protected=tuple(protected), writable=tuple(writable))
    may = not writable or any(fits(path, pattern) for pattern in writable)
    assert protection.allows(path) is (may and not any(fits(path, pattern) for pattern in protected))
