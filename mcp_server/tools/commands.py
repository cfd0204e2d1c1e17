"""Running commands and tests, and handing in the work."""

from pydantic import BaseModel, ConfigDict, Field

from domain.command import CommandResult, Verdict, shell
from domain.evidence import Outcome, TestReport
from domain.text import plain
from mcp_server.caller import Permission
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolLimits, ToolOutcome
from sandbox.test_run import harness_command, parse_report

EXPLANATIONS = {
    Verdict.TIMEOUT: "It was ended at its time limit.",
    Verdict.OOM: "It ran out of memory.",
    Verdict.KILLED: "It was ended by a signal.",
    Verdict.OUTPUT_LIMIT: "It was ended because it wrote too much.",
}
SHOWN_FAILURES = 10
BAD = frozenset({Outcome.FAILED, Outcome.ERROR})


class Shell(BaseModel):
    """Arguments of shell."""

    model_config = ConfigDict(extra="forbid")

    command: str = Field(min_length=1, max_length=100_000, description="a shell command, run in the workspace")
    timeout_s: float = Field(default=30, gt=0, le=300, description="seconds until it is ended")


class RunTests(BaseModel):
    """Arguments of run_tests."""

    model_config = ConfigDict(extra="forbid")

    selection: list[str] = Field(
        default_factory=list, max_length=50, description="test files or test ids; all tests when empty"
    )


class Submit(BaseModel):
    """Arguments of submit."""

    model_config = ConfigDict(extra="forbid")

    summary: str = Field(max_length=4000, description="what was done, in a few sentences")
    artifacts: list[str] = Field(
        default_factory=list,
        max_length=20,
        description="paths of build output to hand over besides the source tree, such as dist/*.whl; usually none",
    )


class CommandEnd(BaseModel):
    """How a command ended. ``exit_code`` is None where it was ended."""

    verdict: Verdict
    exit_code: int | None
    duration_s: float


class TestCounts(BaseModel):
    """What came of a test run. ``first_failure`` is the id of the first test that did not pass."""

    passed: bool
    collected: int
    counts: dict[Outcome, int]
    errors: int
    first_failure: str | None


class Submission(BaseModel):
    """Work that a specialist calls done: its summary, and the files that it wants kept."""

    submitted: str
    artifacts: tuple[str, ...]


async def _shell(session: ToolSession, arguments: Shell) -> ToolOutcome:
    result = await session.sandbox.run(shell(arguments.command, arguments.timeout_s))
    note = await session.sync(f"shell: {arguments.command}")
    end = CommandEnd(verdict=result.verdict, exit_code=result.exit_code, duration_s=result.duration_s)
    return ToolOutcome(text="\n".join(part for part in (_describe(result), note) if part), ok=result.ok, data=end)


def _describe(result: CommandResult) -> str:
    status = EXPLANATIONS.get(result.verdict, f"Exit code {result.exit_code}.")
    return f"{plain(result.text())}\n[{status}]".lstrip("\n")


async def _run_tests(session: ToolSession, arguments: RunTests) -> ToolOutcome:
    result = await session.sandbox.run(harness_command("python", tuple(arguments.selection)))
    note = await session.sync("run_tests")
    report = parse_report(result)
    text = "\n".join(part for part in (describe_report(report), note) if part)
    return ToolOutcome(text=text, ok=report.passed, data=_counts(report))


def _counts(report: TestReport) -> TestCounts:
    bad = [*(error.test_id for error in report.errors), *(case.id for case in report.cases if case.outcome in BAD)]
    counts = {outcome: report.count(outcome) for outcome in Outcome}
    return TestCounts(
        passed=report.passed, collected=report.collected, counts=counts, errors=len(report.errors),
        first_failure=bad[0] if bad else None,
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


async def _submit(session: ToolSession, arguments: Submit) -> ToolOutcome:
    del session
    submission = Submission(submitted=arguments.summary, artifacts=tuple(arguments.artifacts))
    return ToolOutcome(text="Submitted. It will be verified now.", data=submission)


COMMAND_TOOLS = (
    Tool(
        name="shell",
        description="Runs a shell command in the workspace. No network. What it leaves running is ended.",
        session=ToolSession,
        arguments=Shell,
        permission=Permission.EXECUTE,
        handler=_shell,
        example={"command": "ls -la", "timeout_s": 30},
        data=CommandEnd,
        destructive=True,
    ),
    Tool(
        name="run_tests",
        description="Runs the tests with pytest and shows what failed and where.",
        session=ToolSession,
        arguments=RunTests,
        permission=Permission.TEST,
        handler=_run_tests,
        example={"selection": ["tests/test_app.py"]},
        data=TestCounts,
        limits=ToolLimits(timeout_s=900),
        idempotent=True,
    ),
    Tool(
        name="submit",
        description="Hands in the work. Use it once, when all is done.",
        session=ToolSession,
        arguments=Submit,
        permission=Permission.SUBMIT,
        handler=_submit,
        example={"summary": "Implemented add() and ran the tests."},
        data=Submission,
        idempotent=True,
    ),
)
