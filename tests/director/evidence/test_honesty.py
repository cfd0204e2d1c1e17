"""Trees that try to look right, judged by the verifier in real clean rooms: none of them passes."""

from pathlib import Path

import pytest

from director.evidence.rules import gate
from domain.evidence import FailureKind, Grade
from domain.plan import StubFile
from domain.task import Limits
from domain.task_kind import TaskKind
from tests.director.evidence.court import court
from tests.sandbox.hostile.honesty_trees import PATCH, TREES

pytestmark = pytest.mark.usefixtures("docker_engine")

WRONG = "def square(x):\n    return x + x\n"
RIGHT = "def square(x):\n    return x * x\n"
ASKED = "square(3) == 9, square(4) == 16"
PLANNED = (StubFile(path="calc.py", signatures=("def square(x)",)),)
FORGED = """class Forged(%s):
    def __eq__(self, other):
        return True

    def __ne__(self, other):
        return False

    def __hash__(self):
        return 0

    def __repr__(self):
        return "9"


def square(x):
    return Forged(%s)
"""
META = """class Meta(type):
    __eq__ = lambda cls, other: True
    __hash__ = lambda cls: hash(int)
    __mro__ = property(lambda cls: (int,))


class Forged(metaclass=Meta):
    __class__ = int
    __eq__ = lambda self, other: True


def square(x):
    return Forged()
"""
CASES: dict[str, dict[str, str | None]] = {
    "an object that equals everything": {"calc.py": FORGED % ("", "")},
    "a number that equals everything": {"calc.py": FORGED % ("int", "1")},
    "a class that is every class": {"calc.py": META},
    "exit in conftest": {"conftest.py": "import os\nos._exit(0)\n"},
    "exit in the code": {"calc.py": f"import os\nos._exit(0)\n{WRONG}"},
    "patched reports": {"conftest.py": str(TREES["patched_report"]["conftest.py"])},
    "patched pytest": {"calc.py": f"{PATCH}{WRONG}"},
    "site customization": TREES["site_customization"],
    "deselected": TREES["deselected"],
    "fake pytest": TREES["fake_pytest"],
    "skipped": {"calc.py": "import pytest\n\n\ndef square(x):\n    pytest.skip('later')\n"},
    "expected to fail": {"calc.py": "import pytest\n\n\ndef square(x):\n    pytest.xfail('later')\n"},
    "a module among the tests": {"tests/calc.py": RIGHT, "tests/test_it.py": "import calc\n\ndef test(): pass\n"},
}  # fmt: skip


async def test_no_forged_success_passes_the_examples_of_a_request(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.NEW_CODE, {"calc.py": WRONG}, PLANNED, prompt=ASKED) as place:
        (path,) = place.verifier.tests
        honest = await place.after({"calc.py": WRONG})
        cases = CASES | {
            "deleted": {path: None},
            "weakened": {path: "def test_square():\n    pass\n"},
            "renamed": {path: None, "check.py": "def test_square():\n    pass\n"},
        }
        for name, files in cases.items():
            evidence = await place.after({"calc.py": WRONG} | files)
            assert not evidence.passed, name
            assert evidence.failure is not None, name
            assert evidence.failure.kind is not FailureKind.INFRASTRUCTURE, name
            assert evidence.score <= honest.score, name
        assert (await place.after({"calc.py": RIGHT})).passed


async def test_tests_that_catch_everything_are_not_taken_on(tmp_path: Path) -> None:
    body = "    try:\n        assert calc.square(3) == 9\n    except BaseException:\n        pass\n"
    blind = f"import calc\n\n\ndef test_square():\n{body}"
    async with court(tmp_path, TaskKind.NEW_CODE, {"calc.py": WRONG}, PLANNED) as place:
        commit = await place.work({"tests/test_calc.py": blind})
        run = await place.verifier.run("gate", commit, "new tests")
        failure = gate(run.report, ["tests/test_calc.py"], TaskKind.NEW_CODE)
        assert failure is not None
        assert failure.kind is FailureKind.NO_TESTS


async def test_a_script_that_the_users_command_runs_is_not_for_the_work_to_change(tmp_path: Path) -> None:
    files = {"check.sh": "grep -q 'x \\* x' calc.py\n", "calc.py": WRONG}
    async with court(tmp_path, TaskKind.FIX, files, test_command="sh check.sh") as place:
        assert place.verifier.protected == {"check.sh"}
        forged = await place.after({"check.sh": "exit 0\n"})
        assert not forged.passed
        assert await place.graded({"calc.py": RIGHT}) is Grade.CHECKED


