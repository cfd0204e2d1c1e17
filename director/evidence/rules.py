"""What has to be seen for each kind of task, as a table. docs/evidence.md tells it to people."""

from collections.abc import Collection
from enum import StrEnum

from director.evidence.judgement import fails_properly, passes_properly
from domain.base import Value
from domain.evidence import Failure, TestReport
from domain.task_kind import TaskKind

MUTANTS = 20
"""So many mutants are tried where a kind asks for them."""

FEWEST_MUTANTS = 5
"""With fewer of them their share says nothing, as long as some are noticed: one mutant more or less would change it by
a fifth and more. Tests that notice none of them assert nothing."""

LEAST_KILLED = 0.6
"""The share of mutants that new tests must notice. Tests that assert nothing, or that catch everything, notice only
those that raise or never end: less than half of our own samples, of which good tests notice nine in ten. The rest is
room for mutants that change no behaviour, which no test can notice."""


class NewTests(StrEnum):
    """What tests that a specialist wrote must do on the tree before the work."""

    FAILING = "failing"
    PASSING = "passing"


class Rule(Value):
    """What is asked of the evidence for a kind of task.

    ``new_tests``: see there. ``keeps_passing``: every test that passed before passes after. ``keeps_tests``: the tests
    that are there are protected. ``keeps_surface``: what other files can use is there still. ``only_tests``: no file
    is changed that belongs to no test. ``mutants``: the new tests are tried by mutants, and run more lines than before.
    ``judged``: whether anything can speak for the work at all.
    """

    new_tests: NewTests = NewTests.FAILING
    keeps_passing: bool = False
    keeps_tests: bool = False
    keeps_surface: bool = False
    only_tests: bool = False
    mutants: bool = False
    judged: bool = True


NEW = Rule()
RULES = {
    TaskKind.NEW_CODE: NEW,
    TaskKind.WEB_APP: NEW,
    TaskKind.SCRAPE: NEW,
    TaskKind.FIX: Rule(keeps_passing=True),
    TaskKind.REFACTOR: Rule(new_tests=NewTests.PASSING, keeps_passing=True, keeps_tests=True, keeps_surface=True),
    TaskKind.ADD_TESTS: Rule(new_tests=NewTests.PASSING, keeps_passing=True, only_tests=True, mutants=True),
    TaskKind.QUESTION: Rule(judged=False),
}


def gate(report: TestReport, paths: Collection[str], kind: TaskKind) -> Failure | None:
    """None when new tests in ``paths`` are taken on for a task of that kind, by a run before the work.

    Otherwise the failure to hand back to whoever wrote them.
    """
    asked = fails_properly if RULES[kind].new_tests is NewTests.FAILING else passes_properly
    return asked(report, paths)
