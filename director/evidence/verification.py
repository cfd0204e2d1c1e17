"""Evidence: runs in the clean room, before the work and after it, and what they say together."""

from collections.abc import Collection

from director.equipment import Equipment
from director.evidence.clean_room import Run, run_clean
from director.evidence.judgement import BAD, in_files, judge
from domain.events import VerificationFinished, VerificationStarted
from domain.evidence import Evidence, Failure, FailureKind, Grade, TestReport
from domain.files import FileTree
from domain.journal import Journal
from domain.task import TaskSpec
from domain.workspace import Workspace


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

    @property
    def user_gave_tests(self) -> bool:
        """Whether the user said how to check the work."""
        return bool(self._spec.protected_paths or self._spec.test_command)

    async def run(self, key: str, commit: str, purpose: str, command: str | None = None) -> Run:
        """One run in the clean room, of all tests or of a command, journalled under ``key``, which is unique."""
        started = VerificationStarted(purpose=purpose, commit=commit)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:started", started)
        return await self._journal.child(f"verify:{key}").step(
            "run",
            Run,
            lambda: run_clean(
                self._equipment.sandboxes,
                self._workspace,
                self._spec,
                commit,
                test_command=command,
                before=self._spec.base_commit,
            ),
        )

    async def finish(self, key: str, evidence: Evidence, purpose: str) -> None:
        """Writes down what the run of that key showed."""
        fact = VerificationFinished(purpose=purpose, evidence=evidence)
        await self._equipment.log.append(self._spec.id, f"verify:{key}:finished", fact)

    async def look_before(self, commit: str) -> None:
        """Runs the user's tests and command before any work: they are worth most when they fail now."""
        if self._spec.protected_paths:
            run = await self.run("before", commit, "before the work")
            self.before = run.report
            passed = self._users_tests_pass(run.report)
            self.user_failed_first = run.report.finished and not passed
            await self.finish("before", self.evidence(run, passed), "before the work")
        if self._spec.test_command is not None:
            run = await self.run("before:command", commit, "before the work", self._spec.test_command)
            self.command_failed_first = not run.report.passed
            self.user_failed_first = self.user_failed_first or self.command_failed_first
            await self.finish("before:command", self.evidence(run, run.report.passed), "before the work")

    def _users_tests_pass(self, report: TestReport) -> bool:
        """Whether the user's tests pass; what else fails in the project does not count."""
        broken = any(in_files(error.test_id, self.tests) for error in report.errors)
        cases = [case for case in report.cases if in_files(case.id, self.tests)]
        return report.finished and not broken and bool(cases) and not any(case.outcome in BAD for case in cases)

    def accept_tests(self, run: Run, paths: Collection[str]) -> None:
        """Takes our test specialist's tests on: from now on they are protected, and must pass."""
        self.tests |= set(paths)
        self.ours_failed_first = True
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
        evidence = self.evidence(run, passed).model_copy(
            update={
                "failure": failure,
                "failed_first": self.user_failed_first or self.ours_failed_first,
                "changed_lines": changed,
                "covered_lines": covered,
            }
        )
        await self.finish(key, evidence, "verification")
        return evidence

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
        if self.user_gave_tests:
            return Grade.UNCHECKED, "the user's tests passed before any work, so they prove nothing about it"
        return Grade.UNCHECKED, "no test failed before the work, so passing ones prove nothing about it"

    @property
    def can_judge(self) -> bool:
        """Whether there is anything by which a tree could be judged."""
        return bool(self.tests) or self.user_gave_tests
