"""The way of one task, from its plan to its result, with real storage, tools and test runs."""

from pathlib import Path

import pytest

from app.demo_script import demo_model
from domain.events import (
    CorrectionStarted,
    ModelCalled,
    NoticeGiven,
    PlanMade,
    ProtectedChangeDropped,
    SubtaskFinished,
    SubtaskStarted,
    ToolCalled,
    VerificationFinished,
)
from domain.evidence import FailureKind, Grade
from domain.subtask_result import Stopped, StopReason
from domain.task import Limits, TaskStatus
from domain.tokens import estimate_most
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.director.stage import (
    CODE,
    FIX,
    RIGHT,
    STUB,
    TEST,
    TESTER,
    TESTS,
    WRONG,
    node,
    open_stage,
    part,
    planned,
    shell,
    submit,
    usual_plan,
    write,
    writes,
)

CUSTOM = "grep -q 'a + b' calc.py"
GOOD = writes(("calc.py", RIGHT))
THREE = (
    "from calc import one, two, three\n\n\n"
    "def test_one():\n    assert one() == 1\n\n\n"
    "def test_two():\n    assert two() == 2\n\n\n"
    "def test_three():\n    assert three() == 3\n"
)
DEMO = """task_submitted task_started model_called plan_made
subtask_started model_called tool_called snapshot_made tool_called model_called tool_called subtask_finished
verification_started verification_finished branch_merged
subtask_started model_called tool_called snapshot_made model_called tool_called subtask_finished branch_merged
verification_started verification_finished correction_started
subtask_started model_called tool_called snapshot_made tool_called model_called tool_called subtask_finished
verification_started verification_finished branch_merged task_finished"""


async def test_the_demo_is_planned_tested_coded_corrected_once_and_proven_in_this_order(tmp_path: Path) -> None:
    async with open_stage(tmp_path, demo_model()) as stage:
        await stage.submit(prompt="Create a fibonacci function with tests")
        result = await stage.run()
        assert (result.status, result.grade, result.attempts) == (TaskStatus.SOLVED, Grade.CHECKED, 2)
        assert result.solved
        assert [fact.type for fact in await stage.facts()] == DEMO.split()
        (correction,) = await stage.happened(CorrectionStarted)
        assert correction.failure.kind is FailureKind.ASSERTION
        assert set(await stage.texts(result.commit)) == {"fibonacci.py", "tests/test_fibonacci.py"}
        evidence = result.evidence
        assert evidence is not None
        assert (evidence.failed_first, evidence.controls_held) == (True, True)
        assert evidence.tree == await stage.workspace.tree(result.commit)
        assert 0 < evidence.covered_lines <= evidence.changed_lines
        calls = await stage.happened(ModelCalled)
        assert result.usage.total_tokens == sum(call.usage.total_tokens for call in calls) > 0


async def test_a_model_that_says_only_garbage_ends_the_task_without_an_error(tmp_path: Path) -> None:
    garbage = ScriptedProvider((Scene(when=(), lines=(Line(text="Lorem ipsum dolor sit amet."),)),))
    async with open_stage(tmp_path, garbage) as stage:
        await stage.submit({"readme.txt": "hello"})
        result = await stage.run()
        assert result.status in {TaskStatus.STOPPED, TaskStatus.UNSOLVED, TaskStatus.UNCHECKED}
        assert (result.grade, result.solved) == (Grade.UNCHECKED, False)
        assert result.commit == stage.base
        (plan,) = await stage.happened(PlanMade)
        assert len(plan.plan.subtasks) == 1
        assert "no valid plan" in plan.fallback


async def test_work_that_was_never_handed_in_is_verified_all_the_same(tmp_path: Path) -> None:
    busy = part(CODE, lines=[Line(calls=(write("calc.py", RIGHT),)), Line(calls=(shell("date +%N"),))])
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), busy))) as stage:
        await stage.submit({"calc.py": WRONG}, command=CUSTOM, limits=Limits(max_steps=3))
        result = await stage.run()
        (finished,) = await stage.happened(SubtaskFinished)
        assert isinstance(finished.result, Stopped)
        assert finished.result.reason is StopReason.STEPS
        assert (result.status, result.grade) == (TaskStatus.SOLVED, Grade.CHECKED)


