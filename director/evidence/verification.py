"""Evidence: runs in the clean room, before the work and after it, and what they say together."""

import asyncio
from collections.abc import Collection

from director.equipment import Equipment
from director.evidence.clean_room import Run, run_clean
from director.evidence.examples.reading import find_examples
from director.evidence.examples.writing import example_tests
from director.evidence.inspection import inspect
from director.evidence.judgement import BAD, in_files, judge
from director.evidence.kind_check import Checked, KindCheck, Work
from director.evidence.rules import RULES, NewTests, Rule
from director.evidence.test_paths import holds_tests
from domain.events import VerificationFinished, VerificationStarted
from domain.evidence import Evidence, Failure, FailureKind, Grade, Inspection, TestReport
from domain.files import FileTree
from domain.journal import Journal
from domain.plan import Plan
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from domain.workspace import Workspace

FEWEST_EXAMPLES = 2
"""With fewer of them, a test specialist says the rest."""


class Verifier:
    """Verifies the trees of one task. ``tests`` are the protected test files, ours and the user's."""

    def __init__(self, equipment: Equipment, spec: TaskSpec, workspace: Workspace, journal: Journal) -> None:
        self._equipment = equipment
        self._spec = spec
        self._workspace = workspace
        self._journal = journal
        self.tests: set[str] = set(spec.protected_paths)
        self.before: TestReport | None = None
        self.user_failed_first = False
        self.command_failed_first = False
        self.ours_failed_first = False
        self.stubs: FileTree = {}
        self.kind = TaskKind.NEW_CODE
        self.language = "python"
        self._given: set[str] = set(spec.protected_paths)
        self._taken = dict.fromkeys(spec.protected_paths, spec.base_commit)
        self._examples: FileTree = {}
        self._few = False
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
        self.kind, self.language = plan.kind, plan.language
        if self.rule.keeps_tests:
            there = {path for path in files if holds_tests(path)}
            self._taken |= dict.fromkeys(there, self._spec.base_commit)
            self.tests |= there
        if self.rule.new_tests is not NewTests.FAILING or not self.rule.judged:
            return {}
        found = find_examples(self._spec.prompt)
        made = example_tests(found, plan.files, files, plan.language)
        self._few = len(found) < FEWEST_EXAMPLES
        self.tests |= set(made)
        self._given |= set(made)
        self._examples = made
        return made

    @property
    def user_gave_tests(self) -> bool:
        """Whether the user said how to check the work: by tests, a command, or examples."""
        return bool(self._given or self._spec.test_command)

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
        return self.rule.judged and (self.user_gave_tests or self.rule.new_tests is NewTests.PASSING)

    async def run(self, key: str, commit: str, purpose: str, command: str | None = None) -> Run:
        """One run in the clean room, of all tests or of a command, journalled under ``key``, which is unique."""
        started = VerificationStarted(purpose=purpose, commit=commit)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:started", started)
        return await self._journal.child(f"verify:{key}").step("run", Run, lambda: self._ran(commit, command))

    async def _ran(self, commit: str, command: str | None = None) -> Run:
        return await run_clean(
            self._equipment.sandboxes,
            self._workspace,
            self._spec,
            commit,
            test_command=command,
            before=self._spec.base_commit,
            language=self.language,
            kept=await self._kept(),
        )

    async def _kept(self) -> FileTree:
        """The protected tests as they were when they were taken on."""
        found = {path: await self._workspace.file(commit, path) for path, commit in self._taken.items()}
        return self._examples | {path: file for path, file in found.items() if file is not None}

    async def _altered(self, commit: str) -> list[str]:
        """The protected tests that are not as they were, though the clean room ran them as they were."""
        kept = await self._kept()
        return [path for path in sorted(kept) if await self._workspace.file(commit, path) != kept[path]]

    async def finish(self, key: str, evidence: Evidence, purpose: str) -> None:
        """Writes down what the run of that key showed."""
        fact = VerificationFinished(purpose=purpose, evidence=evidence)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:finished", fact)

    async def look_before(self, commit: str) -> None:
        """Runs the user's tests and command before any work: they are worth most when they fail now."""
        if self._given or self.rule.new_tests is NewTests.PASSING:
            run = await self.run("before", commit, "before the work")
            self.before = run.report
            passed = self._users_tests_pass(run.report)
            self.user_failed_first = bool(self._given) and run.report.finished and not passed
            for path in [path for path in self.tests - self._given if not _pass_in(run.report, {path})]:
                self.tests.remove(path)
                self._taken.pop(path, None)
            await self.finish("before", self.evidence(run, passed), "before the work")
        if self._spec.test_command is not None:
            run = await self.run("before:command", commit, "before the work", self._spec.test_command)
            self.command_failed_first = not run.report.passed
            self.user_failed_first = self.user_failed_first or self.command_failed_first
            await self.finish("before:command", self.evidence(run, run.report.passed), "before the work")

    def _users_tests_pass(self, report: TestReport) -> bool:
        """Whether the user's tests pass; what else fails in the project does not count."""
        return report.finished and _pass_in(report, self._given)

    def accept_tests(self, run: Run, paths: Collection[str]) -> None:
        """Takes our test specialist's tests on: from now on they are protected, and must pass."""
        self.tests |= set(paths)
        self._taken |= dict.fromkeys(paths, run.commit)
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
        custom = command is not None and not self.tests
        run = await self.run(key, commit, "verification", command if custom else None)
        tests = set() if custom else self.tests
        judged = judge(run.report, None if custom else self.before, tests, run.controls_held)
        if command is not None and not custom and judged.passed:
            also = await self.run(f"{key}:command", commit, "the user's command", command)
            judged = judge(also.report, None, set(), also.controls_held)
            custom = not judged.passed
        changed, covered = await self._coverage(base, commit, run.report)
        passed, failure = judged.passed, judged.failure
        if custom and failure is not None and failure.kind is FailureKind.EXCEPTION:
            failure = failure.model_copy(update={"kind": FailureKind.COMMAND})
        gap = "" if custom or not passed else await self._gap(commit, run.report, changed, covered)
        if gap:
            passed, failure = False, Failure(kind=FailureKind.NO_TESTS, message=gap)
        if passed and (altered := await self._altered(commit)):
            message = f"protected tests were changed or are gone: {', '.join(altered[:5])}"
            passed, failure = False, Failure(kind=FailureKind.TAMPERING, path=altered[0], message=message)
        more: dict[str, object] = {}
        if passed and not custom:
            checked = await self._checked(key, base, commit, run)
            passed, failure, more["mutation"] = checked.failure is None, checked.failure, checked.mutation
        if passed:
            again = self._unsteady(key, commit, None if custom else tests)
            failure, more["inspection"] = await asyncio.gather(again, self._inspected(key, commit))
            passed = failure is None
        evidence = self.evidence(run, passed).model_copy(
            update={
                "failure": failure,
                "failed_first": self.user_failed_first or self.ours_failed_first,
                "changed_lines": changed,
                "covered_lines": covered,
                **more,
            }
        )
        await self.finish(key, evidence, "verification")
        return evidence

    async def _unsteady(self, key: str, commit: str, tests: set[str] | None) -> Failure | None:
        """What does not pass when it is run once more; ``tests`` is None for a command of the user's, which is not."""
        if tests is None:
            return None
        run = await self._journal.child(f"verify:{key}:again").step("run", Run, lambda: self._ran(commit))
        judged = judge(run.report, self.before, tests, run.controls_held)
        if judged.passed or judged.failure is None:
            return None
        message = f"it passed, and when it was run once more, on the same tree, it did not:\n{judged.failure.message}"
        return judged.failure.model_copy(update={"kind": FailureKind.FLAKY, "message": message})

    async def weakness(self, key: str, base: str, run: Run) -> Failure | None:
        """What new tests, which pass, do not notice, where their kind of task asks for that; ``key`` is unique."""
        return (await self._checked(key, base, run.commit, run)).failure if self.rule.mutants else None

    async def _checked(self, key: str, base: str, commit: str, run: Run) -> Checked:
        tests = frozenset(self.tests)
        work = Work(base=base, commit=commit, before=self.before, after=run, tests=tests, language=self.language)
        return await self._check.check(self.rule, work, self._journal.child(f"verify:{key}:kind"))

    async def _inspected(self, key: str, commit: str) -> Inspection:
        after = await self._workspace.files(commit)
        ours = {path: after[path] for path in self._given & set(after)}
        before = await self._workspace.files(self._spec.base_commit) | ours
        sandboxes, language = self._equipment.sandboxes, self.language
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

    async def _gap(self, commit: str, report: TestReport, changed: int, covered: int) -> str:
        """What the tests left untouched although it is the work, or nothing."""
        if changed and not covered:
            return f"the tests pass, but none of the {changed} changed lines was ever run by them"
        for path, stub in self.stubs.items():
            if await self._workspace.file(commit, path) == stub:
                return f"the tests pass, but {path} is a stub still: they test something else"
            lines = report.coverage.get(path)
            if lines is None or (lines.executable and not lines.executed):
                return f"the tests pass, but they never ran {path}, which the plan says holds the work"
        return ""

    async def _coverage(self, base: str, commit: str, report: TestReport) -> tuple[int, int]:
        changed = covered = 0
        for path, lines in (await self._workspace.changed_lines(base, commit)).items():
            seen = report.coverage.get(path)
            if seen is None or path in self.tests:
                continue
            changed += len(lines & seen.executable)
            covered += len(lines & seen.executed)
        return changed, covered

    def grade(self, evidence: Evidence) -> tuple[Grade, str]:
        """How far the evidence goes, and why not further."""
        if not evidence.passed:
            return Grade.UNCHECKED, "the tests do not pass"
        if self.user_failed_first:
            return Grade.PROVEN, "the user's tests failed before the work and pass after it"
        if self.ours_failed_first:
            return Grade.CHECKED, "the test specialist's tests failed before the work and pass after it"
        if evidence.mutation is not None and evidence.mutation.made:
            noticed = f"{evidence.mutation.killed} of {evidence.mutation.made}"
            return Grade.CHECKED, f"the new tests pass, and notice {noticed} wrong changes of the code"
        if self.rule.keeps_surface and self.before is not None and self.tests:
            return Grade.CHECKED, "the tests passed before the work and pass after it, and nothing public is gone"
        if self.user_gave_tests:
            return Grade.UNCHECKED, "the user's tests passed before any work, so they prove nothing about it"
        return Grade.UNCHECKED, "no test failed before the work, so passing ones prove nothing about it"

    @property
    def can_judge(self) -> bool:
        """Whether there is anything by which a tree could be judged."""
        return self.rule.judged and (bool(self.tests) or self.user_gave_tests)


def _pass_in(report: TestReport, paths: Collection[str]) -> bool:
    """Whether tests in these files ran, and none went wrong."""
    broken = any(in_files(error.test_id, paths) for error in report.errors)
    cases = [case for case in report.cases if in_files(case.id, paths)]
    return not broken and bool(cases) and not any(case.outcome in BAD for case in cases)
