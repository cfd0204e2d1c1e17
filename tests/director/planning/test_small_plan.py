"""Plans that no model is asked for."""

from pathlib import Path

import pytest

from director.planning.small_plan import one_node, small_plan
from domain.events import ModelCalled, PlanMade
from domain.files import File, FileTree
from domain.plan import Plan, Subtask
from domain.strategy import Planning, Strategy
from domain.task import TaskSpec, TaskStatus
from domain.task_kind import TaskKind
from gateway.scripted import ScriptedProvider
from tests.director.stage import RIGHT, TEST, TESTS, WRONG, open_stage, part, writes

CODE: FileTree = {"calc.py": File(content=b"def add(a, b): return a - b\n")}
TESTED = CODE | {TEST: File(content=TESTS.encode())}
LONG = "Add a flag.\n" + "- and one more thing\n" * 9
CASES = {
    "what is asked is answered": ("What does add do?", CODE, {}, ["answer"]),
    "tests for code that is there": ("Add tests for calc.py", CODE, {}, ["tests"]),
    "a fix begins with a reproduction": ("Fix add, it subtracts.", CODE, {}, ["tests", "code"]),
    "a fix with tests of the user": ("Fix add.", TESTED, {"protected_paths": (TEST,)}, ["code"]),
    "a refactoring under tests": ("Refactor calc.py", TESTED, {}, ["code"]),
    "a refactoring without tests": ("Refactor calc.py", CODE, {}, ["tests", "code"]),
    "new code by its signature": ("Write `gcd(a: int, b: int) -> int`", {}, {}, ["tests", "code"]),
    "a command that checks": ("Write the module calc.", {}, {"test_command": "make test"}, ["code"]),
}
ASKED = {
    "new code without a signature": ("Create a fibonacci function with tests", {}, {}),
    "a feature in code that is there": ("Add a --verbose flag", CODE, {}),
    "what cannot be told": ("calculator", CODE, {}),
    "a web app": ("Build a web app that lists notes.", {}, {}),
    "a long list": (LONG, TESTED, {"test_command": "make test"}),
}


Fields = dict[str, object]


def spec(prompt: str, fields: Fields | None = None, strategy: Strategy | None = None) -> TaskSpec:
    usual = {"id": "t", "prompt": prompt, "model": "m", "base_commit": "c", "strategy": strategy or Strategy()}
    return TaskSpec.model_validate(usual | (fields or {}))


@pytest.mark.parametrize(("prompt", "files", "fields", "ids"), CASES.values(), ids=CASES)
def test_a_small_request_has_a_small_plan(prompt: str, files: FileTree, fields: Fields, ids: list[str]) -> None:
    plan = small_plan(spec(prompt, fields), files)
    assert plan is not None
    assert [node.id for node in plan.subtasks] == ids
    assert all(prompt in node.goal for node in plan.subtasks)


@pytest.mark.parametrize(("prompt", "files", "fields"), ASKED.values(), ids=ASKED)
def test_a_request_that_needs_design_is_left_to_a_model(prompt: str, files: FileTree, fields: Fields) -> None:
    assert small_plan(spec(prompt, fields), files) is None


def test_a_model_plans_always_or_never_where_a_person_says_so() -> None:
    assert small_plan(spec("Fix add.", strategy=Strategy(planning=Planning.ALWAYS)), CODE) is None
    plan = small_plan(spec("calculator", strategy=Strategy(planning=Planning.NEVER)), CODE)
    assert plan is not None
    assert [node.role for node in plan.subtasks] == ["code"]


def test_a_kind_that_a_person_gives_counts() -> None:
    plan = small_plan(spec("calculator", strategy=Strategy(kind=TaskKind.ADD_TESTS)), CODE)
    assert plan is not None
    assert (plan.kind, [node.role for node in plan.subtasks]) == (TaskKind.ADD_TESTS, ["test"])


def test_the_one_node_of_a_fallback_has_the_language_of_the_files() -> None:
    plan = one_node(
        spec("Do it."), {"go.mod": File(content=b"module a"), "a_test.go": File(content=b'import "testing"')}
    )
    assert (plan.language, plan.framework, len(plan.subtasks)) == ("go", "testing", 1)


async def test_a_small_task_costs_no_planning_call(tmp_path: Path) -> None:
    model = ScriptedProvider((part("You are the code specialist", lines=writes(("calc.py", RIGHT))),))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,), prompt="Fix add.", strategy=Strategy())
        assert (await stage.run()).status is TaskStatus.SOLVED
        assert {call.subtask_id for call in await stage.happened(ModelCalled)} == {"code"}


async def test_a_plan_that_a_person_gives_is_carried_out_as_it_is(tmp_path: Path) -> None:
    model = ScriptedProvider((part("You are the code specialist", lines=writes(("calc.py", RIGHT))),))
    plan = Plan(kind=TaskKind.FIX, subtasks=(Subtask(id="mine", role="code", goal="Mend it."),))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,), strategy=Strategy(plan=plan))
        assert (await stage.run()).status is TaskStatus.SOLVED
        (made,) = await stage.happened(PlanMade)
        assert made.plan == plan


@pytest.mark.parametrize(
    ("prompt", "path"),
    [
        ("Write a function fib. fib(10) == 55, fib(0) == 0", "fib.py"),
        ('from typing import List\n\n\ndef top(a: List[int]) -> int:\n    """The largest.\n    """\n', "top.py"),
        ("Write a command line tool around a function slug. slug('A b') == 'a-b'", None),
        ("Write a TypeScript function `add(a, b)`. add(1, 2) == 3", None),
    ],
    ids=["examples alone", "a bare definition", "more than a module", "another language"],
)
def test_one_module_is_planned_without_a_model_where_the_request_describes_it(prompt: str, path: str | None) -> None:
    plan = small_plan(TaskSpec(id="t", prompt=prompt, model="m", base_commit="x"), {})
    assert (plan.files[0].path if plan else None) == path


def test_the_one_node_of_a_fallback_knows_the_file_that_the_request_describes() -> None:
    spec = TaskSpec(id="t", prompt="Write a function fib. fib(10) == 55", model="m", base_commit="x")
    assert [file.path for file in one_node(spec, {}).files] == ["fib.py"]
