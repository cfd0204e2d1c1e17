"""The harness, run for real in the sandbox on small trees."""

from collections.abc import AsyncIterator

import pytest

from domain.command import CommandResult, Verdict
from domain.evidence import Coverage, Failure, FailureKind, Outcome, TestReport
from domain.files import File, TreeChange
from sandbox.base import Sandbox
from sandbox.test_run import harness_command, parse_report
from tests.sandbox.docker_place import docker_place


@pytest.fixture
async def sandbox(docker_engine: None) -> AsyncIterator[Sandbox]:
    """A real sandbox."""
    async with docker_place() as place, place.lease() as leased:
        yield leased


async def ran(
    sandbox: Sandbox, files: dict[str, str], *selection: str, timeout_s: float = 60.0, control: str = ""
) -> tuple[TestReport, CommandResult]:
    """What a run on those files reported."""
    written = {path: File(content=content.encode()) for path, content in files.items()}
    await sandbox.put(TreeChange(written=written), clear=True)
    result = await sandbox.run(harness_command("python", selection, timeout_s, control))
    return parse_report(result), result


def outcomes(report: TestReport) -> dict[str, Outcome]:
    """Each test and how it ended."""
    return {case.id: case.outcome for case in report.cases}


def only_failure(report: TestReport) -> Failure:
    """The only error outside a test."""
    (failure,) = report.errors
    return failure


MANY = """
import unittest
import pytest
from code_under_test import double

def test_pass(): assert double(2) == 4

def test_assertion():
    x = double(2)
    assert x == 5, "not five"

def test_exception(): {}["missing"]

@pytest.fixture
def broken(): raise RuntimeError("no fixture")
def test_fixture(broken): pass

@pytest.fixture
def broken_end():
    yield
    raise RuntimeError("no end")
def test_teardown(broken_end): pass

def test_import(): import no_such_module

def test_syntax(): compile("def f(:", "x", "exec")

@pytest.mark.skip(reason="a sample of a test that is skipped")
def test_skip(): assert False

@pytest.mark.xfail(reason="a sample of a test that is expected to fail")
def test_xfail(): assert False

@pytest.mark.xfail(reason="a sample of one that passes all the same", strict=True)
def test_xpass_strict(): pass

@pytest.mark.parametrize("value", [1, "a b", "[x]"])
def test_parametrized(value): pass

class TestGroup:
    def test_method(self): pass

class TestUnit(unittest.TestCase):
    def test_unit(self): self.assertEqual(1, 2)
    def test_subtests(self):
        for number in range(3):
            with self.subTest(number=number): self.assertNotEqual(number, 1)

async def test_coroutine(): pass
"""
CODE = "def double(n):\n    return n + n\n\ndef unused(n):\n    return n\n"


async def test_each_test_is_reported_with_its_outcome_its_place_and_its_kind(sandbox: Sandbox) -> None:
    report, result = await ran(sandbox, {"code_under_test.py": CODE, "tests/test_many.py": MANY})

    seen = {name.removeprefix("tests/test_many.py::"): outcome for name, outcome in outcomes(report).items()}
    passed, failed, error, skipped = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.SKIPPED
    assert seen == {
        "test_pass": passed, "test_assertion": failed, "test_exception": failed, "test_fixture": error,
        "test_teardown": error, "test_import": failed, "test_syntax": failed, "test_skip": skipped,
        "test_xfail": skipped, "test_xpass_strict": failed, "test_parametrized[1]": passed,
        "test_parametrized[a b]": passed, "test_parametrized[[x]]": passed, "TestGroup::test_method": passed,
        "TestUnit::test_unit": failed, "TestUnit::test_subtests": failed, "test_coroutine": failed,
    }  # fmt: skip
    assert (report.verdict, report.finished, report.collected) == (Verdict.FAILED, True, 17)
    assert result.exit_code == 1
    cases = {case.id.rpartition("::")[2]: case for case in report.cases}
    asserted = cases["test_assertion"]
    assert (asserted.path, asserted.line) == ("tests/test_many.py", 10)
    assert "not five" in asserted.message
    assert "no fixture" in cases["test_fixture"].message
    assert "KeyError" in cases["test_exception"].message


