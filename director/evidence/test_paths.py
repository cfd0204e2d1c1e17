"""Which files hold tests, in every language."""

import re

TEST_NAME = re.compile(
    r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$|_test\.go$|(?:^|/)(?:[^/]*Tests?|Test[^/]*)\.java$"
    r"|(?:^|/)(?:test|[^/]*[._-](?:test|spec))\.[cm]?[jt]sx?$"
)
TEST_FOLDER = re.compile(r"(?:^|/)(?:tests?|__tests__|testdata|fixtures)/")


def holds_tests(path: str) -> bool:
    """Whether the test framework looks for tests in a file of that name."""
    return bool(TEST_NAME.search(path))


def belongs_to_tests(path: str) -> bool:
    """Whether a file holds tests, or what tests need: data, fixtures, builders."""
    name = path.rsplit("/", 1)[-1]
    return holds_tests(path) or name == "conftest.py" or bool(TEST_FOLDER.search(path))
