"""Running the tests: what models write for a selection, and which changed lines were run."""

import tempfile
from pathlib import Path

import pytest

from mcp_server.protection import Protection
from mcp_server.tools.test_runs import ChangedCoverage, RunTests, describe_coverage
from tests.mcp_server.place import open_place

CODE = "def sign(x):\n    if x < 0:\n        return -1\n    return 1\n"
TESTS = "from calc import sign\n\ndef test_one():\n    assert sign(2) == 1\n\ndef test_b():\n    assert sign(3) == 1\n"
FILES = {"calc.py": CODE, "tests/test_calc.py": TESTS}


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (None, []),
        ([], []),
        ("", []),
        (".", []),
        ("tests", ["tests"]),
        (["./tests/test_a.py", "/workspace/b_test.py"], ["tests/test_a.py", "b_test.py"]),
        ("test_a.py, test_b.py", ["test_a.py", "test_b.py"]),
        ("python -m pytest -q tests/test_a.py -k 'x'", ["tests/test_a.py"]),
        (["pytest", "-k", "fast", "tests"], ["tests"]),
        (["test_a.py::test_b[x y]"], ["test_a.py::test_b[x y]"]),
    ],
)
def test_a_selection_is_read_as_models_write_it(written: object, read: list[str]) -> None:
    assert RunTests.model_validate({"selection": written}).selection == read


@pytest.mark.parametrize(
    "selection", ["tests/test_calc.py", "tests/", "tests.test_calc", "tests.test_calc::test_one", "calc.py tests"]
)
async def test_what_is_selected_is_found_by_path_or_by_the_name_of_a_module(selection: str, tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        observation = await place.call("run_tests", selection=selection)
        assert observation.ok, observation.text
        assert observation.text.startswith(f"{1 if '::' in selection else 2} tests collected")


async def test_tests_that_are_not_there_are_answered_with_those_that_are(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        observation = await place.call("run_tests", selection=["test_nothing.py"])
        assert not observation.ok
        assert observation.text == "There is no test file 'test_nothing.py'. Test files: tests/test_calc.py"


async def test_changed_lines_that_no_test_ran_are_named(tmp_path: Path) -> None:
    async with open_place(tmp_path, FILES) as place:
        assert "Changed lines" not in (await place.call("run_tests")).text
        await place.call("edit_file", path="calc.py", old="return -1", new="y = x\n        return y / -x")
        await place.call("edit_file", path="calc.py", old="return 1", new="x = 1\n    return x")
        await place.call("edit_file", path="tests/test_calc.py", old="sign(3) == 1", new="sign(4) == 1")
        result = await place.data("run_tests")
        text = (await place.call("run_tests")).text

    assert text.endswith("Changed lines that these tests ran: 2 of 4. Not run: calc.py:3-4")
    assert result["coverage"] == {"changed": 4, "covered": 2, "missed": {"calc.py": [3, 4]}}


async def test_a_run_that_did_not_end_tells_no_coverage(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"test_a.py": "import os\n\ndef test_a():\n    os._exit(0)\n"}) as place:
        assert (await place.data("run_tests"))["coverage"] is None


def test_many_gaps_are_told_in_part() -> None:
    missed = {"a.py": list(range(1, 100, 2))}
    told = describe_coverage(ChangedCoverage(changed=60, covered=10, missed=missed))
    assert "a.py:1, a.py:3" in told
    assert told.endswith("a.py:39 ...")


MAP = "python3 -c \"import mmap; f = open('{}', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0]; m[:1] = b'{}'\""


async def test_what_was_written_through_a_shared_mapping_is_known_before_the_tests_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", "/dev/shm")  # a tmpfs, as in a container
    files = {"tests/test_a.py": "0\n\ndef test_a():\n    import a\n    assert a.x == 22\n", "a.py": "1; x = 2\n"}
    async with open_place(tmp_path, files, Protection(protected=("test_*.py",))) as place:
        await place.call("shell", command="echo '1; x = 22' > a.py; sleep 0.1")
        await place.call("shell", command="true")
        await place.call("shell", command=MAP.format("tests/test_a.py", "x"))
        tested = await place.call("run_tests")
        assert tested.ok, tested.text
        assert (tested.dropped, "Undone" in tested.text) == (("tests/test_a.py",), True)
        await place.call("shell", command="sleep 0.1")
        await place.call("shell", command=MAP.format("a.py", "3"))
        submitted = await place.call("submit", summary="done")
        assert (submitted.submitted, submitted.changed) == ("done", ("a.py",))
        assert (await place.tree())["a.py"].content == b"3; x = 22\n"