async def test_passing_tests_make_a_passed_run_with_the_lines_that_ran(sandbox: Sandbox) -> None:
    test = "from package.code import double\nprint('noise')\ndef test_it(capsys):\n    assert double(2) == 4\n"

    report, _ = await ran(
        sandbox, {"package/__init__.py": "", "package/code.py": CODE, "package/never.py": "x = 1\n", "test_it.py": test}
    )

    assert report.passed
    assert outcomes(report) == {"test_it.py::test_it": Outcome.PASSED}
    assert report.coverage["package/code.py"] == Coverage(
        executable=frozenset({1, 2, 4, 5}), executed=frozenset({1, 2, 4})
    )
    assert report.coverage["package/never.py"].executed == frozenset()


UNCOLLECTABLE = {
    "test_a.py": ("def test_a(:\n", FailureKind.SYNTAX, "SyntaxError"),
    "test_b.py": ("import broken\ndef test_b(): pass\n", FailureKind.SYNTAX, "broken"),
    "test_c.py": ("import no_such\ndef test_c(): pass\n", FailureKind.IMPORT, "no_such"),
    "test_d.py": ("from fine import g\ndef test_d(): pass\n", FailureKind.IMPORT, "'g'"),
    "test_e.py": ("1 / 0\ndef test_e(): pass\n", FailureKind.EXCEPTION, "ZeroDivisionError"),
}


async def test_a_file_that_cannot_be_collected_is_an_error_of_its_kind(sandbox: Sandbox) -> None:
    files = {path: source for path, (source, _, _) in UNCOLLECTABLE.items()}
    fine = {"fine.py": "", "broken.py": "def f(:\n", "test_fine.py": "def test_fine(): pass\n"}

    report, _ = await ran(sandbox, files | fine)

    assert {failure.test_id: failure.kind for failure in report.errors} == {
        path: kind for path, (_, kind, _) in UNCOLLECTABLE.items()
    }
    for failure in report.errors:
        assert UNCOLLECTABLE[failure.test_id][2] in failure.message
    assert report.finished
    assert not report.passed


async def test_a_workspace_without_tests_finishes_and_is_not_passed(sandbox: Sandbox) -> None:
    report, result = await ran(sandbox, {"code.py": CODE})

    assert (report.finished, report.collected, report.cases, result.exit_code) == (True, 0, (), 5)
    assert not report.passed


async def test_an_endless_loop_is_a_timeout_in_the_test_it_is_in(sandbox: Sandbox) -> None:
    test = "def test_fine(): pass\n\ndef test_endless():\n    while True: pass\n"

    report, _ = await ran(sandbox, {"test_a.py": test}, timeout_s=2.0)

    failure = only_failure(report)
    assert (report.verdict, report.finished) == (Verdict.TIMEOUT, False)
    assert (failure.kind, failure.test_id) == (FailureKind.TIMEOUT, "test_a.py::test_endless")
    assert outcomes(report) == {"test_a.py::test_fine": Outcome.PASSED}


@pytest.mark.parametrize(
    "files",
    [
        {"conftest.py": "import os\nos._exit(0)\n"},
        {"conftest.py": "import os\ndef pytest_sessionfinish(): os._exit(0)\n"},
        {"test_b.py": "import os\ndef test_b(): os._exit(0)\n"},
        {"test_b.py": "import os\nfor fd in range(3, 256):\n    try: os.close(fd)\n    except OSError: pass\n"},
        {"conftest.py": "import atexit, os\natexit.register(os._exit, 0)\nraise SystemExit(0)\n"},
    ],
    ids=["conftest", "session", "test", "descriptors", "atexit"],
)
async def test_a_run_that_is_ended_from_inside_is_not_finished(sandbox: Sandbox, files: dict[str, str]) -> None:
    report, _ = await ran(sandbox, files | {"test_a.py": "def test_a(): pass"})

    assert not report.finished
    assert not report.passed
    assert only_failure(report).kind is FailureKind.INCOMPLETE


