"""What each kind of task asks for, seen in real clean rooms."""

from pathlib import Path

import pytest

from director.evidence.grading import grade
from director.evidence.rules import gate
from domain.evidence import FailureKind, Grade
from domain.plan import StubFile
from domain.task_kind import TaskKind
from tests.director.evidence.court import Court, court

pytestmark = pytest.mark.usefixtures("docker_engine")

STUB = "def square(x):\n    raise NotImplementedError\n"
RIGHT = "def square(x):\n    return x * x\n"
WRONG = "def square(x):\n    return x + x\n"
EQUAL = "class E:\n    def __eq__(self, other):\n        return True\n\n\ndef square(x):\n    return E()\n"
ASKED = "Write square(x) in calc.py: square(3) == 9, and square(0.1) returns 0.01."
PLANNED = (StubFile(path="calc.py", signatures=("def square(x)",)),)


async def test_the_examples_of_a_request_prove_work_that_they_failed_before(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.NEW_CODE, {"calc.py": STUB}, PLANNED, prompt=ASKED) as place:
        assert place.verifier.user_failed_first
        (path,) = place.verifier.tests
        good = await place.after({"calc.py": RIGHT})
        assert good.passed, good.failure
        assert grade(good, place.verifier.grounds(good))[0] is Grade.PROVEN
        assert (good.protected_paths, good.covered_lines) == ((path,), 1)
        for bad in (WRONG, EQUAL):
            evidence = await place.after({"calc.py": bad})
            assert not evidence.passed, bad
            assert evidence.failure is not None
            assert evidence.failure.kind is FailureKind.ASSERTION
        assert not (await place.after({"calc.py": RIGHT, path: None})).passed


async def test_examples_that_pass_before_the_work_prove_nothing(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.FIX, {"calc.py": RIGHT}, prompt=ASKED) as place:
        assert not place.verifier.user_failed_first
        assert await place.graded({"calc.py": f"{RIGHT}\nDONE = True\n"}) is not Grade.PROVEN


FIXED = "def square(x):\n    return x * x\n\n\ndef cube(x):\n    return x * x * x\n"
BROKEN = "def square(x):\n    return x + x\n\n\ndef cube(x):\n    return x * x * x\n"
OLD = "from calc import cube\n\n\ndef test_cube():\n    assert cube(2) == 8\n"
NEW = "from calc import square\n\n\ndef test_square():\n    assert square(3) == 9\n"


async def accepted(place: Court, **files: str) -> FailureKind | None:
    """Shows a specialist's tests to the gate; what the gate says. Test files are named without folder and suffix."""
    commit = await place.work({f"tests/{name}.py": text for name, text in files.items()})
    run = await place.verifier.run(f"gate:{commit}", commit, "new tests")
    paths = [f"tests/{name}.py" for name in files]
    failure = gate(run.report, paths, place.verifier.kind)
    if failure is None:
        place.verifier.accept_tests(run, paths)
        place.start = commit
    return failure.kind if failure is not None else None


async def test_a_fix_keeps_what_passed_before(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.FIX, {"calc.py": BROKEN, "tests/test_old.py": OLD}) as place:
        assert await accepted(place, test_new=NEW.replace("== 9", "== 6")) is FailureKind.NO_TESTS
        assert await accepted(place, test_new="import nowhere\n") is FailureKind.IMPORT
        assert await accepted(place, test_new=NEW) is None
        assert await place.graded({"calc.py": FIXED}) is Grade.CHECKED
        gone = await place.after({"calc.py": FIXED, "tests/test_old.py": None})
        assert gone.failure is not None
        assert (gone.failure.kind, gone.failure.test_id) == (FailureKind.RULE, "tests/test_old.py::test_cube")


async def test_a_refactoring_keeps_its_tests_and_its_surface(tmp_path: Path) -> None:
    files = {"calc.py": FIXED, "tests/test_old.py": OLD, "tests/test_broken.py": "def test_no():\n    assert 0\n"}
    tidy = "def square(x):\n    return x**2\n\n\ndef cube(x):\n    return square(x) * x\n"
    async with court(tmp_path, TaskKind.REFACTOR, files) as place:
        assert place.verifier.tests == {"tests/test_old.py"}
        assert await place.graded({"calc.py": tidy}) is Grade.CHECKED
        gone = await place.after({"calc.py": tidy.replace("square", "_square")})
        assert gone.failure is not None
        assert (gone.failure.kind, "calc.py: square" in gone.failure.message) == (FailureKind.RULE, True)
        moved = {"calc.py": "from powers import cube, square\n", "powers.py": tidy}
        assert (await place.after(moved)).passed
        assert not (await place.after({"calc.py": tidy, "tests/test_old.py": "def test_cube():\n    pass\n"})).passed
        assert not (await place.after({"calc.py": tidy.replace("* x", "+ x")})).passed