async def test_the_users_own_tests_prove_the_work_and_no_tests_are_written(tmp_path: Path) -> None:
    model = ScriptedProvider((usual_plan(), part(CODE, lines=GOOD)))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.grade, result.attempts) == (TaskStatus.SOLVED, Grade.PROVEN, 1)
        assert [fact.subtask.role for fact in await stage.happened(SubtaskStarted)] == ["code"]
        assert (await stage.texts(result.commit)) == {"calc.py": RIGHT, TEST: TESTS}
        before, after = await stage.happened(VerificationFinished)
        assert (before.evidence.passed, after.evidence.passed) == (False, True)


async def test_the_users_tests_that_pass_before_the_work_prove_nothing_about_it(tmp_path: Path) -> None:
    better = RIGHT.replace("return", "# faster\n    return")
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", better)))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": RIGHT, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.grade) == (TaskStatus.UNCHECKED, Grade.UNCHECKED)
        assert "did not fail before the work" in result.reason


async def test_tests_that_pass_on_the_stub_go_back_and_are_then_dropped_with_a_notice(tmp_path: Path) -> None:
    lazy = part(TESTER, lines=writes((TEST, "def test_nothing():\n    assert True\n")))
    async with open_stage(tmp_path, ScriptedProvider((usual_plan(), lazy, part(CODE, lines=GOOD)))) as stage:
        await stage.submit(limits=Limits(max_attempts=2))
        result = await stage.run()
        started = [(fact.subtask.id, fact.attempt) for fact in await stage.happened(SubtaskStarted)]
        assert started == [("tests", 1), ("tests", 2), ("code", 1)]
        (notice,) = await stage.happened(NoticeGiven)
        assert "dropped" in notice.text
        assert (result.status, result.grade) == (TaskStatus.UNCHECKED, Grade.UNCHECKED)
        assert await stage.texts(result.commit) == {"calc.py": RIGHT}
        heard = [request.messages[1].content for request in stage.requests(TESTER)]
        assert "the tests pass although the code is not written yet" in heard[-1]


async def test_code_is_judged_by_the_tests_as_they_were_whatever_it_does_to_them(tmp_path: Path) -> None:
    easy = "def test_add():\n    pass\n"
    cheat = part(
        CODE,
        lines=[
            Line(calls=(write("calc.py", WRONG + "# tried\n"), shell(f"rm {TEST}"), write(TEST, easy))),
            Line(calls=(shell(f"echo 'def test_add(): pass' > {TEST}"), write("tests", easy))),
            submit("all tests pass"),
        ],
    )
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), cheat))) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,), limits=Limits(max_attempts=1))
        result = await stage.run()
        assert result.status is TaskStatus.UNSOLVED
        assert result.evidence is not None
        assert result.evidence.failure is not None
        assert result.evidence.failure.test_id == f"{TEST}::test_add"
        assert (await stage.texts(result.commit))[TEST] == TESTS
        assert {path for fact in await stage.happened(ProtectedChangeDropped) for path in fact.paths} == {TEST}
        refused = [fact.observation for fact in await stage.happened(ToolCalled) if not fact.ok]
        assert any("protected and stays as it is" in text for text in refused)


async def test_code_that_ends_the_test_run_is_no_success(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=writes(("calc.py", "import os\nos._exit(0)\n")))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,), limits=Limits(max_attempts=1))
        result = await stage.run()
        assert result.status is TaskStatus.UNSOLVED
        assert result.evidence is not None
        assert result.evidence.failure is not None
        assert result.evidence.failure.kind is FailureKind.INCOMPLETE


