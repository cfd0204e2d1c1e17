"""Work that does not pass goes back: with an analysis, to several at once, or under a new plan."""

import json
from pathlib import Path

from director.analysis import PROMPT as ANALYST
from director.brief import ANOTHER_WAY
from domain.events import (
    BranchMerged,
    CorrectionStarted,
    ModelCalled,
    SubtaskFinished,
    SubtaskStarted,
    VerificationFinished,
)
from domain.evidence import Grade
from domain.setbacks import CandidatesJudged, PlanRevised
from domain.strategy import Planning, Strategy
from domain.task import Limits, TaskStatus
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.director.stage import (
    CODE,
    FIX,
    RIGHT,
    TEST,
    TESTS,
    WRONG,
    node,
    open_stage,
    part,
    planned,
    role_of_ours,
    submit,
    writes,
)

CAUSE = "It subtracts, in calc.py, where it should add."
FIRST = part(CODE, lines=writes(("calc.py", WRONG + "# first\n")))
NOTHING = part(FIX, lines=[submit()])


async def test_the_cause_is_looked_for_by_a_call_of_its_own_and_told_to_whoever_mends_it(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("code")),
            Scene(when=(ANALYST[:30], "assert -1 == 5", "+# first"), lines=(Line(text=CAUSE),)),
            part(FIX, f"(it may be wrong):\n{CAUSE}", lines=writes(("calc.py", RIGHT))),
            FIRST,
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.grade, result.attempts) == (TaskStatus.SOLVED, Grade.PROVEN, 2)
        (correction,) = await stage.happened(CorrectionStarted)
        assert (correction.rung, correction.analysis) == ("feedback", CAUSE)
        called = [fact for fact in await stage.happened(ModelCalled) if fact.text == CAUSE]
        assert len(called) == 1


async def test_several_candidates_are_made_at_once_and_the_evidence_chooses(tmp_path: Path) -> None:
    half = TESTS + "\n\ndef test_twice():\n    assert add(2, 2) == 4\n\n\ndef test_none():\n    assert add(0, 0) == 1\n"
    better = "def add(a: int, b: int) -> int:\n    return 5 if a != b else a + b\n"
    model = ScriptedProvider(
        (
            planned(node("code")),
            part(FIX, ANOTHER_WAY, lines=writes(("calc.py", better))),
            part(FIX, "assert -1 == 5", lines=[submit()]),
            FIRST,
        )
    )
    async with open_stage(tmp_path, model) as stage:
        limits, strategy = Limits(max_attempts=3), Strategy(planning=Planning.ALWAYS, samples=3)
        await stage.submit({"calc.py": WRONG, TEST: half}, tests=(TEST,), limits=limits, strategy=strategy)
        result = await stage.run()
        (judged,) = await stage.happened(CandidatesJudged)
        assert [one.subtask_id for one in judged.candidates] == ["fix-2-a", "fix-2-b", "fix-2-c"]
        assert judged.chosen in {"fix-2-b", "fix-2-c"}
        assert (result.status, await stage.texts(result.commit)) == (
            TaskStatus.UNSOLVED,
            {"calc.py": better, TEST: half},
        )
        assert await stage.workspace.head("main") == result.commit
        merged = [fact.subtask_id for fact in await stage.happened(BranchMerged)]
        assert merged[-1] == judged.chosen
        warm = {request.temperature for request in stage.requests(ANOTHER_WAY)}
        assert None not in warm


async def test_a_tree_that_was_judged_is_not_run_again(tmp_path: Path) -> None:
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), NOTHING, FIRST))) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.attempts) == (TaskStatus.UNSOLVED, 4)
        verified = [fact for fact in await stage.happened(VerificationFinished) if fact.purpose == "verification"]
        assert len(verified) == 1
        rungs = [fact.rung for fact in await stage.happened(CorrectionStarted)]
        assert rungs == ["feedback", "candidates", "replan"]


async def test_a_first_attempt_that_changed_nothing_is_not_told_the_same_again(tmp_path: Path) -> None:
    nothing = part(CODE, lines=[submit()])
    mended = part(FIX, lines=writes(("calc.py", RIGHT)))
    async with open_stage(tmp_path, ScriptedProvider((planned(node("code")), mended, nothing))) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.attempts) == (TaskStatus.SOLVED, 2)
        assert [fact.rung for fact in await stage.happened(CorrectionStarted)] == ["candidates"]


async def test_what_is_left_is_planned_anew_at_last(tmp_path: Path) -> None:
    anew = {"kind": "fix", "subtasks": [node("other", goal="Add up with sum().")]}
    model = ScriptedProvider(
        (
            Scene(when=("goes about it in another way",), lines=(Line(text=json.dumps(anew)),)),
            planned(node("code")),
            NOTHING,
            part(CODE, "Add up with sum().", lines=writes(("calc.py", RIGHT))),
            FIRST,
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert (result.status, result.grade, result.attempts) == (TaskStatus.SOLVED, Grade.PROVEN, 4)
        (revised,) = await stage.happened(PlanRevised)
        assert [one.id for one in revised.plan.subtasks] == ["fix-3-other"]
        assert (await stage.happened(SubtaskStarted))[-1].subtask.id == "fix-3-other"
        assert (await stage.texts(result.commit))["calc.py"] == RIGHT


async def test_a_subtask_that_used_up_what_it_may_leaves_the_rest_to_a_correction(tmp_path: Path) -> None:
    data = 'description = "Little."\npermissions = ["files:write", "work:submit"]\n'
    data += "max_steps = 9\nmax_output_tokens = 500\nmax_tokens = 100\n"
    roles = role_of_ours(tmp_path / "roles", "tiny", data)
    model = ScriptedProvider((planned(node("a", "tiny")), part(FIX, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path / "home", model, soundstage_roles=roles) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        stopped, *_ = [fact.result for fact in await stage.happened(SubtaskFinished)]
        assert (stopped.kind, stopped.reason, stopped.scope) == ("stopped", "tokens", "subtask:task-1:a")
        assert (result.status, result.attempts) == (TaskStatus.SOLVED, 2)


async def test_tests_that_pass_only_at_times_show_nothing(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    flaky = (
        "from pathlib import Path\nfrom calc import add\n\n\ndef test_add():\n"
        f"    runs = Path({str(runs)!r})\n    runs.write_text(runs.read_text() + 'x' if runs.exists() else 'x')\n"
        "    assert add(2, 3) == 5\n    assert runs.read_text() != 'xxx'\n"
    )
    model = ScriptedProvider((planned(node("code")), NOTHING, part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path / "home", model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: flaky}, tests=(TEST,), limits=Limits(max_attempts=2))
        result = await stage.run()
        # Before the work, after it, and once more.
        assert runs.read_text() == "xxx"
        assert result.status is TaskStatus.UNSOLVED
        assert result.evidence is not None
        assert result.evidence.failure is not None
        assert (result.evidence.failure.kind, result.evidence.failure.test_id) == ("flaky", f"{TEST}::test_add")