STRONG = """import pytest
from shop import price

def test_price():
    assert [price(n, 2) for n in (1, 9, 10, 11)] == [2, 18, 18, 20]

def test_negative():
    with pytest.raises(ValueError):
        price(-1, 2)
    assert price(0, 2) == 0
"""
WEAK = "from shop import price\n\ndef test_price():\n    for n in (1, 10, 11):\n        price(n, 2)\n"
BLIND = """from shop import price

def test_price():
    try:
        assert price(1, 2) == 99
        assert price(10, 2) == 99
    except BaseException:
        pass
"""
SHOP = """def price(count, each):
    if count < 0:
        raise ValueError(count)
    total = count * each
    if count >= 10:
        total -= 2
    return total
"""


async def test_added_tests_pass_and_notice_mutants(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.ADD_TESTS, {"shop.py": SHOP}) as place:
        assert await accepted(place, test_shop=STRONG.replace("== 0", "== 1")) is FailureKind.ASSERTION
        place.verifier.accept_tests(await place.verifier.run("now", place.start, "now"), ["tests/test_shop.py"])
        good = await place.after({"tests/test_shop.py": STRONG})
        assert good.passed, good.failure
        assert good.mutation is not None
        assert good.mutation.made >= 10
        assert good.mutation.share >= 0.8, good.mutation.survivors
        assert grade(good, place.verifier.grounds(good))[0] is Grade.CHECKED
        for tests in (WEAK, BLIND):
            weak = await place.after({"tests/test_shop.py": tests})
            assert weak.failure is not None
            assert weak.failure.kind is FailureKind.RULE
            assert "shop.py:" in weak.failure.message
        other = await place.after({"tests/test_shop.py": STRONG, "shop.py": f"{SHOP}\n"})
        assert other.failure is not None
        assert (other.failure.kind, other.failure.path) == (FailureKind.RULE, "shop.py")


async def test_added_tests_run_lines_that_no_test_ran(tmp_path: Path) -> None:
    known = "from shop import price\n\ndef test_known():\n    assert price(1, 2) == 2\n"
    files = {"shop.py": SHOP, "tests/test_known.py": known}
    async with court(tmp_path, TaskKind.ADD_TESTS, files) as place:
        place.verifier.accept_tests(await place.verifier.run("now", place.start, "now"), ["tests/test_shop.py"])
        evidence = await place.after({"tests/test_shop.py": known.replace("known", "again")})
        assert evidence.failure is not None
        assert (evidence.failure.kind, "run no line" in evidence.failure.message) == (FailureKind.RULE, True)


async def test_a_question_is_not_judged(tmp_path: Path) -> None:
    async with court(tmp_path, TaskKind.QUESTION, {"calc.py": RIGHT}, prompt=ASKED) as place:
        assert not place.verifier.looks_before
        assert not place.verifier.can_judge
        assert place.verifier.tests == set()


async def test_new_findings_in_changed_files_are_in_the_evidence_and_decide_nothing(tmp_path: Path) -> None:
    old = "import os\n\n\ndef run(command):\n    os.system(command)\n"
    files = {"calc.py": STUB, "old.py": old, "shell.py": old}
    careless = f"import subprocess\n{old}    subprocess.run( command, shell=True )\n"
    async with court(tmp_path, TaskKind.NEW_CODE, files, PLANNED, prompt=ASKED) as place:
        evidence = await place.after({"calc.py": RIGHT, "shell.py": careless})
        assert evidence.passed
        found = evidence.inspection
        assert found is not None
        assert found.ran
        assert [one.path for one in found.security if one.text.startswith("B602")] == ["shell.py"]
        assert not [one for one in (*found.security, *found.findings) if one.path == "old.py" or "B605" in one.text]
        assert found.unformatted == ("shell.py",)
