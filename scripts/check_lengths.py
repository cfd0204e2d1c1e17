"""Fail when a file, a function or a constructor has grown past what this repository allows.

A file that is too long holds two nouns: split it by meaning. Run as `python scripts/check_lengths.py [ROOT]`;
looks at every Python file that git tracks or would track.
"""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from statistics import median

FORBIDDEN_NAMES = frozenset({"utils", "common", "helpers", "manager", "core"})
MAX_CONSTRUCTOR_PARAMETERS = 6

FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Limits:
    """How many lines a file and a function may have."""

    file: int
    function: int


PRODUCT = Limits(file=300, function=40)
TESTS = Limits(file=500, function=60)


@dataclass(frozen=True)
class Offence:
    """One thing that is too long or badly named; printed as `path:line: what`."""

    path: PurePosixPath
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


@dataclass(frozen=True)
class Report:
    """What was found in one file: its length, those of its functions, and the offences, all in lines."""

    file_length: int
    function_lengths: tuple[int, ...]
    offences: tuple[Offence, ...]


def limits_of(path: PurePosixPath) -> Limits:
    """Return the limits for a path relative to the repository."""
    return TESTS if path.parts[0] == "tests" else PRODUCT


def function_length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the lines from `def` to the last one, without decorators and docstring."""
    length = _last_line(function) - function.lineno + 1
    if ast.get_docstring(function, clean=False) is not None:
        docstring = function.body[0]
        length -= _last_line(docstring) - docstring.lineno + 1
    return length


def constructor_parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Count the parameters of an `__init__` besides self."""
    arguments = function.args
    named = len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs)
    starred = (arguments.vararg is not None) + (arguments.kwarg is not None)
    return named + starred - 1


def check_source(path: PurePosixPath, source: str) -> Report:
    """Check one file's text; a file that does not parse is an offence of its own."""
    length = len(source.splitlines())
    try:
        tree = ast.parse(source)
    except SyntaxError as error:
        return Report(length, (), (Offence(path, error.lineno or 1, f"does not parse: {error.msg}"),))
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTION)]
    offences = [*_file_offences(path, length), *_function_offences(path, functions)]
    return Report(length, tuple(map(function_length, functions)), tuple(offences))


def python_files(root: Path) -> list[PurePosixPath]:
    """List the Python files that git tracks or would track, relative to the root.

    Raises OSError where git is missing and CalledProcessError where the root is no repository.
    """
    git = shutil.which("git")
    if git is None:
        raise FileNotFoundError("git is not installed")
    command = [
        git,
        "-C",
        str(root),
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        "*.py",
    ]
    listed = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    paths = {PurePosixPath(name.decode()) for name in listed.split(b"\0") if name}
    return sorted(path for path in paths if (root / path).is_file())


def main(arguments: Sequence[str]) -> int:
    """Print every offence and the medians; return 1 when there is an offence, 2 when git does not answer."""
    root = Path(arguments[0]) if arguments else Path(__file__).resolve().parent.parent
    try:
        paths = python_files(root)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"lengths: cannot list the files of {root}, it must be a git repository: {error}", file=sys.stderr)
        return 2
    reports = [check_source(path, (root / path).read_text(encoding="utf-8")) for path in paths]
    offences = [offence for report in reports for offence in report.offences]
    for offence in offences:
        print(offence)
    print(_summary(reports))
    return 1 if offences else 0


def _last_line(node: ast.stmt) -> int:
    return node.end_lineno or node.lineno


def _file_offences(path: PurePosixPath, length: int) -> Iterator[Offence]:
    allowed = limits_of(path).file
    if length > allowed:
        yield Offence(path, 1, f"file has {length} lines, {allowed} at most")
    for name in (*path.parts[:-1], path.stem):
        if name in FORBIDDEN_NAMES:
            yield Offence(path, 1, f"module is named {name!r}: name it for what it holds")


def _function_offences(
    path: PurePosixPath, functions: Sequence[ast.FunctionDef | ast.AsyncFunctionDef]
) -> Iterator[Offence]:
    allowed = limits_of(path).function
    for function in functions:
        length = function_length(function)
        if length > allowed:
            yield Offence(path, function.lineno, f"{function.name} has {length} lines, {allowed} at most")
        count = constructor_parameters(function)
        if function.name == "__init__" and count > MAX_CONSTRUCTOR_PARAMETERS:
            what = f"__init__ has {count} parameters besides self, {MAX_CONSTRUCTOR_PARAMETERS} at most"
            yield Offence(path, function.lineno, what)


def _summary(reports: Sequence[Report]) -> str:
    files = [report.file_length for report in reports if report.file_length]
    functions = [length for report in reports for length in report.function_lengths]
    return (
        f"lengths: {len(files)} files, median {median(files or [0]):g} lines; "
        f"{len(functions)} functions, median {median(functions or [0]):g} lines"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
