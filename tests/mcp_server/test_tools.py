"""The tools themselves."""

from pathlib import Path

import pytest

from domain.command import Verdict
from domain.evidence import Failure, FailureKind, Outcome, TestCase, TestReport
from mcp_server.tools.test_runs import describe_report
from tests.mcp_server.place import open_place

CODE = "def add(a, b):\n    return a - b\n"
TESTS = """
import pytest
from calc import add

def test_right():
    assert add(2, 0) == 2

def test_wrong():
    assert add(2, 3) == 5

@pytest.mark.skip(reason="a sample of a test that is skipped")
def test_later():
    pass
"""


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "     1\tone\n     2\ttwo\n     3\tthree"),
        ({"start": 2}, "     2\ttwo\n     3\tthree"),
        ({"start": 2, "end": 2}, "     2\ttwo\n[1 more lines; go on with start=3]"),
        ({"start": 3, "end": 99}, "     3\tthree"),
    ],
)
async def test_a_file_is_read_by_lines_with_their_numbers(
    arguments: dict[str, int], expected: str, tmp_path: Path
) -> None:
    async with open_place(tmp_path, {"a.txt": "one\ntwo\nthree\n"}) as place:
        observation = await place.call("read_file", path="a.txt", **arguments)
        assert observation.ok
        assert observation.text == expected


async def test_a_long_file_is_read_in_parts(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "x\n" * 1000}) as place:
        first = await place.call("read_file", path="a.txt")
        assert first.text.endswith("[600 more lines; go on with start=401]")
        assert (await place.call("read_file", path="a.txt", start=801)).text.endswith("  1000\tx")


async def test_reading_what_is_not_there_says_what_is(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"src/a.py": "", "b.py": "1\n"}) as place:
        missing = await place.call("read_file", path="a.py")
        assert not missing.ok
        assert missing.text == "There is no file a.py. Files: src/a.py"
        assert "b.py, src/a.py" in (await place.call("read_file", path="c.py")).text
        assert (await place.call("read_file", path="src/a.py")).text == "[the file is empty]"
        assert "has 1 lines" in (await place.call("read_file", path="b.py", start=2)).text


async def test_an_end_before_the_start_is_not_taken_for_an_empty_file(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"a.txt": "one\ntwo\nthree\n"}) as place:
        observation = await place.call("read_file", path="a.txt", start=3, end=1)
        assert "empty" not in observation.text


async def test_a_file_that_is_no_text_is_not_shown(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        await place.call("shell", command=r"printf '\377\376' > a.bin")
        observation = await place.call("read_file", path="a.bin")
        assert not observation.ok
        assert "not a UTF-8 text file" in observation.text


async def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        assert (await place.call("write_file", path="/workspace/a/b.txt", content="ä\n")).text == (
            "Created a/b.txt (1 lines)."
        )
        assert (await place.call("write_file", path="./a/b.txt", content="")).text == "Replaced a/b.txt (0 lines)."
        assert (await place.call("write_file", path="big", content="x" * 2**20)).ok
        assert not (await place.call("write_file", path="big", content="x" * 2**20 + "x")).ok
        tree = await place.tree()
        assert {path: len(file.content) for path, file in tree.items()} == {"a/b.txt": 0, "big": 2**20}


async def test_an_edit_is_made_or_refused_and_then_nothing_changes(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"calc.py": CODE}) as place:
        assert (await place.call("edit_file", path="calc.py", old="a - b", new="a + b")).ok
        edited = await place.tree()
        assert edited["calc.py"].content == CODE.replace("-", "+").encode()
        for old, new in (("a * b", "x"), ("a", "b"), ("a + b", "a + b"), ("", "x")):
            assert not (await place.call("edit_file", path="calc.py", old=old, new=new)).ok
        assert await place.tree() == edited


async def test_a_command_is_shown_with_its_output_and_how_it_ended(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        failed = await place.call("shell", command="echo out; echo err >&2; exit 3")
        assert not failed.ok
        assert failed.text == "out\nerr\n[Exit code 3.]"
        assert (await place.call("shell", command="true")).text == "[Exit code 0.]"
        assert "ended by a signal" in (await place.call("shell", command="kill -9 $$")).text
        assert "wrote too much" in (await place.call("shell", command="yes")).text


async def test_a_command_is_ended_at_its_time_limit_and_what_it_wrote_is_kept(tmp_path: Path) -> None:
    async with open_place(tmp_path) as place:
        observation = await place.call("shell", command="echo 1 > a.txt; sleep 60", timeout_s=3)
        assert not observation.ok
        assert observation.text == "[It was ended at its time limit.]"
        assert (await place.tree())["a.txt"].content == b"1\n"


async def test_tests_are_run_and_what_failed_is_shown_with_its_place(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"calc.py": CODE, "tests/test_calc.py": TESTS}) as place:
        everything = await place.call("run_tests")
        assert not everything.ok
        assert everything.text.startswith("3 tests collected: 1 passed, 1 failed, 1 skipped.")
        assert "FAILED tests/test_calc.py::test_wrong at tests/test_calc.py:9\nassert -1 == 5" in everything.text
        one = await place.call("run_tests", selection=["tests/test_calc.py::test_right", "--collect-only"])
        assert one.ok
        assert one.text == "1 tests collected: 1 passed."
        assert set(await place.tree()) == {"calc.py", "tests/test_calc.py"}


async def test_tests_that_cannot_be_collected_are_shown_as_errors(tmp_path: Path) -> None:
    async with open_place(tmp_path, {"test_a.py": "import nowhere\n"}) as place:
        observation = await place.call("run_tests")
        assert not observation.ok
        assert "ERROR (import) test_a.py" in observation.text
        assert "No module named 'nowhere'" in observation.text


def test_a_report_without_tests_says_how_they_are_found() -> None:
    text = describe_report(TestReport(verdict=Verdict.FAILED, finished=True))
    assert text.startswith("0 tests collected: none ran.")
    assert "test_*.py" in text


def test_a_long_report_shows_the_first_failures_and_counts_the_rest() -> None:
    cases = tuple(TestCase(id=f"test_a.py::test_{at}", outcome=Outcome.FAILED, message="no") for at in range(12))
    error = Failure(kind=FailureKind.SYNTAX, test_id="test_b.py", message="bad", path="test_b.py", line=3)
    text = describe_report(TestReport(verdict=Verdict.FAILED, collected=12, cases=cases, errors=(error,)))
    assert "ERROR (syntax) test_b.py test_b.py:3\nbad" in text
    assert "test_a.py::test_9" in text
    assert "test_a.py::test_10" not in text
    assert "... and 2 more failed tests." in text
