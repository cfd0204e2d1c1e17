"""Evidence: runs in the clean room, before the work and after it, and what they say together."""

import asyncio
from collections.abc import Collection

from director.equipment import Equipment
from director.evidence.clean_room import Run
from director.evidence.clean_runs import CleanRuns
from director.evidence.examples.reading import find_examples
from director.evidence.examples.writing import example_tests
from director.evidence.grading import Grounds
from director.evidence.handling import altered, former_tests, steering
from director.evidence.inspection import inspect
from director.evidence.judgement import fail_in, in_files, judge, pass_in
from director.evidence.kind_check import Checked, KindCheck, Work
from director.evidence.rules import RULES, NewTests, Rule
from director.evidence.test_paths import holds_tests
from director.evidence.untouched import Covered, coverage, gap
from director.evidence.users_command import judged_by
from domain.events import VerificationFinished, VerificationStarted
from domain.evidence import Evidence, Failure, FailureKind, Inspection, MutationScore, TestReport
from domain.files import FileTree
from domain.journal import Journal
from domain.plan import Plan
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from domain.workspace import Workspace

FEWEST_EXAMPLES = 2  # with fewer of them, a test specialist says the rest


class Verifier:
    """Verifies the trees of one task. ``tests`` are the protected test files, ours and the user's."""

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> None:
        self._equipment = equipment
        self._spec = spec
        self._workspace = workspace
        self._journal = journal
        self.tests: set[str] = set(spec.protected_paths)
        self.before: TestReport | None = None
        self.tests_failed_first = False
        self.command_failed_first = False
        self.ours_failed_first = False
        self.stubs: FileTree = {}
        self.kind = TaskKind.NEW_CODE
        self.judges: set[str] = set()
        self._given: set[str] = set(spec.protected_paths)
        self._runs = CleanRuns(equipment, spec, workspace, journal)
        self._few = False
        self._has_tests = False
        self._touched: set[str] = set()
        self._check = KindCheck(equipment, spec, workspace)

    @property
    def rule(self) -> Rule:
        """What the kind of task asks for."""
        return RULES[self.kind]

    def follow(self, plan: Plan, files: FileTree) -> FileTree:
        """Goes by the plan's kind and language. Returns the tests to add, made of the request's examples.

        ``files`` are those before the work, with the stubs. Where the kind keeps the tests that are there, they are
        protected from now on.
        """
        self.kind, self._runs.language = plan.kind, plan.language
        self._has_tests = any(map(holds_tests, files))
        if self.rule.keeps_tests:
            there = {path for path in files if holds_tests(path)}
            self._runs.taken |= dict.fromkeys(there, self._spec.base_commit)
            self.tests |= there
        self.judges = judged_by(self._spec.test_command or "", files)
        self._runs.taken |= dict.fromkeys(self.judges - set(self._runs.taken), self._spec.base_commit)
        if self.rule.new_tests is not NewTests.FAILING or not self.rule.judged:
            return {}
        found = find_examples(self._spec.prompt)
        made = example_tests(found, plan.files, files, plan.language)
        self._few = len(found) < FEWEST_EXAMPLES
        self.tests |= set(made)
        self._given |= set(made)
        self._runs.examples = made
        return made

    @property
    def protected(self) -> frozenset[str]:
        """What no specialist may change: the tests, and the files by which the user's command judges."""
        return frozenset(self.tests | self.judges)

    @property
    def user_gave_tests(self) -> bool:
        """Whether the user said how to check the work: by tests, a command, or examples."""
        return bool(self._given or self._spec.test_command)

    @property
    def user_failed_first(self) -> bool:
        """Whether the user's tests or command were seen to fail before the work."""
        return self.tests_failed_first or self.command_failed_first

    def users_tests_suffice(self, able: bool) -> bool:
        """Whether no other tests are needed: the user's failed before the work, and are more than one example, or there
        is no model that is ``able`` to write better ones."""
        if not able:
            return self.user_failed_first
        alone = not (self._spec.protected_paths or self._spec.test_command)
        return self.user_failed_first and not (alone and self._few)

    @property
    def looks_before(self) -> bool:
        """Whether something is to be run before the work."""
        return self.rule.judged and (self.user_gave_tests or self._runs_before)

    @property
    def _runs_before(self) -> bool:
        """Whether the tests of the project count, so that they are run before the work."""
        counts = self._has_tests and (self.rule.keeps_passing or self._spec.test_command is not None)
        return counts or bool(self.tests) or self.rule.new_tests is NewTests.PASSING

    async def run(self, key: str, commit: str, purpose: str, command: str | None = None) -> Run:
        """One run in the clean room, of all tests or of a command, which is told; ``key`` is unique."""
        started = VerificationStarted(purpose=purpose, commit=commit)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:started", started)
        return await self._runs.run(f"{key}:run", commit, command)

    async def finish(self, key: str, evidence: Evidence, purpose: str) -> None:
        """Writes down what the run of that key showed."""
        fact = VerificationFinished(purpose=purpose, evidence=evidence)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:finished", fact)

    async def look_before(self, commit: str) -> None:
        """Runs the user's tests and command before any work: they are worth most when they fail now."""
        if self._given or self._runs_before:
            run = await self.run("before", commit, "before the work")
            self.before = run.report
            passed = run.report.finished and pass_in(run.report, self._given or self.tests)
            self.tests_failed_first = fail_in(run.report, self._given)
            for path in [path for path in self.tests - self._given if not pass_in(run.report, {path})]:
                self.tests.remove(path)
                self._runs.taken.pop(path, None)
            await self.finish("before", self.evidence(run, passed), "before the work")
        if self._spec.test_command is not None:
            run = await self.run("before:command", commit, "before the work", self._spec.test_command)
            self.command_failed_first = not run.report.passed
            await self.finish("before:command", self.evidence(run, run.report.passed), "before the work")

    def accept_tests(self, run: Run, paths: Collection[str]) -> None:
        """Takes our test specialist's tests on: from now on they are protected, and must pass."""
        self.tests |= set(paths)
        self._runs.taken |= dict.fromkeys(paths, run.commit)
        self.ours_failed_first = self.rule.new_tests is NewTests.FAILING
        if self.rule.new_tests is NewTests.PASSING:
            return
        if self.before is None:
            self.before = run.report
        else:
            cases = {case.id: case for case in (*self.before.cases, *run.report.cases)}
            self.before = run.report.model_copy(update={"cases": tuple(cases.values()), "collected": len(cases)})

    async def verify(self, key: str, base: str, commit: str) -> Evidence:
        """The evidence for a tree: the judgement of a clean run, with the coverage of the lines that changed."""
        command = self._spec.test_command
        custom = command is not None and not self.tests and not (self.before is not None and self.before.cases)
        run = await self.run(key, commit, "verification", command if custom else None)
        tests = set() if custom else self.tests
        judged = judge(run.report, None if custom else self.before, tests, run.controls_held)
        if command is not None and not custom and judged.passed:
            also = await self.run(f"{key}:command", commit, "the user's command", command)
            judged = judge(also.report, None, set(), also.controls_held)
            custom = not judged.passed
        lines = await coverage(self._workspace, base, commit, run.report, self.tests)
        failure = judged.failure
        if custom and failure is not None and failure.kind is FailureKind.EXCEPTION:
            failure = failure.model_copy(update={"kind": FailureKind.COMMAND})
        failure = failure or await self._shortfall(commit, run, lines, custom)
        more: dict[str, object] = {}
        if failure is None and not custom:
            checked = await self._checked(key, base, commit, run)
            failure, more["mutation"] = checked.failure, checked.mutation
            if failure is None and self.ours_failed_first and not self.user_failed_first:
                more["mutation"] = await self._noticed(key, base, commit, run)
        if failure is None:
            again = self._unsteady(key, commit, None if custom else tests)
            failure, more["inspection"] = await asyncio.gather(again, self._inspected(key, commit))
        evidence = self.evidence(run, failure is None).model_copy(
            update={
                "failure": failure,
                "failed_first": self.user_failed_first or self.ours_failed_first,
                "changed_lines": lines.changed,
                "covered_lines": lines.covered,
                **more,
            }
        )
        if evidence.passed and command is not None and not await self._passes_with_former_tests(key, base, commit):
            self._touched.add(evidence.tree)
        await self.finish(key, evidence, "verification")
        return evidence

    async def _passes_with_former_tests(self, key: str, base: str, commit: str) -> bool:
        """Whether the user's command passes as well with the tests that the work changed as they were before it."""
        former = await former_tests(self._workspace, self._spec.base_commit, base, commit)
        if not former:
            return True
        return (await self._runs.run(f"{key}:former", commit, self._spec.test_command, former=former)).report.passed

    async def _shortfall(self, commit: str, run: Run, lines: Covered, custom: bool) -> Failure | None:
        """What is wrong with work whose tests pass: what they left out, and protected files that are other ones."""
        alone = custom or (self._spec.test_command is not None and not self.tests)
        if not alone and (missed := await gap(self._workspace, commit, self.stubs, run.report, lines)):
            return Failure(kind=FailureKind.NO_TESTS, message=missed)
        if other := await altered(self._workspace, commit, await self._runs.kept()):
            message = f"protected files were changed or are gone: {', '.join(other[:5])}"
            return Failure(kind=FailureKind.TAMPERING, path=other[0], message=message)
        return None

    async def _unsteady(self, key: str, commit: str, tests: set[str] | None) -> Failure | None:
        """What does not pass when it is run once more; ``tests`` is None for a command of the user's, which is not.

        Where the work changed files that steer tests, they are as it is to be delivered this time.
        """
        if tests is None:
            return None
        steered = await steering(self._workspace, self._spec.base_commit, commit)
        run = await self._runs.run(f"{key}:again", commit, delivered=bool(steered))
        judged = judge(run.report, self.before, tests, run.controls_held)
        if judged.passed or judged.failure is None:
            return None
        if steered:
            which = f"{', '.join(steered[:5])} as before the work, and not as delivered"
            message = f"it passes with {which}:\n{judged.failure.message}"
            return judged.failure.model_copy(update={"kind": FailureKind.RULE, "path": steered[0], "message": message})
        message = f"it passed, and when it was run once more, on the same tree, it did not:\n{judged.failure.message}"
        return judged.failure.model_copy(update={"kind": FailureKind.FLAKY, "message": message})

    async def weakness(self, key: str, base: str, run: Run) -> Failure | None:
        """What new tests, which pass, do not notice, where their kind of task asks for that; ``key`` is unique."""
        return (await self._checked(key, base, run.commit, run)).failure if self.rule.mutants else None

    async def _checked(self, key: str, base: str, commit: str, run: Run) -> Checked:
        return await self._check.check(
            self.rule, self._work(base, commit, run), self._journal.child(f"verify:{key}:kind")
        )

    async def _noticed(self, key: str, base: str, commit: str, run: Run) -> MutationScore | None:
        """How much our own tests notice of wrong changes of the work, since nobody else says that they assert it."""
        lines = await self._workspace.changed_lines(base, commit)
        return await self._check.noticed(
            self._work(base, commit, run), lines, self._journal.child(f"verify:{key}:ours")
        )

    def _work(self, base: str, commit: str, run: Run) -> Work:
        tests = frozenset(self.tests)
        return Work(base=base, commit=commit, before=self.before, after=run, tests=tests, language=self._runs.language)

    async def _inspected(self, key: str, commit: str) -> Inspection:
        after = await self._workspace.files(commit)
        ours = {path: after[path] for path in self._given & set(after)}
        before = await self._workspace.files(self._spec.base_commit) | ours
        sandboxes, language = self._equipment.sandboxes, self._runs.language
        return await self._journal.child(f"verify:{key}:inspection").step(
            "inspect", Inspection, lambda: inspect(sandboxes, self._spec, before, after, language)
        )

    def evidence(self, run: Run, passed: bool) -> Evidence:
        """A run as evidence, before anything is added to it."""
        return Evidence(
            kind=run.kind,
            tree=run.tree,
            isolation=run.isolation,
            report=run.report,
            passed=passed,
            controls_held=run.controls_held,
            protected_paths=tuple(sorted(self.tests)),
            due=sum(in_files(case.id, self.tests) for case in self.before.cases) if self.before is not None else 0,
        )

    def grounds(self, evidence: Evidence) -> Grounds:
        """What was seen besides, by which evidence is graded."""
        return Grounds(
            users_tests=self.tests_failed_first,
            command=self.command_failed_first,
            ours=self.ours_failed_first,
            given=self.user_gave_tests,
            touched=evidence.tree in self._touched,
            kept=self.rule.keeps_surface and self.before is not None and bool(self.tests),
        )

    @property
    def can_judge(self) -> bool:
        """Whether there is anything by which a tree could be judged."""
        return self.rule.judged and (bool(self.tests) or self.user_gave_tests)
