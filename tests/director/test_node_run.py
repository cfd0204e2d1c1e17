"""Nodes of a plan: accepted before they are merged, planned anew when they fail, and no danger to the others."""

import json
from pathlib import Path
from typing import Any

import pytest

from domain.errors import SandboxLost
from domain.events import BranchMerged, NoticeGiven, PlanMade, SubtaskStarted, VerificationFinished, VerificationStarted
from domain.setbacks import PlanRevised, SubtaskCrashed
from domain.task import Limits, TaskStatus
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.director.stage import (
    CODE,
    RIGHT,
    TEST,
    TESTS,
    WRONG,
    Stage,
    node,
    open_stage,
    part,
    planned,
    shell,
    submit,
    write,
    writes,
)

KILL = "kill -9 $PPID; sleep 60"
ACCEPTED = {"files": ["a.txt"], "commands": ["grep -q right a.txt"]}


def wanting(name: str, acceptance: dict[str, Any], *needs: str) -> dict[str, Any]:
    return node(name, needs=needs) | {"acceptance": acceptance}


async def started(stage: Stage) -> list[tuple[str, int]]:
    return [(fact.subtask.id, fact.attempt) for fact in await stage.happened(SubtaskStarted)]


async def test_a_node_goes_back_until_it_gives_what_the_plan_wants_of_it(tmp_path: Path) -> None:
    again = part(CODE, "Verification failed: command", lines=writes(("a.txt", "right\n")))
    first = part(CODE, lines=writes(("a.txt", "wrong\n")))
    model = ScriptedProvider((planned(wanting("a", ACCEPTED)), again, first))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.txt": "right\n"}
        assert await started(stage) == [("a", 1), ("a", 2)]
        assert len(await stage.happened(BranchMerged)) == 1


async def test_work_that_went_back_and_then_conflicts_is_done_again_from_its_beginning(tmp_path: Path) -> None:
    def parts(name: str) -> list[Scene]:
        def doing(command: str, *when: str) -> Scene:
            return part(CODE, f"Do the work of {name}.", *when, lines=[Line(calls=(shell(command),)), submit()])

        return [
            doing(f"echo {name} | tee {name}.txt >> shared.txt", "had to be done again"),
            doing(f"echo {name} > {name}.txt", f"{name}.txt is wanted"),
            doing(f"echo {name} >> shared.txt"),
        ]

    plan = planned(*(wanting(name, {"files": [f"{name}.txt"]}) for name in ("a", "b")))
    async with open_stage(tmp_path, ScriptedProvider((plan, *parts("a"), *parts("b")))) as stage:
        await stage.submit({"shared.txt": "base\n"})
        result = await stage.run()
        ran = await started(stage)
        assert {("a", 2), ("b", 2)} < set(ran)
        assert [attempt for name, attempt in ran if name.endswith("-again")] == [1]
        assert sorted((await stage.texts(result.commit))["shared.txt"].split()) == ["a", "b", "base"]


async def test_tests_that_are_wanted_are_the_only_ones_that_count(tmp_path: Path) -> None:
    other = "def test_other():\n    assert False\n"
    model = ScriptedProvider((planned(wanting("a", {"tests": [TEST]})), part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS, "tests/test_other.py": other})
        await stage.run()
        assert await started(stage) == [("a", 1)]
        accepted = [fact for fact in await stage.happened(VerificationFinished) if fact.purpose == "acceptance"]
        assert [fact.evidence.passed for fact in accepted] == [True]


async def test_every_look_at_a_tree_before_its_merge_is_told_from_its_beginning_to_its_end(tmp_path: Path) -> None:
    wanted = {"tests": [TEST], "commands": ["true", "grep -q never calc.py", "true"]}
    none = Scene(when=("The subtask 'a' failed.",), lines=(Line(text="I do not know."),))
    model = ScriptedProvider((none, planned(wanting("a", wanted)), part(CODE, lines=writes(("calc.py", RIGHT)))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS})
        await stage.run()
        begun = [fact for fact in await stage.happened(VerificationStarted) if fact.purpose == "acceptance"]
        ended = [fact.evidence for fact in await stage.happened(VerificationFinished) if fact.purpose == "acceptance"]
        assert [seen.passed for seen in ended] == [True, True, False] * 2
        assert [seen.failure and seen.failure.kind for seen in ended] == [None, None, "command"] * 2
        assert len(begun) == len(ended)


