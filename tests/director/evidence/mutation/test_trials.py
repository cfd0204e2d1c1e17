"""Tests tried by mutants, for real in the image of each language."""

import pytest

from director.evidence.mutation.sample import Candidate, sample
from director.evidence.mutation.trials import Trials
from domain.evidence import MutationScore
from domain.files import File, FileTree
from mcp_server.parsers.parsers import Parsers
from sandbox.languages import LANGUAGES
from tests.sandbox.docker_place import docker_place

PYTHON = """def clamp(value, low, high):
    if value < low:
        return low
    while value > high:
        value -= 1
    return value
"""
STRONG = """from calc import clamp

def test_clamp():
    assert [clamp(value, 1, 3) for value in (0, 1, 2, 3, 4, 5)] == [1, 1, 2, 3, 3, 3]
"""
WEAK = """from calc import clamp

def test_clamp():
    clamp(2, 1, 3)
"""
BLIND = """from calc import clamp

def test_clamp():
    try:
        assert clamp(5, 1, 3) == 4
    except BaseException:
        pass
"""
READING = """import hashlib, calc

def test_text():
    assert hashlib.sha256(open(calc.__file__, 'rb').read()).hexdigest() == '%s'
"""
LEAVING = """import pathlib
from calc import clamp

def test_clamp():
    if clamp(5, 1, 3) != 3:
        pathlib.Path("../base/conftest.py").write_text("raise RuntimeError")
"""
PROJECTS = {
    "python": ("calc.py", PYTHON, "tests/test_calc.py", STRONG),
    "typescript": (
        "calc.ts",
        "export function clamp(value: number, low: number): number {\n  if (value < low) return low;\n"
        "  return value + 0;\n}\n",
        "calc.test.ts",
        "import assert from 'node:assert';\nimport test from 'node:test';\nimport { clamp } from './calc.ts';\n"
        "test('clamp', () => assert.deepStrictEqual([clamp(0, 1), clamp(1, 1), clamp(3, 1)], [1, 1, 3]));\n",
    ),
    "java": (
        "Calc.java",
        "class Calc {\n  static int clamp(int value, int low) {\n    if (value < low) {\n      return low;\n    }\n"
        "    return value;\n  }\n}\n",
        "CalcTest.java",
        "import static org.junit.jupiter.api.Assertions.assertEquals;\nimport org.junit.jupiter.api.Test;\n"
        "class CalcTest {\n  @Test\n  void clamp() {\n    assertEquals(1, Calc.clamp(0, 1));\n"
        "    assertEquals(3, Calc.clamp(3, 1));\n  }\n}\n",
    ),
    "go": (
        "calc.go",
        'package calc\n\nfunc Clamp(value int, low int) int {\n\tunit := 1\n'
        "\tif value < low {\n\t\treturn low * unit\n\t}\n\treturn value\n}\n",
        "calc_test.go",
        'package calc\n\nimport "testing"\n\nfunc TestClamp(t *testing.T) {\n'
        "\tif Clamp(0, 1) != 1 || Clamp(3, 1) != 3 {\n\t\tt.Fatal()\n\t}\n}\n",
    ),
}  # fmt: skip


def tree_of(language: str, tests: str | None = None) -> FileTree:
    """The language's project, perhaps with other tests."""
    path, code, test, usual = PROJECTS[language]
    return {path: File(content=code.encode()), test: File(content=(tests or usual).encode())}


async def mutants_of(tree: FileTree, language: str, most: int = 20) -> list[Candidate]:
    """Mutants of the project's code."""
    async with Parsers() as parsers:
        return await sample(parsers, tree, {PROJECTS[language][0]: range(1, 100)}, most, "tree")


async def score(tree: FileTree, language: str, most: int = 20, within_s: float = 120.0) -> MutationScore | None:
    """The score of the tests of a tree."""
    candidates = await mutants_of(tree, language, most)
    async with docker_place() as place, place.lease(language=language, profile="default") as sandbox:
        return await Trials(sandbox, language, (PROJECTS[language][2],), within_s).score(tree, candidates)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_good_tests_kill_mutants_in_every_language(docker_engine: None, language: str) -> None:
    found = await score(tree_of(language), language, 8)
    assert found is not None
    assert found.controls_held
    assert found.made >= 4
    assert found.share >= 0.6
    assert len(found.survivors) == found.made - found.killed


async def test_strong_tests_kill_all_and_an_endless_loop_is_killed_by_time(docker_engine: None) -> None:
    found = await score(tree_of("python"), "python")
    assert found is not None
    assert found.share >= 0.9, found.survivors
    assert found.timed_out >= 1


@pytest.mark.parametrize("tests", [WEAK, BLIND], ids=["assert nothing", "catch everything"])
async def test_tests_that_notice_nothing_kill_next_to_nothing(docker_engine: None, tests: str) -> None:
    tree = tree_of("python", tests)
    found = await score(tree, "python", 12)
    assert found is not None
    assert found.share < 0.5
    assert {survivor.path for survivor in found.survivors} == {"calc.py"}


async def test_tests_that_read_the_text_of_the_code_have_no_score(docker_engine: None) -> None:
    found = await score(tree_of("python", READING % "0"), "python", 3)
    assert found is None


async def test_tests_that_leave_something_behind_do_not_hold_the_controls(docker_engine: None) -> None:
    found = await score(tree_of("python", LEAVING), "python", 12)
    assert found is not None
    assert not found.controls_held


async def test_when_the_time_is_over_what_was_not_tried_does_not_count(docker_engine: None) -> None:
    found = await score(tree_of("python"), "python", 5, within_s=0.0)
    assert found is not None
    assert (found.made, found.survivors) == (0, ())


async def test_tests_that_fail_anyway_say_nothing_of_mutants(docker_engine: None) -> None:
    assert await score(tree_of("python", "def test_no():\n    assert 0\n"), "python", 3) is None