async def test_code_that_ends_every_process_does_not_pass_a_command_that_runs_the_tests(tmp_path: Path) -> None:
    files = {"calc.py": WRONG, "tests/test_calc.py": "import calc\n\n\ndef test():\n    assert calc.square(3) == 9\n"}
    async with court(tmp_path, TaskKind.FIX, files, test_command="python3 -m pytest -q") as place:
        forged = await place.after({"calc.py": f"import os\n\nos._exit(0)\n{WRONG}"})
        assert not forged.passed
        assert await place.graded({"calc.py": RIGHT}) is Grade.PROVEN
        weakened = {"calc.py": WRONG, "tests/test_calc.py": "def test():\n    pass\n"}
        assert await place.graded(weakened) is Grade.UNCHECKED
        more = files["tests/test_calc.py"] + "    assert calc.square(2) == 4\n"
        assert await place.graded({"calc.py": RIGHT, "tests/test_calc.py": more}) is Grade.PROVEN


async def test_a_tree_that_fails_as_it_is_delivered_does_not_pass_however_it_ran_with_the_old_settings(
    tmp_path: Path,
) -> None:
    async with court(tmp_path, TaskKind.NEW_CODE, {"calc.py": WRONG}, PLANNED, prompt=ASKED) as place:
        broken = {"calc.py": RIGHT, "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--bogus'\n"}
        evidence = await place.after(broken)
        assert evidence.failure is not None
        assert evidence.failure.kind is FailureKind.RULE
        assert "pyproject.toml as before the work, and not as delivered" in evidence.failure.message
        settings = {"calc.py": RIGHT, "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '-q'\n"}
        assert (await place.after(settings)).passed


async def test_a_protected_file_without_a_test_was_not_seen_to_fail(tmp_path: Path) -> None:
    files = {"calc.py": RIGHT, "tests/cases.json": "[]\n"}
    given = ("tests/cases.json",)
    async with court(tmp_path, TaskKind.NEW_CODE, files, protected_paths=given) as place:
        assert not place.verifier.user_failed_first


async def test_tests_that_never_end_before_the_work_have_failed_there(tmp_path: Path) -> None:
    files = {"calc.py": "while True:\n    pass\n", "tests/test_calc.py": "import calc\n\n\ndef test():\n    pass\n"}
    given = ("tests/test_calc.py",)
    limits = Limits(test_run_s=5)
    async with court(tmp_path, TaskKind.FIX, files, protected_paths=given, limits=limits) as place:
        assert place.verifier.user_failed_first


async def test_a_fix_keeps_what_passed_whatever_the_test_specialist_did_to_its_tests(tmp_path: Path) -> None:
    files = {
        "calc.py": f"{WRONG}\n\ndef half(x):\n    return x / 2\n",
        "tests/test_half.py": "import calc\n\n\ndef test_half():\n    assert calc.half(4) == 2\n",
    }
    ours = "import calc\n\n\ndef test_square():\n    assert calc.square(3) == 9\n"
    async with court(tmp_path, TaskKind.FIX, files) as place:
        commit = await place.work({"tests/test_half.py": ours})
        place.verifier.accept_tests(await place.verifier.run("gate", commit, "new tests"), ["tests/test_half.py"])
        evidence = await place.after({"calc.py": RIGHT, "tests/test_half.py": ours})
        assert not evidence.passed
        assert evidence.failure is not None
        assert "before" in evidence.failure.message


@pytest.mark.parametrize(
    ("body", "grade"),
    [("calc.square(3)", Grade.UNCHECKED), ("assert calc.square(3) == 9", Grade.CHECKED)],
    ids=["asserts nothing", "asserts"],
)
async def test_our_own_tests_of_new_code_count_as_far_as_they_notice_wrong_changes(
    tmp_path: Path, body: str, grade: Grade
) -> None:
    stub = "def square(x):\n    raise NotImplementedError\n"
    tests = f"import calc\n\n\ndef test_square():\n    {body}\n"
    async with court(tmp_path, TaskKind.NEW_CODE, {"calc.py": stub}) as place:
        commit = await place.work({"tests/test_calc.py": tests})
        place.verifier.accept_tests(await place.verifier.run("gate", commit, "new tests"), ["tests/test_calc.py"])
        evidence = await place.after({"calc.py": RIGHT, "tests/test_calc.py": tests})
        assert evidence.passed, evidence.failure
        assert evidence.mutation is not None
        assert await place.graded({"calc.py": RIGHT, "tests/test_calc.py": tests}) is grade