async def test_a_node_that_fails_for_good_is_planned_anew_alone(tmp_path: Path) -> None:
    plan = planned(wanting("a", ACCEPTED), node("b"), node("last", needs=["a"]))
    anew = {"kind": "new_code", "subtasks": [node("x", goal="Go another way."), node("y", needs=["x"])]}
    model = ScriptedProvider(
        (
            Scene(when=("The subtask 'a' failed.", "a.txt is wanted"), lines=(Line(text=json.dumps(anew)),)),
            plan,
            part(CODE, "Go another way.", lines=writes(("a.txt", "right\n"))),
            part(CODE, "Do the work of y.", lines=writes(("y.txt", "y\n"))),
            part(CODE, "Do the work of b.", lines=writes(("b.txt", "b\n"))),
            part(CODE, "Do the work of last.", lines=[Line(calls=(shell("cat *.txt > all"),)), submit()]),
            part(CODE, lines=[submit()]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        (revised,) = await stage.happened(PlanRevised)
        assert (revised.subtask_id, [one.id for one in revised.plan.subtasks]) == ("a", ["a-x", "a-y"])
        assert revised.plan.subtask("a-y").acceptance.files == ("a.txt",)
        ran = [name for name, _ in await started(stage)]
        assert (ran.count("a"), ran.count("b"), ran[-1]) == (2, 1, "last")
        assert (await stage.texts(result.commit))["all"] == "right\nb\ny\n"


async def test_a_node_that_stopped_does_not_mark_a_task_in_which_others_took_its_place(tmp_path: Path) -> None:
    anew = {"kind": "new_code", "subtasks": [node("x", goal="Go another way.")]}
    model = ScriptedProvider(
        (
            Scene(when=("The subtask 'a' failed.", "it was stopped (steps)"), lines=(Line(text=json.dumps(anew)),)),
            planned(node("a"), node("last", needs=["a"])),
            part(CODE, "Do the work of a.", lines=[Line(calls=(shell("date +%N"),))]),
            part(CODE, lines=writes(("a.txt", "a\n"))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit(limits=Limits(max_steps=3))
        result = await stage.run()
        assert [name for name, _ in await started(stage)] == ["a", "a-x", "last"]
        assert result.status is TaskStatus.UNCHECKED


async def test_where_no_plan_comes_what_there_is_is_kept_and_the_gap_is_told(tmp_path: Path) -> None:
    none = Scene(when=("The subtask 'a' failed.",), lines=(Line(text="I do not know."),))
    model = ScriptedProvider((none, planned(wanting("a", ACCEPTED)), part(CODE, lines=writes(("a.txt", "wrong\n")))))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.txt": "wrong\n"}
        assert any("a lacks" in notice.text for notice in await stage.happened(NoticeGiven))
        assert not await stage.happened(PlanRevised)
        assert result.status is TaskStatus.UNCHECKED


async def test_a_node_that_crashes_takes_no_other_one_down(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("a"), node("b"), node("needs-a", needs=["a"])),
            part(
                CODE,
                "Do the work of a.",
                lines=[Line(calls=(write("half.txt", "half\n"),)), Line(calls=(shell(KILL),))],
            ),
            part(CODE, "Do the work of b.", lines=writes(("calc.py", RIGHT))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": WRONG, TEST: TESTS}, tests=(TEST,))
        result = await stage.run()
        assert result.status is TaskStatus.SOLVED
        (crash,) = await stage.happened(SubtaskCrashed)
        assert crash.subtask_id == "a"
        assert {name for name, _ in await started(stage)} == {"a", "b"}


async def test_a_crash_is_raised_at_the_end_where_the_work_is_not_shown_to_be_right(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("a"), node("b")),
            part(CODE, "Do the work of a.", lines=[Line(calls=(shell(KILL),))]),
            part(CODE, "Do the work of b.", lines=writes(("b.txt", "b\n"))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        with pytest.raises(SandboxLost):
            await stage.run()
        view = await stage.product.tasks.get("local", "task-1")
        assert view.result is not None
        assert view.result.status is TaskStatus.FAILED
        assert await stage.texts(view.result.commit) == {"b.txt": "b\n"}
        (plan,) = await stage.happened(PlanMade)
        assert len(plan.plan.subtasks) == 2
        assert not await stage.happened(NoticeGiven)
