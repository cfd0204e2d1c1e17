"""The clean room: a fresh sandbox that runs the tests on one tree."""

from pathlib import Path

import pytest

from director.evidence.clean_room import Run, run_clean
from director.evidence.judgement import judge
from domain.evidence import FailureKind, Outcome
from domain.files import File
from domain.task import TaskSpec
from sandbox.fake import FakeSandboxes
from storage.workspace import WorkspaceStore
from tests.director.stage import RIGHT, TEST, TESTS, WRONG

GOOD = {"calc.py": RIGHT, TEST: TESTS}
BAD = {"calc.py": WRONG, TEST: TESTS}
EXIT = "import os\nos._exit(0)\n"
HOOK = "def pytest_collection_modifyitems(items):\n    items[:] = []\n"
GREEN = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome = "passed"
    return report
"""


async def clean(folder: Path, files: dict[str, str], command: str | None = None) -> Run:
    workspace = await WorkspaceStore(folder).create("task")
    start = await workspace.start({path: File(content=text.encode()) for path, text in files.items()})
    spec = TaskSpec(id="task", prompt="x", model="m", base_commit=start.commit)
    return await run_clean(FakeSandboxes(), workspace, spec, start.commit, command)


async def test_a_good_tree_passes_and_nothing_is_seen_of_the_controls(tmp_path: Path) -> None:
    run = await clean(tmp_path, {**GOOD, "pytest.ini": "[pytest]\ntestpaths = tests\n"})
    assert run.controls_held
    assert run.report.passed
    assert (run.report.collected, [case.id for case in run.report.cases]) == (1, [f"{TEST}::test_add"])
    assert set(run.report.coverage) == {"calc.py", TEST}
    assert (run.kind, run.isolation) == ("pytest", "none")


async def test_a_bad_tree_fails_with_the_place_of_the_assertion(tmp_path: Path) -> None:
    run = await clean(tmp_path, BAD)
    assert run.controls_held
    (case,) = run.report.cases
    assert (case.outcome, case.path, case.line) == (Outcome.FAILED, TEST, 5)
    judgement = judge(run.report, None, {TEST}, run.controls_held)
    assert judgement.failure is not None
    assert judgement.failure.kind is FailureKind.ASSERTION


TAMPERING = {
    "conftest exits": {"conftest.py": EXIT},
    "code exits": {"calc.py": EXIT},
    "conftest exits at the end": {"conftest.py": "import os\n\ndef pytest_sessionfinish():\n    os._exit(0)\n"},
    "conftest runs nothing": {"conftest.py": HOOK},
    "conftest paints all green": {"conftest.py": GREEN},
    "configuration runs nothing": {"pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-k nothing'\n"},
    "configuration only collects": {"pytest.ini": "[pytest]\naddopts = --collect-only\n"},
}


@pytest.mark.parametrize("files", TAMPERING.values(), ids=TAMPERING)
async def test_what_steers_the_run_never_makes_a_bad_tree_pass(files: dict[str, str], tmp_path: Path) -> None:
    run = await clean(tmp_path, BAD | files)
    judgement = judge(run.report, None, {TEST}, run.controls_held)
    assert not judgement.passed
    assert judgement.failure is not None
    assert judgement.failure.kind in {FailureKind.TAMPERING, FailureKind.INCOMPLETE, FailureKind.NO_TESTS}


async def test_a_project_that_stops_at_the_first_failure_is_told_that_failure(tmp_path: Path) -> None:
    run = await clean(tmp_path, {**BAD, "pytest.ini": "[pytest]\naddopts = -x\n"})
    judgement = judge(run.report, None, {TEST}, run.controls_held)
    assert judgement.failure is not None
    assert (judgement.failure.kind, judgement.failure.test_id) == (FailureKind.ASSERTION, f"{TEST}::test_add")


async def test_one_file_that_cannot_be_imported_does_not_keep_the_others_from_running(tmp_path: Path) -> None:
    run = await clean(tmp_path, {**GOOD, "tests/test_old.py": "import nowhere\n"})
    assert run.controls_held
    assert [case.outcome for case in run.report.cases] == [Outcome.PASSED]
    assert [error.test_id for error in run.report.errors] == ["tests/test_old.py"]


@pytest.mark.parametrize(("command", "passed"), [("test -f calc.py && echo fine", True), ("echo no; exit 3", False)])
async def test_a_persons_own_command_decides_by_its_exit_code(command: str, passed: bool, tmp_path: Path) -> None:
    run = await clean(tmp_path, GOOD, command)
    assert (run.kind, run.controls_held) == ("command", None)
    assert run.report.passed is passed
    (case,) = run.report.cases
    assert ("exit code 3" in case.message) is not passed
