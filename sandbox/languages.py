"""The languages, as data: what a project in one looks like, and the commands that work on it.

A language is an entry here, a folder of its name under ``images/``, and a sample project that passes the contract in
``tests/sandbox/languages/``.
"""

from collections.abc import Sequence

from domain.base import Value
from domain.command import Command
from domain.errors import UsageError
from sandbox.control_file import ControlTemplate

Argv = tuple[str, ...]

HARNESS = "/opt/soundstage/harness"
FORMAT_TIMEOUT_S = 60.0
CHECK_TIMEOUT_S = 180.0


class Language(Value):
    """A language: ``name`` is its image's folder, ``suffixes`` and ``manifests`` are how its files are told.

    ``build_output`` are names that never leave the sandbox. The commands run in the workspace; ``format_files`` takes
    paths after it; ``test`` takes ``--control=FILE``, paths and test ids, and reports as ``sandbox.test_run`` reads.
    With ``stop_early`` before its other arguments it ends at the first failure, where it can.
    ``test_framework`` is what tests are written with, ``test_files`` how their files are called.
    """

    name: str
    title: str
    suffixes: frozenset[str]
    manifests: frozenset[str]
    build_output: frozenset[str] = frozenset()
    format: Argv
    format_files: Argv
    format_check: Argv
    compile: Argv
    lint: Argv
    test: Argv
    stop_early: Argv = ()
    test_framework: str
    test_files: str
    control: ControlTemplate


def _shell(script: str) -> Argv:
    return ("/bin/sh", "-c", script)


PYTHON = Language(
    name="python",
    title="Python",
    suffixes=frozenset({".py", ".pyi"}),
    manifests=frozenset({"pyproject.toml", "setup.py", "setup.cfg", "requirements.txt", "Pipfile", "tox.ini"}),
    build_output=frozenset({".tox", ".nox", ".eggs", "htmlcov"}),
    format=("ruff", "format", "--no-cache", "."),
    format_files=("ruff", "format", "--no-cache", "--force-exclude", "--"),
    format_check=("ruff", "format", "--no-cache", "--check", "."),
    compile=("python3", "-I", "-S", f"{HARNESS}/compile_all.py"),
    lint=("/bin/sh", f"{HARNESS}/lint"),
    test=("python3", "-I", "-B", f"{HARNESS}/run_tests.py"),
    stop_early=("-x",),
    test_framework="pytest",
    test_files="tests/test_*.py",
    control=ControlTemplate(
        path="test_{token}.py",
        passing="test_a{token}",
        failing="test_b{token}",
        source="def {passing}():\n    pass\n\n\ndef {failing}():\n    assert False\n",
    ),
)

_SCRIPTS = "'**/*.{js,mjs,cjs,jsx,ts,mts,cts,tsx}'"
TYPESCRIPT = Language(
    name="typescript",
    title="TypeScript and JavaScript",
    suffixes=frozenset({".ts", ".mts", ".cts", ".tsx", ".js", ".mjs", ".cjs", ".jsx"}),
    manifests=frozenset({"package.json", "tsconfig.json", "jsconfig.json"}),
    build_output=frozenset({".nyc_output", ".tsbuildinfo", ".npm"}),
    format=_shell(f"prettier --log-level warn --no-error-on-unmatched-pattern --write {_SCRIPTS}"),
    format_files=("prettier", "--log-level", "warn", "--no-error-on-unmatched-pattern", "--write", "--"),
    format_check=_shell(f"prettier --log-level warn --no-error-on-unmatched-pattern --check {_SCRIPTS}"),
    compile=("/bin/sh", f"{HARNESS}/compile"),
    lint=("biome", "lint", "--colors=off", "--no-errors-on-unmatched", "--error-on-warnings", "."),
    test=("python3", "-I", "-S", f"{HARNESS}/run_tests.py"),
    test_framework="node:test and node:assert",
    test_files="*.test.ts or *.test.js",
    control=ControlTemplate(
        path="{token}.test.mjs",
        passing="a{token}",
        failing="b{token}",
        source=(
            "import assert from 'node:assert';\nimport test from 'node:test';\n"
            "test('{passing}', () => {{}});\ntest('{failing}', () => assert.strictEqual(1, 2));\n"
        ),
    ),
)

