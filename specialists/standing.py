"""How the work stands, by the runs of the tests that a specialist made itself."""

from enum import StrEnum
from typing import NamedTuple

from domain.test_outcome import TestOutcome


class HandsOver(StrEnum):
    """What a role hands over, which decides when one tree is better than another.

    ``code``: more tests pass, then fewer fail. ``tests``: more are collected, then fewer cannot run; they may fail.
    ``findings``: no tree is better.
    """

    CODE = "code"
    TESTS = "tests"
    FINDINGS = "findings"


class Snapshot(NamedTuple):
    """A commit of the branch and the hash of its files."""

    commit: str
    tree: str


class Tried(NamedTuple):
    """A snapshot, and what the tests showed there."""

    at: Snapshot
    tests: TestOutcome


class Standing:
    """Where the work is ``now``, what its ``tests`` showed last, and the ``best`` snapshot so far.

    ``improved`` says whether what was seen last is better than all before it.
    """

    def __init__(self, now: Snapshot, hands_over: HandsOver) -> None:
        self.now = now
        self.tests: TestOutcome | None = None
        self.best: Tried | None = None
        self.improved = False
        self._hands_over = hands_over
        self._first: Tried | None = None
        self._known: dict[tuple[str, tuple[str, ...]], TestOutcome] = {}

    def see(self, now: Snapshot, tests: TestOutcome | None = None) -> None:
        """Takes note of where a call led, and of the tests that it ran."""
        self.now, self.improved = now, False
        if tests is None:
            return
        self.tests = tests
        if self._hands_over is HandsOver.FINDINGS:
            return
        tried = Tried(now, tests)
        self._known[now.tree, tests.selection] = tests
        self._first = self._first or tried
        if self.best is None or self._rank(tests) >= self._rank(self.best.tests):
            self.improved = self.best is None or self._rank(tests) > self._rank(self.best.tests)
            self.best = tried

    def went_back(self, to: Tried) -> None:
        """The files are those of that snapshot again."""
        self.now, self.tests, self.improved = to.at, to.tests, False

    @property
    def unknown(self) -> tuple[str, ...] | None:
        """The tests to run for a comparison with the best snapshot; None where there is nothing to be compared."""
        if self.best is None or (self.now.tree, self.best.tests.selection) in self._known:
            return None
        return self.best.tests.selection

    @property
    def worse(self) -> TestOutcome | None:
        """What the tests show now, where that is worse than at the best snapshot."""
        if self.best is None:
            return None
        tests = self._known.get((self.now.tree, self.best.tests.selection))
        return tests if tests is not None and self._rank(tests) < self._rank(self.best.tests) else None

    @property
    def to_hand_over(self) -> Tried | None:
        """The snapshot to go back to before the work is handed over; None where it is best as it is.

        Files that no test saw are kept, unless the tests had shown an improvement before them.
        """
        if self.best is None or self._first is None or self.best.at.tree == self.now.tree:
            return None
        gained = self._rank(self.best.tests) > self._rank(self._first.tests)
        return self.best if self.worse is not None or (self.unknown is not None and gained) else None

    def _rank(self, tests: TestOutcome) -> tuple[int, int]:
        if self._hands_over is HandsOver.TESTS:
            return tests.collected, -tests.errors
        return tests.passed, -tests.failed - tests.errors