async def test_the_best_of_all_attempts_is_handed_over_when_none_solves_the_task(tmp_path: Path) -> None:
    def numbers(one: int, two: int, three: int) -> list[Line]:
        source = f"def one(): return {one}\ndef two(): return {two}\ndef three(): return {three}\n"
        return writes(("calc.py", source))

    model = ScriptedProvider(
        (
            planned(node("code")),
            part(
                FIX,
                "test_two",
                "Verification failed: assertion in tests/test_calc.py::test_two",
                lines=numbers(1, 2, 0),
            ),
            part(FIX, "Verification failed: assertion in tests/test_calc.py::test_three", lines=numbers(0, 0, 0)),
            part(CODE, lines=numbers(1, 0, 0)),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({TEST: THREE}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.attempts) == (TaskStatus.UNSOLVED, 4)
        assert result.evidence is not None
        assert [case.outcome for case in result.evidence.report.cases] == ["passed", "passed", "failed"]
        assert "def two(): return 2" in (await stage.texts(result.commit))["calc.py"]
        assert await stage.workspace.head("main") == result.commit
        assert "assertion tests/test_calc.py::test_three" in result.reason
        rungs = [fact.rung for fact in await stage.happened(CorrectionStarted)]
        assert rungs == ["feedback", "candidates", "replan"]


async def test_a_budget_that_runs_out_stops_the_task_with_the_best_tree(tmp_path: Path) -> None:
    wordy = Line(text="x" * 30_000, calls=(write("calc.py", WRONG), ("submit", '{"summary": "done"}')))
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[wordy])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit(command=CUSTOM, limits=Limits(max_tokens=16_000))
        result = await stage.run()
        assert (result.status, result.grade) == (TaskStatus.STOPPED, Grade.UNCHECKED)
        assert result.reason.startswith("tokens: ")
        assert await stage.texts(result.commit) == {"calc.py": WRONG}
        assert len(stage.requests(FIX)) == 0
        assert result.usage.total_tokens <= 16_000


async def test_a_budget_that_planning_nearly_takes_is_told(tmp_path: Path) -> None:
    async with open_stage(tmp_path / "first", ScriptedProvider((planned(node("code")),))) as stage:
        await stage.submit()
        await stage.run()
        most = estimate_most(stage.requests("You are the planner")[0]).total_tokens
    async with open_stage(tmp_path / "second", ScriptedProvider((planned(node("code")),))) as stage:
        await stage.submit(limits=Limits(max_tokens=most * 10 // 9))
        await stage.run()
        (notice,) = await stage.happened(NoticeGiven)
    assert notice.text == f"task:task-1 has used or holds {most:,} of {most * 10 // 9:,} tokens"


async def test_a_budget_that_does_not_even_cover_the_plan_stops_the_task_at_its_start(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider(())) as stage:
        await stage.submit({"a.txt": "1"}, limits=Limits(max_tokens=100))
        result = await stage.run()
        assert (result.status, result.commit) == (TaskStatus.STOPPED, stage.base)
        assert "--max-tokens" in result.reason


async def test_a_command_of_the_user_decides(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("code"), files=[STUB]),
            part(FIX, "Verification failed: command", lines=GOOD),
            part(FIX, lines=GOOD),
            part(CODE, lines=writes(("calc.py", WRONG))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit(command=CUSTOM)
        result = await stage.run()
        assert (result.status, result.grade, result.attempts) == (TaskStatus.SOLVED, Grade.CHECKED, 2)
        assert result.evidence is not None
        assert result.evidence.kind == "command"
        assert [fact.evidence.passed for fact in await stage.happened(VerificationFinished)] == [False, False, True]


async def test_tests_that_a_command_of_the_user_cannot_judge_are_not_written_again_and_again(tmp_path: Path) -> None:
    model = ScriptedProvider((usual_plan(), part(TESTER, lines=writes((TEST, TESTS))), part(CODE, lines=GOOD)))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit(command="true")
        result = await stage.run()
        attempts = [fact.attempt for fact in await stage.happened(SubtaskStarted) if fact.subtask.role == "test"]
        assert attempts in ([], [1])
        assert await stage.happened(NoticeGiven) == []
        # Whoever says "checked" must have run the tests after the work.
        assert result.evidence is not None
        assert result.grade is Grade.UNCHECKED or result.evidence.kind == "pytest"


@pytest.mark.parametrize("name", ["fix-1", "attempt"])
async def test_a_plan_may_call_its_subtasks_as_it_likes(name: str, tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node(name, "test" if name == "attempt" else "code")),
            part(TESTER, lines=writes((TEST, TESTS))),
            part(FIX, lines=GOOD),
            part(CODE, lines=writes(("calc.py", WRONG))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        if name == "attempt":
            await stage.submit({"calc.py": WRONG}, limits=Limits(max_attempts=2))
        else:
            await stage.submit({"calc.py": WRONG}, command=CUSTOM, limits=Limits(max_attempts=2))
        result = await stage.run()
        assert (result.status, result.attempts) == (TaskStatus.SOLVED, 2)


async def test_a_specialist_that_stopped_does_not_mark_a_task_that_later_work_failed(tmp_path: Path) -> None:
    busy = part(CODE, lines=[Line(calls=(write("calc.py", WRONG),)), Line(calls=(shell("date +%N"),))])
    tried = part(FIX, lines=writes(("calc.py", WRONG + "# tried\n")))
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), tried, busy))) as stage:
        await stage.submit(command=CUSTOM, limits=Limits(max_attempts=2, max_steps=3))
        result = await stage.run()
        assert result.status is TaskStatus.UNSOLVED
        assert result.reason.startswith("after 2 attempts")