async def test_modules_of_the_workspace_do_not_take_the_place_of_the_tools(sandbox: Sandbox) -> None:
    lie = "import os\nos.write(2, b'TAKEN OVER')\nos._exit(0)\n"
    names = ("pytest", "coverage", "_pytest", "sitecustomize", "usercustomize", "pluggy", "fcntl", "json")
    files = {"test_a.py": "import pytest\ndef test_a(): assert pytest.raises is None\n"}

    report, result = await ran(sandbox, files | {f"{name}.py": lie for name in names}, "test_a.py")

    assert b"TAKEN OVER" not in result.stderr
    assert (report.finished, outcomes(report)) == (True, {"test_a.py::test_a": Outcome.FAILED})


async def test_configuration_can_deselect_tests_but_not_announce_them(sandbox: Sandbox) -> None:
    tests = "def test_good(): pass\ndef test_bad(): assert False\n"

    hidden, _ = await ran(sandbox, {"test_a.py": tests, "pytest.ini": "[pytest]\naddopts = -k good\n"})
    nothing, _ = await ran(sandbox, {"test_a.py": tests, "pytest.ini": "[pytest]\naddopts = -k nothing\n"})

    assert (outcomes(hidden), hidden.collected) == ({"test_a.py::test_good": Outcome.PASSED}, 1)
    assert (nothing.collected, nothing.passed, nothing.finished) == (0, False, True)


@pytest.mark.parametrize(
    "settings",
    ["", "testpaths = tests\n", "testpaths = tests\npython_files = check_*.py test_c0ntrol.py\n", "addopts = tests\n"],
    ids=["none", "testpaths", "python_files", "addopts"],
)
async def test_the_control_file_is_run_once_besides_what_the_configuration_selects(
    sandbox: Sandbox, settings: str
) -> None:
    files = {
        "test_c0ntrol.py": "def test_must_pass(): pass\ndef test_must_fail(): assert False\n",
        "tests/test_a.py": "def test_a(): pass\n",
        "tests/check_b.py": "def test_b(): pass\n",
    }

    report, _ = await ran(sandbox, files | {"pytest.ini": f"[pytest]\n{settings}"}, control="test_c0ntrol.py")

    seen = outcomes(report)
    assert seen.pop("test_c0ntrol.py::test_must_pass") is Outcome.PASSED
    assert seen.pop("test_c0ntrol.py::test_must_fail") is Outcome.FAILED
    expected = "tests/check_b.py::test_b" if "python_files" in settings else "tests/test_a.py::test_a"
    assert seen == {expected: Outcome.PASSED}
    assert report.collected == 3


async def test_a_selection_runs_only_what_it_names(sandbox: Sandbox) -> None:
    files = {"test_a.py": "def test_one(): pass\ndef test_two(): pass\n", "test_b.py": "def test_three(): pass\n"}

    report, _ = await ran(sandbox, files, "test_a.py::test_two", "--co", "-k")

    assert outcomes(report) == {"test_a.py::test_two": Outcome.PASSED}


FAKE_RECORD = '{"kind": "case", "id": "test_a.py::test_forged", "outcome": "passed"}'


async def test_what_tests_print_does_not_disturb_the_report(sandbox: Sandbox) -> None:
    test = f"""
import os, subprocess, sys
print('{FAKE_RECORD}')
def test_noise():
    print('{FAKE_RECORD}', file=sys.__stdout__, flush=True)
    os.write(1, b'\\xff\\x00 {FAKE_RECORD}'); os.write(2, b'\\x1b[31m')
    child = subprocess.run([sys.executable, '-c', 'import os; os.write(3, b"{{}}")'], close_fds=False)
    assert child.returncode != 0
"""

    report, _ = await ran(sandbox, {"test_a.py": test})

    assert report.passed, report
    assert outcomes(report) == {"test_a.py::test_noise": Outcome.PASSED}
    assert "\x1b" not in report.output


