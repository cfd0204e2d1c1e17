"""Files that steer the tests, and modules that stand in for others."""

import pytest

from director.evidence.steering import restored
from domain.files import File, FileTree

BEFORE = {
    "calc.py": "old",
    "tests/test_calc.py": "",
    "tests/helpers.py": "",
    "conftest.py": "old",
    "tests/shop.py": "own",
}


def tree(files: dict[str, str]) -> FileTree:
    return {path: File(content=text.encode()) for path, text in files.items()}


@pytest.mark.parametrize(
    "path",
    ["tests/calc.py", "tests/calc/__init__.py", "tests/unit/calc.py", "tests/calc/more.py", "pytest.py",
     "tests/pytest.ini",
     "tests/conftest.py", "evil.pth"],
)  # fmt: skip
def test_a_new_file_that_steers_or_stands_in_for_another_is_left_out(path: str) -> None:
    assert path not in restored(tree(BEFORE | {path: "new"}), tree(BEFORE))


@pytest.mark.parametrize(
    "path",
    ["tests/builders.py", "tests/test_more.py", "tests/__init__.py", "shop.py", "src/calc.py", "tests/data/calc.json"],
)
def test_other_new_files_stay(path: str) -> None:
    assert path in restored(tree(BEFORE | {path: "new"}), tree(BEFORE))


def test_what_was_there_before_stays_even_under_a_name_of_the_code() -> None:
    after = tree(BEFORE | {"shop.py": "new", "calc.py": "new", "conftest.py": "new"})
    found = restored(after, tree(BEFORE))
    assert found["tests/shop.py"].content == b"own"
    assert found["calc.py"].content == b"new"
    assert found["conftest.py"].content == b"old"
