"""Evidence: clean runs before the work and after it, and what they say together."""

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

from app.journal import MemoryJournal
from app.settings import Settings
from app.store import open_store
from director.equipment import Equipment
from director.evidence.grading import grade
from director.evidence.verification import Verifier
from domain.events import TaskSubmitted, VerificationFinished
from domain.evidence import Evidence, FailureKind, Grade
from domain.files import File, TreeChange
from domain.task import TaskSpec
from domain.workspace import BASE_BRANCH
from sandbox.fake import FakeSandboxes
from tests.director.evidence.court import equipment_of
from tests.director.stage import RIGHT, TASK, TEST, TESTS, WRONG

PASSED = {"kind": "pytest", "tree": "t", "isolation": "none", "report": {"verdict": "ok"}, "passed": True}


class Court:
    """A verifier with the tree before the work and trees after it."""

    def __init__(self, verifier: Verifier, equipment: Equipment, base: str) -> None:
        self.verifier = verifier
        self.equipment = equipment
        self.base = base

    async def after(self, **files: str) -> Evidence:
        """The evidence for the base with these files, dots in their names written as __."""
        workspace = self.equipment.workspaces.open(TASK)
        written = {name.replace("__", "."): File(content=text.encode()) for name, text in files.items()}
        made = await workspace.snapshot(BASE_BRANCH, TreeChange(written=written), "work")
        return await self.verifier.verify("attempt:1", self.base, made.commit)


@contextlib.asynccontextmanager
async def court(folder: Path, files: Mapping[str, str], **spec: Any) -> AsyncIterator[Court]:
    async with open_store(Settings(soundstage_home=folder)) as store:
        workspace = await store.workspaces.create(TASK)
        start = await workspace.start({path: File(content=text.encode()) for path, text in files.items()})
        asked = TaskSpec(id=TASK, prompt="x", model="m", base_commit=start.commit, **spec)
        equipment = equipment_of(store, FakeSandboxes())
        await store.log.append(TASK, "submitted", TaskSubmitted(spec=asked))
        yield Court(Verifier(equipment, asked, workspace, MemoryJournal(TASK)), equipment, start.commit)


GRADES = [
    # given, the user's failed first, ours failed first, grade
    (True, True, False, Grade.PROVEN),
    (True, True, True, Grade.PROVEN),
    (True, False, False, Grade.UNCHECKED),
    (True, False, True, Grade.CHECKED),
    (False, False, True, Grade.CHECKED),
    (False, False, False, Grade.UNCHECKED),
]


async def test_the_grade_goes_as_far_as_the_tests_were_seen_to_fail(tmp_path: Path) -> None:
    async with court(tmp_path, {}) as place:
        workspace = place.equipment.workspaces.open(TASK)
        for given, user_failed, ours_failed, expected in GRADES:
            spec = TaskSpec(
                id=TASK, prompt="x", model="m", base_commit=place.base, protected_paths=(TEST,) if given else ()
            )
            verifier = Verifier(place.equipment, spec, workspace, MemoryJournal(TASK))
            verifier.tests_failed_first, verifier.ours_failed_first = user_failed, ours_failed
            evidence = Evidence.model_validate(PASSED)
            assert grade(evidence, verifier.grounds(evidence))[0] is expected
            failed = evidence.model_copy(update={"passed": False})
            assert grade(failed, verifier.grounds(failed)) == (Grade.UNCHECKED, "the tests do not pass")


async def test_the_users_tests_are_run_before_and_after_and_the_evidence_says_all_of_it(tmp_path: Path) -> None:
    async with court(tmp_path, {"calc.py": WRONG, TEST: TESTS}, protected_paths=(TEST,)) as place:
        await place.verifier.look_before(place.base)
        assert place.verifier.user_failed_first
        evidence = await place.after(calc__py=RIGHT)
        assert evidence.passed
        assert (evidence.failed_first, evidence.controls_held, evidence.protected_paths) == (True, True, (TEST,))
        assert (evidence.changed_lines, evidence.covered_lines) == (1, 1)
        workspace = place.equipment.workspaces.open(TASK)
        assert evidence.tree == await workspace.tree(await workspace.head(BASE_BRANCH))
        facts = [event.fact for event in await place.equipment.log.read(TASK)]
        finished = [fact for fact in facts if isinstance(fact, VerificationFinished)]
        assert [fact.evidence.passed for fact in finished] == [False, True]


async def test_tests_that_run_none_of_the_changed_lines_do_not_count(tmp_path: Path) -> None:
    tests = "def test_nothing():\n    assert True\n"
    async with court(tmp_path, {"calc.py": WRONG, TEST: tests}, protected_paths=(TEST,)) as place:
        evidence = await place.after(calc__py=RIGHT)
        assert not evidence.passed
        assert evidence.failure is not None
        assert evidence.failure.kind is FailureKind.NO_TESTS
        assert "none of the 1 changed lines" in evidence.failure.message


async def test_another_test_that_fails_before_the_work_does_not_make_the_users_tests_fail_first(
    tmp_path: Path,
) -> None:
    files = {"calc.py": RIGHT, TEST: TESTS, "tests/test_old.py": "def test_old():\n    assert 0\n"}
    async with court(tmp_path, files, protected_paths=(TEST,)) as place:
        await place.verifier.look_before(place.base)
        assert not place.verifier.user_failed_first
        evidence = await place.after(calc__py=RIGHT + "# done\n")
        assert evidence.passed
        assert grade(evidence, place.verifier.grounds(evidence))[0] is Grade.UNCHECKED


async def test_a_project_with_a_broken_test_file_of_old_can_still_be_solved(tmp_path: Path) -> None:
    files = {"calc.py": WRONG, TEST: TESTS, "tests/test_old.py": "import nowhere\n", "tests/__init__.py": ""}
    async with court(tmp_path, files, protected_paths=(TEST, "tests/__init__.py")) as place:
        await place.verifier.look_before(place.base)
        assert place.verifier.user_failed_first
        assert (await place.after(calc__py=RIGHT)).passed


async def test_a_tree_whose_run_was_tampered_with_never_ranks_above_an_honest_one(tmp_path: Path) -> None:
    files = {"calc.py": WRONG, TEST: TESTS + "\n\ndef test_more():\n    assert add(1, 0) == 1\n"}
    green = "import _pytest.python\n\n_pytest.python.Function.runtest = lambda self: None\n\n\n" + WRONG
    async with court(tmp_path, files, protected_paths=(TEST,)) as place:
        honest = await place.verifier.verify("honest", place.base, place.base)
        tampered = await place.after(calc__py=green)
        assert not tampered.controls_held
        assert not tampered.passed
        assert tampered.score < honest.score


async def test_a_custom_command_alone_decides(tmp_path: Path) -> None:
    async with court(tmp_path, {"calc.py": WRONG}, test_command="grep -q 'a + b' calc.py") as place:
        await place.verifier.look_before(place.base)
        assert place.verifier.user_failed_first
        evidence = await place.after(calc__py=RIGHT)
        assert (evidence.kind, evidence.passed) == ("command", True)
        assert grade(evidence, place.verifier.grounds(evidence))[0] is Grade.CHECKED