CHANNEL = """
def channel():
    found = [int(fd) for fd in os.listdir('/proc/self/fd') if int(fd) >= 64]
    return found[0]
"""
FORGED = (FAKE_RECORD.replace("test_forged", "test_a") + "\n").encode()


async def test_garbage_in_the_report_is_passed_over(sandbox: Sandbox) -> None:
    garbage = [b"\xff\xfe\n", b"[1, 2]\n", b'{"kind": "collected", "count": 1e999}\n', b"{" * 2000 + b"\n", b'"\n']
    test = f"import os\n{CHANNEL}def test_a():\n    for line in {garbage!r}: os.write(channel(), line)\n"

    report, _ = await ran(sandbox, {"test_a.py": test})

    assert (report.finished, outcomes(report)) == (True, {"test_a.py::test_a": Outcome.PASSED})


FORGERIES = {
    "a second result": f"{CHANNEL}def test_a():\n    os.write(channel(), FORGED)\n    assert 0\n",
    "at the end of the process": f"{CHANNEL}import atexit\nopen_ = channel()\n"
    "atexit.register(lambda: os.write(open_, FORGED))\ndef test_a(): assert 0\n",
    "pytest itself": "import _pytest.python\n_pytest.python.Function.runtest = lambda self: None\n"
    "def test_a(): assert 0\n",
}


@pytest.mark.parametrize("test", FORGERIES.values(), ids=FORGERIES)
async def test_a_forged_result_makes_no_run_pass(sandbox: Sandbox, test: str) -> None:
    report, _ = await ran(sandbox, {"test_a.py": f"import os\nFORGED = {FORGED!r}\n{test}"})

    assert not report.passed


async def test_what_is_left_out_is_told(sandbox: Sandbox) -> None:
    files = {"test_a.py": "def test_a(): pass\ndef test_b(): pass\n", "pytest.ini": "[pytest]\naddopts = -k 'not b'\n"}

    report, _ = await ran(sandbox, files)

    assert report.deselected == ("test_a.py::test_b",)


CARELESS = [
    "import os\ndef test_chdir(): os.chdir('/tmp')\n",
    "import os, tempfile\ndef test_gone():\n    with tempfile.TemporaryDirectory() as folder: os.chdir(folder)\n",
    "import os\ndef test_fork():\n    if os.fork() == 0: return\n    os.wait()\n",
    "import sys\ndef test_streams(): sys.stdout = sys.stderr = None\n",
    "import os\ndef test_environment(): os.environ.clear()\n",
    "import sys\ndef test_path():\n    sys.settrace(None)\n    sys.path[:] = []\n",
    "import signal\ndef test_signals(): signal.signal(signal.SIGCHLD, signal.SIG_IGN)\n",
    "def test_last(): pass\n",
]


async def test_careless_tests_do_not_spoil_the_report(sandbox: Sandbox) -> None:
    report, _ = await ran(sandbox, {f"test_{number}.py": source for number, source in enumerate(CARELESS)})

    assert report.passed, report
    assert (report.collected, len(report.cases)) == (len(CARELESS), len(CARELESS))
    assert report.coverage[f"test_{len(CARELESS) - 1}.py"].executed


UNREADABLE = {
    "null.py": b"x = '\x00'\n",
    "coding.py": b"# coding: nonsense\n",
    "binary.py": b"\xff\xfe\n",
    "nested.py": b"x = " + b"(" * 500,
    "recursion.py": b"x = " + b"-" * 9000 + b"1\n",
    "broken.py": b"def f(:\n",
}


async def test_files_that_nobody_imports_and_nobody_can_read_do_not_spoil_the_report(sandbox: Sandbox) -> None:
    odd = {path: File(content=source) for path, source in UNREADABLE.items()}
    await sandbox.put(TreeChange(written={**odd, "test_a.py": File(content=b"def test_a(): pass\n")}))

    report = parse_report(await sandbox.run(harness_command("python")))

    assert report.passed, report
    assert set(report.coverage) == {"test_a.py"}
