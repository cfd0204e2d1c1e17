"""Running the tests."""

from collections.abc import Collection, Iterator
from itertools import groupby
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from domain.evidence import Outcome, TestReport
from domain.files import is_test_file
from domain.test_outcome import BAD, TestOutcome, outcome_of
from domain.text import one_line
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome, ToolRefused
from sandbox.test_run import harness_command, parse_report

SHOWN_FAILURES = 10
SHOWN_GAPS = 20
WITH_A_VALUE = frozenset({"-k", "-m", "-p", "-o", "-c", "-W", "-n", "--tb", "--maxfail"})
PROGRAMS = frozenset({"pytest", "py.test", "python", "python3"})


def _selection(given: object) -> object:
    """What models write for a list of tests: nothing, one string, a whole command line, options among the paths."""
    if given is None:
        return []
    if isinstance(given, str):
        given = [given]
    if not isinstance(given, list) or not all(isinstance(one, str) for one in given):
        return given
    # The id of a test with parameters may hold blanks.
    words = [word for one in given for word in ([one.strip()] if "[" in one else one.replace(",", " ").split())]
    kept = [word for at, word in enumerate(words) if at == 0 or words[at - 1] not in WITH_A_VALUE]
    named = [word for word in kept if word and not word.startswith("-") and word not in PROGRAMS]
    paths = [word.removeprefix("/workspace/").removeprefix("./") for word in named]
    return [path for path in paths if path not in {"", ".", "/workspace"}]


class RunTests(BaseModel):
    """Arguments of run_tests."""

    model_config = ConfigDict(extra="forbid")

    selection: Annotated[list[str], BeforeValidator(_selection)] = Field(
        default_factory=list, max_length=50, description="test files or test ids; all tests when empty"
    )


class ChangedCoverage(BaseModel):
    """Executable lines that differ from the task's start, how many of them the tests ran, and those that they did
    not run, by file."""

    changed: int
    covered: int
    missed: dict[str, list[int]]


class TestCounts(BaseModel):
    """What came of a test run. ``first_failure`` is the id of the first test that did not pass; ``coverage`` is None
    for a run that did not end. ``outcome`` is the run's measure of the work."""

    passed: bool
    collected: int
    counts: dict[Outcome, int]
    errors: int
    first_failure: str | None
    coverage: ChangedCoverage | None
    outcome: TestOutcome


async def _run_tests(session: ToolSession, arguments: RunTests) -> ToolOutcome:
    selection = tuple(_existing(one, session.tree) for one in arguments.selection)
    before = await session.sync("before run_tests", closely=True)
    result = await session.sandbox.run(harness_command("python", selection))
    note = await session.sync("run_tests")
    report = parse_report(result)
    coverage = _coverage(report, await session.changed_lines()) if report.finished else None
    parts = (describe_report(report), describe_coverage(coverage), before, note)
    text = "\n".join(part for part in parts if part)
    return ToolOutcome(text=text, ok=report.passed, data=_counts(report, coverage, selection))


def _existing(selected: str, paths: Collection[str]) -> str:
    """A selected test with a path that there is; a dotted name of a module is taken for its file."""
    path, colons, name = selected.partition("::")
    path = path.rstrip("/")
    if path in paths or any(other.startswith(f"{path}/") for other in paths):
        return f"{path}{colons}{name}"
    if (module := path.replace(".", "/") + ".py") in paths:
        return f"{module}{colons}{name}"
    tests = ", ".join(sorted(filter(is_test_file, paths))[:20]) or "none yet"
    raise ToolRefused(f"There is no test file {one_line(path)!r}. Test files: {tests}")


def _coverage(report: TestReport, changed: dict[str, frozenset[int]]) -> ChangedCoverage:
    seen = {
        path: (lines & report.coverage[path].executable, report.coverage[path].executed)
        for path, lines in changed.items()
        if path in report.coverage and not is_test_file(path)
    }
    missed = {path: sorted(lines - executed) for path, (lines, executed) in seen.items() if lines - executed}
    total = sum(len(lines) for lines, _ in seen.values())
    return ChangedCoverage(changed=total, covered=total - sum(map(len, missed.values())), missed=missed)


def describe_coverage(coverage: ChangedCoverage | None) -> str:
    """The changed lines that were not run, in words; nothing where no line changed."""
    if coverage is None or not coverage.changed:
        return ""
    gaps = [f"{path}:{gap}" for path, lines in sorted(coverage.missed.items()) for gap in _ranges(lines)]
    more = " ..." if len(gaps) > SHOWN_GAPS else ""
    missed = f" Not run: {', '.join(gaps[:SHOWN_GAPS])}{more}" if gaps else ""
    return f"Changed lines that these tests ran: {coverage.covered} of {coverage.changed}.{missed}"


def _ranges(lines: list[int]) -> Iterator[str]:
    for _, group in groupby(enumerate(lines), lambda placed: placed[1] - placed[0]):
        run = [line for _, line in group]
        yield str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}"


def _counts(report: TestReport, coverage: ChangedCoverage | None, selection: tuple[str, ...]) -> TestCounts:
    bad = [*(error.test_id for error in report.errors), *(case.id for case in report.cases if case.outcome in BAD)]
    counts = {outcome: report.count(outcome) for outcome in Outcome}
    return TestCounts(
        passed=report.passed, collected=report.collected, counts=counts, errors=len(report.errors),
        first_failure=bad[0] if bad else None, coverage=coverage, outcome=outcome_of(report, selection),
    )  # fmt: skip


def describe_report(report: TestReport) -> str:
    """A test report in the words that a model works from: counts, then what failed and where."""
    counts = ", ".join(f"{report.count(outcome)} {outcome}" for outcome in Outcome if report.count(outcome))
    lines = [f"{report.collected} tests collected: {counts or 'none ran'}."]
    if report.collected == 0 and not report.errors:
        lines.append("No tests were found. Test files are called test_*.py and hold functions called test_*.")
    for failure in report.errors[:SHOWN_FAILURES]:
        lines.append(f"\nERROR ({failure.kind}) {failure.test_id} {failure.path}:{failure.line}\n{failure.message}")
    bad = [case for case in report.cases if case.outcome in BAD]
    for case in bad[:SHOWN_FAILURES]:
        lines.append(f"\nFAILED {case.id} at {case.path}:{case.line}\n{case.message}")
    if len(bad) > SHOWN_FAILURES:
        lines.append(f"\n... and {len(bad) - SHOWN_FAILURES} more failed tests.")
    return "\n".join(lines)


TEST_TOOLS = (
    Tool(
        name="run_tests",
        description="Runs the tests with pytest and shows what failed and where, and which changed lines were not run.",
        session=ToolSession,
        arguments=RunTests,
        permission=Permission.TEST,
        handler=_run_tests,
        example={"selection": ["tests/test_app.py"]},
        data=TestCounts,
        limits=ToolLimits(timeout_s=450),
        idempotent=True,
    ),
)
