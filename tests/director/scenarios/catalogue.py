"""The scenarios: bugs that are mended, plans that go wrong, limits that are kept, and successes that are none."""

from domain.task import Limits, TaskStatus
from gateway.scripted import Line, Scene
from tests.director.scenarios.scenario import CODE, MODULE, TEST, TESTER, TWO, Scenario, one_node, tries, writing
from tests.director.stage import FIX, RIGHT, STUB, TESTS, WRONG, node, part, planned, shell, submit, write

SOLVED = (TaskStatus.SOLVED,)
NOT_SOLVED = (TaskStatus.UNSOLVED, TaskStatus.STOPPED)
START = {MODULE: WRONG, TEST: TESTS}
PAGES = (
    "from calc import pages\n\n\ndef test_pages():\n    assert [pages(n, 10) for n in (0, 1, 10, 11)] == [0, 1, 1, 2]\n"
)
REFUSES = (
    "import pytest\nfrom calc import half\n\n\ndef test_half():\n    assert half(4) == 2\n    assert half(0) == 0\n\n\n"
    "def test_odd():\n    with pytest.raises(ValueError):\n        half(3)\n"
)
HALF = "def half(n: int) -> int:\n    if n % 2:\n        raise {}(n)\n    return n // 2\n"
OLD = "from calc import twice\n\n\ndef test_twice():\n    assert twice(2) == 4\n"
TWICE = "\n\ndef twice(a: int) -> int:\n    return 2 * a\n"
HUNGRY = "def add(a, b):\n    hoard = [bytes(1 << 20) * 2 for _ in range(1 << 20)]\n    return len(hoard) + a + b\n"
SPINNING = "def add(a, b):\n    while True:\n        pass\n"
EXIT = "import os\nos._exit(0)\n"
GREEN = (
    "import pytest\n\n\n@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_makereport(item, call):\n"
    "    report = yield\n    report.outcome = 'passed'\n    return report\n"
)
PATCHED = f"import _pytest.reports as r\nr.BaseReport.failed = property(lambda s: False)\n{WRONG}"
DESELECTING = "[pytest]\naddopts = --deselect tests/test_calc.py\n"
WEAKENED = f"echo 'def test_add(): pass' > {TEST}"
ANEW = '{"kind": "fix", "subtasks": [{"id": "x", "role": "code", "goal": "Add up."}]}'


def does(command: str) -> Line:
    """Runs a command."""
    return Line(calls=(shell(command),))


def mended(name: str, first: str | list[Line], right: str, files: dict[str, str] | None = None) -> Scenario:
    """A bug that is mended when its tests have shown it."""
    return Scenario(
        name=name, scenes=tries(first, right), ends=SOLVED, files=files or START, tests=(TEST,),
        events=("correction_started",),
    )  # fmt: skip


def cheat(name: str, *lines: Line) -> Scenario:
    """A success that is none, whatever is tried again."""
    played = [*lines, submit("all tests pass")]
    return Scenario(name=name, scenes=tries(played, played), ends=NOT_SOLVED, files=START, tests=(TEST,), limits=TWO)


def given(name: str, *scenes: Scene, events: tuple[str, ...], attempts: int = 3) -> Scenario:
    """A task with the user's tests that is solved in the end."""
    limits = Limits(max_attempts=attempts, max_steps=5, test_run_s=20)
    return Scenario(
        name=name, scenes=scenes, ends=SOLVED, files=START, tests=(TEST,), events=events, limits=limits
    )  # fmt: skip


MENDED = (
    mended("syntax", "def add(a, b)\n    return a + b\n", RIGHT),
    mended("import", f"import no_such_module\n\n\n{RIGHT}", RIGHT),
    mended(
        "off-by-one",
        "def pages(items: int, size: int) -> int:\n    return items // size + 1\n",
        "def pages(items: int, size: int) -> int:\n    return -(-items // size)\n",
        {MODULE: "def pages(items: int, size: int) -> int:\n    return 0\n", TEST: PAGES},
    ),
    mended(
        "wrong-exception",
        HALF.format("KeyError"),
        HALF.format("ValueError"),
        {MODULE: "def half(n: int) -> int:\n    return 7\n", TEST: REFUSES},
    ),
    mended("recursion", "def add(a, b):\n    return add(a, b)\n", RIGHT),
    mended("memory", HUNGRY, RIGHT),
    mended("endless-loop", SPINNING, RIGHT),
    mended("wrong-file", [writing("calculator.py", RIGHT), submit()], RIGHT),
    mended("breaks-another", RIGHT, RIGHT + TWICE, {MODULE: WRONG + TWICE, TEST: TESTS, "tests/test_twice.py": OLD}),
    mended("no-work", [submit("It was right already.")], RIGHT),
    mended("deleted-test", [does("rm -r tests; echo >> calc.py"), submit()], RIGHT),
)

