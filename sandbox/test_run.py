"""Running a workspace's tests in a sandbox, and reading what came of it."""

import contextlib
import json
import shlex
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from domain.command import Command, CommandResult, Verdict
from domain.evidence import Coverage, Failure, FailureKind, Outcome, TestCase, TestReport
from domain.text import excerpt, plain
from sandbox.languages import language

OUTPUT_CHARACTERS = 12_000
MAX_RECORDS = 20_000
TEXT_CHARACTERS = 2_000
NAME_CHARACTERS = 500
KINDS = {kind.value for kind in FailureKind}


def harness_command(
    name: str, selection: tuple[str, ...] = (), timeout_s: float = 120.0, control: str = "", early: bool = False
) -> Command:
    """The command that runs the tests of a language under its harness. UsageError.

    ``selection`` holds paths or test ids; all tests when empty. ``control`` is a test file that is run besides.
    With ``early`` the run ends at the first failure, where the language's harness can do that.
    """
    wanted = [argument for argument in selection if not argument.startswith("-")]
    controls = [f"--control={control}"] if control else []
    stopping = language(name).stop_early if early else ()
    return Command(argv=(*language(name).test, *controls, *stopping, *wanted), timeout_s=timeout_s, report=True)


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
        errors=tuple(builder.errors + builder.unfinished(verdict) + builder.forgery()),
        deselected=tuple(builder.deselected),
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


def _text(value: object) -> object:
    return plain(value)[-TEXT_CHARACTERS:] if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_text)]
Name = Annotated[Text, AfterValidator(lambda text: text[:NAME_CHARACTERS])]
Count = Annotated[int, Field(ge=0, le=10**9)]


class _Collected(BaseModel):
    count: Count


class _Start(BaseModel):
    id: Name


class _Trouble(BaseModel):
    id: Name
    message: Text = ""
    path: Name = ""
    line: Count = 0
    kind_of_failure: Text = ""

    def failure(self) -> Failure:
        kind = FailureKind(self.kind_of_failure) if self.kind_of_failure in KINDS else FailureKind.EXCEPTION
        return Failure(kind=kind, test_id=self.id, message=self.message, path=self.path, line=self.line)


class _Case(_Trouble):
    outcome: Outcome
    duration_s: float = Field(default=0.0, ge=0, allow_inf_nan=False)

    def case(self) -> TestCase:
        bad = self.outcome in {Outcome.FAILED, Outcome.ERROR}
        kind = self.failure().kind if bad else ""
        return TestCase(**self.model_dump(exclude={"kind_of_failure"}), kind=kind)


class _Lines(BaseModel):
    path: Name
    executable: frozenset[Count]
    executed: frozenset[Count]


class _Names(BaseModel):
    ids: list[Name]


class _Builder:
    """Takes records in, one by one."""

    def __init__(self) -> None:
        self.collected = 0
        self.cases: dict[str, TestCase] = {}
        self.errors: list[Failure] = []
        self.deselected: list[str] = []
        self.forged = ""
        self.coverage: dict[str, Coverage] = {}
        self.finished = False
        self.running = ""

    def add(self, record: dict[str, Any]) -> None:
        """Takes one record in; a malformed one is passed over."""
        with contextlib.suppress(ValueError, RecursionError, OverflowError):
            if self.finished:
                self.forged = "something was reported after the run had ended"
            self._add(record)

    def _add(self, record: dict[str, Any]) -> None:
        match record.get("kind"):
            case "collected":
                self.collected = max(self.collected, _Collected.model_validate(record).count)
            case "start":
                self.running = _Start.model_validate(record).id
            case "case":
                case = _Case.model_validate(record).case()
                if case.id in self.cases:
                    self.forged = f"{case.id} was reported twice"
                elif len(self.cases) < MAX_RECORDS:
                    self.cases[case.id] = case
                self.running = ""
            case "deselected" if len(self.deselected) < MAX_RECORDS:
                self.deselected += _Names.model_validate(record).ids
            case "tampered":
                self.forged = _Trouble.model_validate({"id": "", **record}).message
            case "finished":
                self.finished = True
            case _:
                self._add_more(record)

    def _add_more(self, record: dict[str, Any]) -> None:
        match record.get("kind"):
            case "error" if len(self.errors) < MAX_RECORDS:
                self.errors.append(_Trouble.model_validate(record).failure())
            case "coverage" if len(self.coverage) < MAX_RECORDS:
                lines = _Lines.model_validate(record)
                self.coverage[lines.path] = Coverage(executable=lines.executable, executed=lines.executed)
            case _:
                pass

    def forgery(self) -> list[Failure]:
        """The failure of a run in which somebody else had a hand, if so."""
        return [Failure(kind=FailureKind.TAMPERING, message=self.forged)] if self.forged else []

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
