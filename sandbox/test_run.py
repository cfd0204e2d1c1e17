"""Running a workspace's tests in a sandbox, and reading what came of it."""

import json
import shlex
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from domain.command import Command, CommandResult, Verdict
from domain.evidence import Coverage, Failure, FailureKind, Outcome, TestCase, TestReport
from domain.text import excerpt, plain

HARNESS = "/opt/soundstage/harness/run_tests.py"
OUTPUT_CHARACTERS = 12_000
MAX_CASES = 20_000
KINDS = {kind.value for kind in FailureKind}


def pytest_command(selection: tuple[str, ...] = (), timeout_s: float = 120.0, control: str = "") -> Command:
    """The command that runs pytest under our harness.

    ``selection`` holds paths or test ids; all tests when empty. ``control`` is a test file that is run besides.
    """
    wanted = [argument for argument in selection if not argument.startswith("-")]
    controls = [f"--control={control}"] if control else []
    return Command(argv=("python3", "-I", HARNESS, *controls, *wanted), timeout_s=timeout_s, report=True)


def custom_command(script: str, timeout_s: float = 600.0) -> Command:
    """The command that runs a person's own test command."""
    return Command(argv=("/bin/sh", "-c", script), timeout_s=timeout_s)


def parse_custom(script: str, result: CommandResult) -> TestReport:
    """The report of a person's own test command: one case, passed when it exits with 0."""
    passed = result.ok
    output = excerpt(plain(result.text()), OUTPUT_CHARACTERS)
    case = TestCase(
        id=shlex.join(["sh", "-c", script])[:200],
        outcome=Outcome.PASSED if passed else Outcome.FAILED,
        duration_s=result.duration_s,
        message="" if passed else f"{result.verdict}, exit code {result.exit_code}\n{output[-2000:]}",
    )
    return TestReport(
        verdict=result.verdict,
        collected=1,
        cases=(case,),
        finished=True,
        duration_s=result.duration_s,
        output=output,
    )


def parse_report(result: CommandResult) -> TestReport:
    """The report of a run under our harness. What is no record is passed over: the run shares a process with the
    code under test, so nothing in it is trusted to be well-formed."""
    builder = _Builder()
    for record in _records(result.report):
        builder.add(record)
    verdict = result.verdict
    if verdict is Verdict.OK and builder.errors:
        verdict = Verdict.FAILED
    return TestReport(
        verdict=verdict,
        collected=builder.collected,
        cases=tuple(builder.cases.values()),
        errors=tuple(builder.errors + builder.unfinished(verdict)),
        finished=builder.finished,
        duration_s=result.duration_s,
        coverage=builder.coverage,
        output=excerpt(plain(result.text()), OUTPUT_CHARACTERS),
    )


def _records(report: bytes) -> Iterator[dict[str, Any]]:
    for line in report.splitlines():
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(record, dict):
            yield record


class _Builder:
    """Takes records in, one by one."""

    def __init__(self) -> None:
        self.collected = 0
        self.cases: dict[str, TestCase] = {}
        self.kinds: dict[str, FailureKind] = {}
        self.errors: list[Failure] = []
        self.coverage: dict[str, Coverage] = {}
        self.finished = False
        self.running = ""

    def add(self, record: dict[str, Any]) -> None:
        """Takes one record in; a malformed one is passed over."""
        try:
            match record.get("kind"):
                case "collected":
                    self.collected = max(self.collected, int(record["count"]))
                case "start":
                    self.running = str(record["id"])
                case "case":
                    self._case(record)
                case "error":
                    self.errors.append(_failure(record))
                case "coverage":
                    executable, executed = frozenset(record["executable"]), frozenset(record["executed"])
                    self.coverage[plain(record["path"])] = Coverage(executable=executable, executed=executed)
                case "finished":
                    self.finished = True
                case _:
                    pass
        except (KeyError, TypeError, ValueError, ValidationError):
            pass

    def _case(self, record: dict[str, Any]) -> None:
        failure = _failure(record)
        case = TestCase(
            id=failure.test_id,
            outcome=Outcome(record["outcome"]),
            duration_s=float(record.get("duration_s", 0.0)),
            message=failure.message,
            path=failure.path,
            line=failure.line,
        )
        if len(self.cases) < MAX_CASES:
            self.cases[case.id] = case
        self.kinds[case.id] = failure.kind
        self.running = ""

    def unfinished(self, verdict: Verdict) -> list[Failure]:
        """The failure of a run that did not come to its end, if it did not."""
        if self.finished:
            return []
        kind = {Verdict.TIMEOUT: FailureKind.TIMEOUT, Verdict.OOM: FailureKind.OOM}.get(verdict, FailureKind.INCOMPLETE)
        where = f" in {self.running}" if self.running else ""
        message = {
            FailureKind.TIMEOUT: f"the tests did not end in time{where}: look for an endless loop",
            FailureKind.OOM: f"the tests ran out of memory{where}",
            FailureKind.INCOMPLETE: f"the test run ended before it was complete{where}",
        }[kind]
        return [Failure(kind=kind, test_id=self.running, message=message)]


def _failure(record: dict[str, Any]) -> Failure:
    kind = record.get("kind_of_failure", "exception")
    return Failure(
        kind=FailureKind(kind) if kind in KINDS else FailureKind.EXCEPTION,
        test_id=plain(str(record["id"]))[:500],
        message=plain(str(record.get("message", "")))[-2000:],
        path=plain(str(record.get("path", "")))[:500],
        line=int(record.get("line", 0)),
    )