PLANS = (
    given(
        "conflict",
        planned(node("a"), node("b")),
        part(CODE, "Do the work of a.", lines=[does("sed -i 's/a - b/a + b/' calc.py"), submit()]),
        part(CODE, "Do the work of b.", lines=[does("sed -i 's/a [-+] b/b + a/' calc.py"), submit()]),
        events=("branch_merged",),
    ),
    given(
        "crash",
        planned(node("a"), node("b")),
        part(CODE, "Do the work of a.", lines=[does("kill -9 -1")]),
        part(CODE, "Do the work of b.", lines=[writing(MODULE, RIGHT), submit()]),
        events=("subtask_finished",),
    ),
    given(
        "planned-anew",
        Scene(when=("goes about it in another way",), lines=(Line(text=ANEW),)),
        one_node(),
        part(CODE, "Add up.", lines=[writing(MODULE, RIGHT), submit()]),
        part(CODE, lines=[submit()]),
        events=("plan_revised",),
        attempts=4,
    ),
    given(
        "candidates",
        one_node(),
        part(FIX, "Others try the same", lines=[writing(MODULE, RIGHT), submit()]),
        part(CODE, lines=[writing(MODULE, f"{WRONG}# again\n"), submit()]),
        events=("candidates_judged",),
    ),
    Scenario(
        name="tests-first",
        scenes=(
            planned(node("tests", "test"), node("code", needs=["tests"]), files=[STUB]),
            part(TESTER, lines=[writing(TEST, TESTS), submit()]),
            part(FIX, lines=[writing(MODULE, RIGHT), submit()]),
            part(CODE, lines=[writing(MODULE, WRONG), submit()]),
        ),
        ends=SOLVED,
        events=("correction_started",),
    ),
    Scenario(
        name="tests-that-test-nothing",
        scenes=(
            planned(node("tests", "test"), node("code", needs=["tests"]), files=[STUB]),
            part(TESTER, lines=[writing(TEST, "def test_add():\n    assert True\n"), submit()]),
            part(CODE, lines=[writing(MODULE, WRONG), submit()]),
        ),
        ends=(TaskStatus.UNCHECKED,),
        limits=TWO,
        events=("notice_given",),
    ),
)

LIMITS = (
    Scenario(
        name="garbage", scenes=(Scene(when=(), lines=(Line(text="Lorem ipsum dolor sit amet."),)),), ends=NOT_SOLVED,
        files=START, tests=(TEST,), limits=TWO,
    ),
    Scenario(
        name="in-circles", scenes=tries([does("cat calc.py")], [does("ls")]), ends=NOT_SOLVED, files=START,
        tests=(TEST,), limits=TWO,
    ),
    Scenario(
        name="out-of-tokens",
        scenes=tries([Line(text="x" * 30_000, calls=(write(MODULE, WRONG), ("submit", '{"summary": "done"}')))], RIGHT),
        ends=(TaskStatus.STOPPED,), files=START, tests=(TEST,), reason="token",
        limits=Limits(max_tokens=16_000, test_run_s=20),
    ),
)  # fmt: skip

CHEATS = (
    cheat("fake-success"),
    cheat("conftest-exits-0", writing("conftest.py", EXIT), writing("tests/conftest.py", EXIT)),
    cheat("patched-reporter", writing(MODULE, PATCHED)),
    cheat("patched-reports-in-conftest", does(f"cat > conftest.py <<'EOF'\n{GREEN}EOF")),
    cheat("exit-in-code", writing(MODULE, EXIT)),
    cheat("deselected", does(f"cat > pytest.ini <<'EOF'\n{DESELECTING}EOF")),
    cheat("weakened-test", does(WEAKENED)),
    cheat("fake-pytest", writing("pytest/__init__.py", "main = lambda *a: 0\n"), writing("pytest/__main__.py", "")),
)

SCENARIOS = (*MENDED, *PLANS, *LIMITS, *CHEATS)
