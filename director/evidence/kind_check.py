"""Whether work whose tests pass is what its kind of task asks for."""

from director.equipment import Equipment
from director.evidence.clean_room import Run
from director.evidence.judgement import no_longer_passing
from director.evidence.mutation.measure import Measured, Subject, measure
from director.evidence.rules import FEWEST_MUTANTS, LEAST_KILLED, MUTANTS, Rule
from director.evidence.steering import restored
from director.evidence.surface import lost_names
from director.evidence.test_paths import belongs_to_tests, holds_tests
from domain.base import Value
from domain.evidence import Failure, FailureKind, MutationScore, TestReport
from domain.journal import Journal
from domain.task import TaskSpec
from domain.workspace import Workspace
from mcp_server.parsers.parsers import Parsers

SHOWN_SURVIVORS = 10


class Work(Value):
    """What is looked at: the commits before and after, the run of each, and the protected tests."""

    base: str
    commit: str
    before: TestReport | None
    after: Run
    tests: frozenset[str]
    language: str = "python"


class Checked(Value):
    """What a kind of task asks for and is not there, if anything, and how much the new tests notice."""

    failure: Failure | None = None
    mutation: MutationScore | None = None


class KindCheck:
    """Checks the work of one task by the rule of its kind."""

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace) -> None:
        self._equipment = equipment
        self._spec = spec
        self._workspace = workspace
        self._measured: dict[str, Measured] = {}

    async def check(self, rule: Rule, work: Work, journal: Journal) -> Checked:
        """The first thing of the rule that does not hold."""
        failure = None
        if rule.keeps_passing and work.before is not None:
            failure = no_longer_passing(work.after.report, work.before)
        if failure is None and rule.keeps_surface:
            failure = (await journal.step("surface", Checked, lambda: self._surface(work))).failure
        if failure is None and rule.only_tests:
            failure = await self._others(work)
        if failure is not None or not rule.mutants:
            return Checked(failure=failure)
        return await self._tried(work, journal)

    async def _surface(self, work: Work) -> Checked:
        before, after = [await self._workspace.files(commit) for commit in (work.base, work.commit)]
        async with Parsers() as parsers:
            lost = await lost_names(parsers, before, after)
        if not lost:
            return Checked()
        message = f"{len(lost)} public names are gone: {', '.join(lost[:10])}"
        return Checked(failure=Failure(kind=FailureKind.RULE, message=message))

    async def _others(self, work: Work) -> Failure | None:
        changed = await self._workspace.paths(work.base, work.commit)
        if others := [path for path in changed if not belongs_to_tests(path)]:
            message = f"only tests were to be added, and these changed: {', '.join(others[:10])}"
            return Failure(kind=FailureKind.RULE, path=others[0], message=message)
        return None

    async def _tried(self, work: Work, journal: Journal) -> Checked:
        new = _newly_run(work)
        ran = new or _run_lines(work.after.report)
        grew = bool(new) or work.before is None or not _left(work.before)
        if not grew:
            message = "the new tests run no line that was not run before; test what no test runs yet"
            return Checked(failure=Failure(kind=FailureKind.RULE, message=message))
        tests = await self._new_tests(work)
        files = restored(await self._workspace.files(work.commit), await self._workspace.files(work.base))
        subject = Subject(tree=work.after.tree, files=files, lines=ran, tests=tests, language=work.language)
        sandboxes = self._equipment.sandboxes
        if subject.tree not in self._measured:
            # The gate of new tests asks about a tree, and so does the verification after it.
            tried = await journal.step("mutants", Measured, lambda: measure(sandboxes, self._spec, subject, MUTANTS))
            self._measured[subject.tree] = tried
        found = self._measured[subject.tree]
        return Checked(failure=weakness(found.score), mutation=found.score)

    async def noticed(self, work: Work, lines: dict[str, frozenset[int]], journal: Journal) -> MutationScore | None:
        """How much the protected tests notice of wrong changes of ``lines``; None where nothing can be said."""
        ran = work.after.report.coverage
        seen = {path: numbers & ran[path].executed for path, numbers in lines.items() if path in ran}
        seen = {path: numbers for path, numbers in seen.items() if numbers and not belongs_to_tests(path)}
        files = restored(await self._workspace.files(work.commit), await self._workspace.files(work.base))
        tests = tuple(sorted(filter(holds_tests, work.tests)))
        subject = Subject(tree=work.after.tree, files=files, lines=seen, tests=tests, language=work.language)
        sandboxes = self._equipment.sandboxes
        tried = await journal.step("noticed", Measured, lambda: measure(sandboxes, self._spec, subject, MUTANTS))
        return tried.score

    async def _new_tests(self, work: Work) -> tuple[str, ...]:
        changed = await self._workspace.paths(work.base, work.commit)
        return tuple(path for path in changed if holds_tests(path))


def weakness(score: MutationScore | None) -> Failure | None:
    """What is wrong with tests of that score: whoever wrote them is told what they did not notice."""
    if score is None:
        return Failure(kind=FailureKind.RULE, message="the new tests cannot be tried: alone they do not pass")
    if not score.controls_held:
        message = "the new tests notice a change of a comment: test what the code does, not its text"
        return Failure(kind=FailureKind.TAMPERING, message=message)
    if score.untried and score.made < FEWEST_MUTANTS:
        message = f"the new tests are too slow to be tried: {score.untried} of the wrong changes had no time left"
        return Failure(kind=FailureKind.RULE, message=message)
    if notices(score):
        return None
    survivors = "\n".join(f"{one.path}:{one.line}: {one.what}" for one in score.survivors[:SHOWN_SURVIVORS])
    noticed = f"of {score.made} wrong changes they noticed {score.killed}"
    message = f"the tests pass, but {noticed}. Not noticed:\n{survivors}"
    return Failure(kind=FailureKind.RULE, message=message)


def notices(score: MutationScore) -> bool:
    """Whether tests of that score notice as many wrong changes as can be asked for."""
    few_but_some = score.made < FEWEST_MUTANTS and (score.killed or not score.made)
    return bool(few_but_some) or score.share >= LEAST_KILLED


def _run_lines(report: TestReport) -> dict[str, frozenset[int]]:
    seen = {path: lines.executed for path, lines in report.coverage.items() if not belongs_to_tests(path)}
    return {path: lines for path, lines in seen.items() if lines}


def _newly_run(work: Work) -> dict[str, frozenset[int]]:
    old = _run_lines(work.before) if work.before is not None else {}
    new = {path: lines - old.get(path, frozenset()) for path, lines in _run_lines(work.after.report).items()}
    return {path: lines for path, lines in new.items() if lines}


def _left(report: TestReport) -> bool:
    """Whether there are lines that no test runs. A file that no test loads is not known to the report of some."""
    measured = [lines for path, lines in report.coverage.items() if not belongs_to_tests(path)]
    return any(lines.executable - lines.executed for lines in measured) or not measured
