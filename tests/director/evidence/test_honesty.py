"""Trees that try to look right, judged by the verifier in real clean rooms: none of them passes."""

from pathlib import Path

import pytest

from director.evidence.rules import gate
from domain.evidence import FailureKind
from domain.plan import StubFile
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
