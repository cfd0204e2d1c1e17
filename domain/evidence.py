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
    """What sort of failure a run showed; ``tampering`` when the run's controls were not honoured."""

    SYNTAX = "syntax"
    IMPORT = "import"
    ASSERTION = "assertion"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    OOM = "oom"
    NO_TESTS = "no_tests"
    INCOMPLETE = "incomplete"
    TAMPERING = "tampering"
    COMMAND = "command"
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

    ``killed`` includes the ``timed_out``; ``void`` are changes that no compiler took, which count for nothing.
    ``controls_held``: a change of a comment was not noticed, so that the tests look at what the code does.
    """

    made: int = Field(default=0, ge=0)
    killed: int = Field(default=0, ge=0)
    timed_out: int = Field(default=0, ge=0)
    void: int = Field(default=0, ge=0)
    survivors: tuple[Survivor, ...] = ()
    controls_held: bool = True
    duration_s: float = 0.0

    @property
    def share(self) -> float:
        """The part that was killed, from 0 to 1; 0 where none was made."""
        return self.killed / self.made if self.made else 0.0


class Evidence(Value):
    """What a clean room saw of one tree.

    ``tree`` is the git tree hash that was run; ``kind`` names what was run; ``isolation`` how it was contained.
    ``failed_first``: whether the same tests were seen to fail on the tree before the work. ``changed_lines`` and
    ``covered_lines`` count executable lines that the work changed, and those of them that the tests ran.
    ``controls_held`` is None for a run that carries no controls: a person's own command.
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

    @property
    def score(self) -> tuple[int, int, int, int]:
        """Orders trees from worse to better: passed, controls held, then tests passed, then fewer failures."""
        bad = self.report.count(Outcome.FAILED) + self.report.count(Outcome.ERROR) + len(self.report.errors)
        return (int(self.passed), int(self.controls_held is not False), self.report.count(Outcome.PASSED), -bad)