_JAVA_FILES = "find . -name '*.java' -not -path '*/.*/*' -not -path '*/target/*' -print0"
_JAVA_FORMAT = ("clang-format", "--style=file", "--fallback-style=Google")
_JAVA_STYLE = f"xargs -0 -r {' '.join(_JAVA_FORMAT)}"
JAVA = Language(
    name="java",
    title="Java",
    suffixes=frozenset({".java"}),
    manifests=frozenset({"pom.xml", "build.gradle", "build.gradle.kts", "settings.gradle"}),
    build_output=frozenset({"target", ".gradle"}),
    format=_shell(f"{_JAVA_FILES} | {_JAVA_STYLE} -i"),
    format_files=(*_JAVA_FORMAT, "-i", "--"),
    format_check=_shell(f"{_JAVA_FILES} | {_JAVA_STYLE} --dry-run -Werror"),
    compile=("/bin/sh", f"{HARNESS}/java", "compile"),
    lint=("/bin/sh", f"{HARNESS}/java", "lint"),
    test=("python3", "-I", "-S", f"{HARNESS}/run_tests.py"),
    test_framework="JUnit 5",
    test_files="*Test.java",
    control=ControlTemplate(
        path="T{token}Test.java",
        passing="a{token}",
        failing="b{token}",
        source=(
            "class {stem} {{\n"
            "  @org.junit.jupiter.api.Test\n  void {passing}() {{}}\n\n"
            "  @org.junit.jupiter.api.Test\n  void {failing}() {{\n"
            "    org.junit.jupiter.api.Assertions.assertEquals(1, 2);\n  }}\n}}\n"
        ),
    ),
)

GO = Language(
    name="go",
    title="Go",
    suffixes=frozenset({".go"}),
    manifests=frozenset({"go.mod", "go.work", "go.sum"}),
    format=("gofmt", "-w", "."),
    format_files=("gofmt", "-w", "--"),
    format_check=_shell('unformatted="$(gofmt -l .)" || exit 2; echo "$unformatted"; [ -z "$unformatted" ]'),
    compile=("/opt/soundstage/bin/harness", "compile"),
    lint=("/opt/soundstage/bin/harness", "lint"),
    test=("/opt/soundstage/bin/harness", "test"),
    test_framework="the package testing",
    test_files="*_test.go",
    control=ControlTemplate(
        path="c{token}/control_test.go",
        passing="TestA{token}",
        failing="TestB{token}",
        source=(
            'package {folder}\n\nimport "testing"\n\n'
            "func {passing}(t *testing.T) {{}}\n\n"
            'func {failing}(t *testing.T) {{\n\tt.Fatal("this test must fail")\n}}\n'
        ),
    ),
)

LANGUAGES = {entry.name: entry for entry in (PYTHON, TYPESCRIPT, JAVA, GO)}


def language(name: str) -> Language:
    """The language of that name; UsageError with the names there are."""
    if name not in LANGUAGES:
        raise UsageError(f"There is no language {name!r}. Use one of: {', '.join(sorted(LANGUAGES))}.")
    return LANGUAGES[name]


def format_command(name: str, paths: Sequence[str] = ()) -> Command:
    """The command that formats these files, or every file of the language. UsageError."""
    entry = language(name)
    return Command(argv=(*entry.format_files, *paths) if paths else entry.format, timeout_s=FORMAT_TIMEOUT_S)


def format_check_command(name: str) -> Command:
    """The command that exits with 0 when every file is formatted, and otherwise names those that are not."""
    return Command(argv=language(name).format_check, timeout_s=FORMAT_TIMEOUT_S)


def compile_command(name: str) -> Command:
    """The command that compiles or type-checks everything, tests included; it says ``path:line`` of each error."""
    return Command(argv=language(name).compile, timeout_s=CHECK_TIMEOUT_S)


def lint_command(name: str) -> Command:
    """The command that lints everything; it says ``path:line`` of each finding, and exits with 0 when there is none."""
    return Command(argv=language(name).lint, timeout_s=CHECK_TIMEOUT_S)
