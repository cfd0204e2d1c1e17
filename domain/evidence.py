"""What the clean room saw: the only ground on which a task counts as solved."""

from enum import StrEnum

from pydantic import Field

from domain.base import Value
from domain.command import Verdict


class Grade(StrEnum):
    """How far a result can be trusted.

    ``proven``: the user's own tests, command, or the examples of the request failed before the work and pass.
    ``checked``: our test specialist's tests pass, and were seen to fail before. ``unchecked``: nothing independent
    says so.
    """

    PROVEN = "proven"
    CHECKED = "checked"
    UNCHECKED = "unchecked"


class Outcome(StrEnum):
    """How one test ended. ``error`` is a failure outside the test's own body (fixture, import, collection)."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"


class TestCase(Value):
    """One test's outcome; ``path`` and ``line`` point at the failing assertion, ``line`` counts from 1.

    ``kind`` is a ``FailureKind`` for a test that failed.
    """

    __test__ = False

    id: str
    outcome: Outcome
    duration_s: float = 0.0
    message: str = ""
    path: str = ""
    line: int = 0
    kind: str = ""


class FailureKind(StrEnum):
    """What sort of failure a run showed; ``tampering`` when the run's controls were not honoured, ``rule`` when the
    tests pass and the work is still not what its kind of task asks for, ``flaky`` when they pass only at times."""

    SYNTAX = "syntax"
    IMPORT = "import"
    ASSERTION = "assertion"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    OOM = "oom"
    FLAKY = "flaky"
    NO_TESTS = "no_tests"
    INCOMPLETE = "incomplete"
    TAMPERING = "tampering"
    COMMAND = "command"
    RULE = "rule"
    INFRASTRUCTURE = "infrastructure"


class Failure(Value):
    """The first thing that went wrong, in the form that a fix starts from."""

    kind: FailureKind
    test_id: str = ""
    message: str = ""
    path: str = ""
    line: int = 0


class Coverage(Value):
    """Lines of one file: executable and executed line numbers, from 1."""

    executable: frozenset[int] = frozenset()
    executed: frozenset[int] = frozenset()


class TestReport(Value):
    """One run of tests. ``collected`` counts the tests that the run announced before it ran any; ``deselected`` are
    tests that were found and then left out."""

    __test__ = False

    verdict: Verdict
    collected: int = Field(default=0, ge=0)
    cases: tuple[TestCase, ...] = ()
    errors: tuple[Failure, ...] = ()
    deselected: tuple[str, ...] = ()
    finished: bool = False
    duration_s: float = 0.0
    coverage: dict[str, Coverage] = Field(default_factory=dict)
    output: str = ""

    def count(self, outcome: Outcome) -> int:
        """How many tests ended so."""
        return sum(case.outcome is outcome for case in self.cases)

    @property
    def passed(self) -> bool:
        """Whether at least one test ran, all that were collected reported, and none failed."""
        reported = len(self.cases) >= self.collected > 0
        bad = self.count(Outcome.FAILED) + self.count(Outcome.ERROR)
        return (
            self.verdict is Verdict.OK
            and self.finished
            and reported
            and not self.errors
            and not bad
            and self.count(Outcome.PASSED) > 0
        )


class Survivor(Value):
    """A small wrong change of the code that no test noticed: where it was, and what it was."""

    path: str
    line: int
    what: str


class MutationScore(Value):
    """How many of ``made`` small wrong changes the tests noticed. It says something only together with its count.

    ``killed`` includes the ``timed_out``; ``void`` are changes that no compiler took, which count for nothing, and
    ``untried`` those for which no time was left.
    ``controls_held``: a change of a comment was not noticed, so that the tests look at what the code does.
    """

    made: int = Field(default=0, ge=0)
    killed: int = Field(default=0, ge=0)
    timed_out: int = Field(default=0, ge=0)
    void: int = Field(default=0, ge=0)
    untried: int = Field(default=0, ge=0)
    survivors: tuple[Survivor, ...] = ()
    controls_held: bool = True
    duration_s: float = 0.0

    @property
    def share(self) -> float:
        """The part that was killed, from 0 to 1; 0 where none was made."""
        return self.killed / self.made if self.made else 0.0


class Finding(Value):
    """Something that a linter or a scanner says of a line."""

    path: str
    line: int
    text: str


class Inspection(Value):
    """What linters, scanners and formatters say of the changed files and did not say before the work.

    Without ``ran`` they could not be run, and nothing is known.
    """

    ran: bool = False
    findings: tuple[Finding, ...] = ()
    security: tuple[Finding, ...] = ()
    unformatted: tuple[str, ...] = ()


class Evidence(Value):
    """What a clean room saw of one tree.

    ``tree`` is the git tree hash that was run; ``kind`` names what was run; ``isolation`` how it was contained.
    ``failed_first``: whether the same tests were seen to fail on the tree before the work. ``changed_lines`` and
    ``covered_lines`` count executable lines that the work changed, and those of them that the tests ran.
    ``controls_held`` is None for a run that carries no controls: a person's own command. ``mutation`` and
    ``inspection`` are None where nobody looked. ``due`` is how many protected tests there were before the work.
    """

    kind: str
    tree: str
    isolation: str
    report: TestReport
    passed: bool
    failure: Failure | None = None
    failed_first: bool = False
    controls_held: bool | None = True
    protected_paths: tuple[str, ...] = ()
    changed_lines: int = 0
    covered_lines: int = 0
    due: int = 0
    mutation: MutationScore | None = None
    inspection: Inspection | None = None

    @property
    def score(self) -> tuple[int, int, int, int]:
        """Orders trees: passed, not tampered with, then more protected tests passed, then fewer failures.

        Tests that the work itself brought count for nothing, and tests that were skipped, left out, or that are gone
        count as failures: a tree is not better for having more of its own, or fewer of the others.
        """
        report, protected = self.report, set(self.protected_paths)
        ours = [case for case in report.cases if not protected or case.id.split("::", 1)[0] in protected]
        passed = sum(case.outcome is Outcome.PASSED for case in ours)
        bad = report.count(Outcome.FAILED) + report.count(Outcome.ERROR) + len(report.errors)
        silent = sum(case.outcome is Outcome.SKIPPED for case in ours) + max(0, self.due - len(ours))
        silent += len(report.deselected) + max(0, report.collected - len(report.cases)) + int(not report.finished)
        wrong = (*report.errors, *((self.failure,) if self.failure is not None else ()))
        tampered = self.controls_held is False or any(one.kind is FailureKind.TAMPERING for one in wrong)
        return (int(self.passed), int(not tampered), passed, -bad - silent)
