import ast
import shutil
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.check_lengths import check_source, function_length, main, python_files


def offences(path: str, source: str) -> list[str]:
    return [str(offence) for offence in check_source(PurePosixPath(path), source).offences]


def function(lines: int, name: str = "f") -> str:
    return f"def {name}():\n" + "    x = 1\n" * (lines - 1)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git = shutil.which("git")
    if git is None:
        pytest.fail("This test needs git. Install it: apt-get install git")
    subprocess.run([git, "init", "--quiet", str(tmp_path)], check=True)
    return tmp_path


@pytest.mark.parametrize(("path", "allowed"), [("gateway/budget.py", 300), ("tests/gateway/test_budget.py", 500)])
def test_a_file_may_reach_its_limit_and_not_pass_it(path: str, allowed: int) -> None:
    assert offences(path, "x = 1\n" * allowed) == []
    assert offences(path, "x = 1\n" * (allowed + 1)) == [f"{path}:1: file has {allowed + 1} lines, {allowed} at most"]


@pytest.mark.parametrize(("path", "allowed"), [("gateway/budget.py", 40), ("tests/gateway/test_budget.py", 60)])
def test_a_function_may_reach_its_limit_and_not_pass_it(path: str, allowed: int) -> None:
    assert offences(path, function(allowed)) == []
    assert offences(path, function(allowed + 1)) == [f"{path}:1: f has {allowed + 1} lines, {allowed} at most"]


def test_decorators_and_docstring_do_not_count() -> None:
    decorators = "@first\n@second(\n    1,\n)\n"
    source = decorators + 'async def f():\n    """Say what.\n\n    And why.\n    """\n    return 1\n'

    assert check_source(PurePosixPath("a.py"), source).function_lengths == (2,)


def test_a_method_and_a_nested_function_are_measured_where_they_stand() -> None:
    source = "class A:\n    def m(self):\n        def inner():\n" + "            x = 1\n" * 40

    assert offences("a.py", source) == [
        "a.py:2: m has 42 lines, 40 at most",
        "a.py:3: inner has 41 lines, 40 at most",
    ]


@pytest.mark.parametrize("parameters", ["a, b, c, d, e, f, g", "a, b, c, /, d, e, *, f, g", "a, b, c, d, e, *f, **g"])
def test_a_constructor_with_seven_parameters_is_an_offence(parameters: str) -> None:
    source = f"class A:\n    def __init__(self, {parameters}): ...\n"

    assert offences("a.py", source) == ["a.py:2: __init__ has 7 parameters besides self, 6 at most"]


def test_a_constructor_with_six_parameters_and_a_function_with_seven_are_fine() -> None:
    constructor = "    def __init__(self, a, b, c, d, e, *, f): ...\n"
    source = "class A:\n" + constructor + "    def m(self, a, b, c, d, e, f, g): ...\n"

    assert offences("a.py", source) == []


@pytest.mark.parametrize("path", ["gateway/utils.py", "core/__init__.py", "tests/helpers/thing.py"])
def test_a_module_is_named_for_what_it_holds(path: str) -> None:
    (offence,) = offences(path, "")

    assert "name it for what it holds" in offence


def test_a_file_that_does_not_parse_is_an_offence_with_its_line() -> None:
    (offence,) = offences("a.py", "x = 1\ndef f(:\n")

    assert offence.startswith("a.py:2: does not parse")


@given(st.integers(min_value=1, max_value=30), st.integers(min_value=0, max_value=10))
def test_the_length_of_a_function_is_its_lines_whatever_its_docstring(body: int, paragraphs: int) -> None:
    docstring = '    """Say.\n' + "\n" * paragraphs + '    """\n'
    (parsed,) = ast.parse("def f():\n" + docstring + "    x = 1\n" * body).body

    assert isinstance(parsed, ast.FunctionDef)
    assert function_length(parsed) == body + 1


def test_ignored_and_deleted_files_are_left_out_and_new_ones_are_not(repository: Path) -> None:
    for name in ("old.py", "gone.py"):
        (repository / name).write_text("")
    subprocess.run(["git", "-C", str(repository), "add", "."], check=True)
    (repository / "gone.py").unlink()
    (repository / "new.py").write_text("")
    (repository / "skipped.py").write_text("")
    (repository / ".gitignore").write_text("skipped.py\n")

    assert python_files(repository) == [PurePosixPath("new.py"), PurePosixPath("old.py")]


def test_a_clean_repository_passes_and_shows_its_medians(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (repository / "a.py").write_text(function(10) + function(20, "g"))

    assert main([str(repository)]) == 0
    assert capsys.readouterr().out == "lengths: 1 files, median 30 lines; 2 functions, median 15 lines\n"


def test_an_offence_is_printed_and_fails_the_command(repository: Path) -> None:
    (repository / "utils.py").write_text("")
    script = Path(__file__).resolve().parents[2] / "scripts" / "check_lengths.py"

    done = subprocess.run([sys.executable, str(script), str(repository)], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert done.stdout.startswith("utils.py:1: module is named 'utils'")


def test_a_folder_outside_git_is_told_apart_from_an_offence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    assert main([str(tmp_path)]) == 2
    assert "must be a git repository" in capsys.readouterr().err
