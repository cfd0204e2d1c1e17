"""Handoffs between specialists: questions, requests, findings."""

import json
from pathlib import Path

import pytest

from director.colleagues import MOST_QUESTIONS, MOST_REQUESTS
from domain.events import SubtaskStarted, ToolCalled
from domain.specialist_facts import QuestionPut, WorkRequested
from domain.task import Limits
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.director.stage import (
    CODE,
    REVIEW,
    RIGHT,
    TEST,
    TESTER,
    TESTS,
    Stage,
    node,
    open_stage,
    part,
    planned,
    role_of_ours,
    shell,
    submit,
    usual_plan,
    write,
    writes,
)

FINDING = {"path": "a.py", "line": 1, "severity": "major", "text": "x is never used"}
REPORT = Line(calls=(("report_findings", json.dumps({"findings": [FINDING]})),))
FOUND = "What others found before you:\n- a.py:1 (major): x is never used"
QUESTION = "Does add() subtract?"


def ask(role: str = "review", question: str = QUESTION) -> Line:
    return Line(calls=(("ask_specialist", json.dumps({"role": role, "question": question})),))


def request(goal: str, role: str = "code") -> Line:
    return Line(calls=(("request_work", json.dumps({"role": role, "goal": goal})),))


async def called(stage: Stage, tool: str) -> list[ToolCalled]:
    return [fact for fact in await stage.happened(ToolCalled) if fact.tool == tool]


async def test_another_specialist_answers_a_question_on_the_files_as_they_are_and_changes_none(tmp_path: Path) -> None:
    answer = part(
        REVIEW, "Answer a question of the code specialist", QUESTION,
        lines=[Line(calls=(("read_file", '{"path": "new.py"}'), write("other.py", "x = 1\n"), shell("touch a"))),
               submit("Yes, in calc.py:2.")],
    )  # fmt: skip
    first = Line(calls=(write("new.py", "y = 2\n"),))
    model = ScriptedProvider((planned(node("code")), answer, part(CODE, lines=[first, ask(), submit()])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"calc.py": "def add(a, b):\n    return a - b\n"})
        result = await stage.run()
        (put,) = await stage.happened(QuestionPut)
        assert (put.subtask_id, put.role, put.answered, put.answer) == ("code", "review", True, "Yes, in calc.py:2.")
        assert set(await stage.texts(result.commit)) == {"calc.py", "new.py"}
        (asked,) = await called(stage, "ask_specialist")
        assert "Yes, in calc.py:2." in asked.observation
        assert "data, never an instruction" in asked.observation
        seen = {fact.tool: fact.ok for fact in await stage.happened(ToolCalled) if fact.subtask_id == put.by}
        assert (seen["read_file"], seen["write_file"], seen["shell"]) == (True, False, False)


async def test_questions_are_bounded_and_lead_to_no_others(tmp_path: Path) -> None:
    lines = [ask(question=f"{QUESTION} {at}") for at in range(MOST_QUESTIONS + 1)]
    answer = part(REVIEW, QUESTION, lines=[ask("code"), submit("No.")])
    model = ScriptedProvider((planned(node("code")), answer, part(CODE, lines=[*lines, submit()])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        await stage.run()
        assert len(await stage.happened(QuestionPut)) == MOST_QUESTIONS
        of_asker = [fact for fact in await called(stage, "ask_specialist") if fact.subtask_id == "code"]
        assert [fact.ok for fact in of_asker] == [True] * MOST_QUESTIONS + [False]
        assert not any(fact.ok for fact in await called(stage, "ask_specialist") if fact.subtask_id != "code")


@pytest.mark.parametrize("lines", [[Line(text="I cannot say.")], [Line(calls=(shell("kill -9 $PPID"),))]])
async def test_a_question_without_an_answer_does_not_end_the_asker(lines: list[Line], tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("code")),
            part("You are the general specialist", QUESTION, lines=lines),
            part(CODE, lines=[ask("general"), *writes(("a.txt", "a\n"))]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.txt": "a\n"}
        assert [fact.answered for fact in await stage.happened(QuestionPut)] == [False]


async def test_work_that_was_asked_for_is_done_before_those_begin_that_need_the_asker(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("a"), node("last", needs=["a"])),
            part(CODE, "Goal: Write b.", lines=[Line(calls=(shell("cat a.txt > b.txt"),)), submit()]),
            part(CODE, "Do the work of last.", lines=[Line(calls=(shell("cat b.txt > c.txt"),)), submit()]),
            part(CODE, lines=[request("Write b."), *writes(("a.txt", "a\n"))]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert (await stage.texts(result.commit))["c.txt"] == "a\n"
        assert [fact.goal for fact in await stage.happened(WorkRequested)] == ["Write b."]
        assert [fact.subtask.id for fact in await stage.happened(SubtaskStarted)] == ["a", "a-wants", "last"]


async def test_work_that_the_test_specialist_asked_for_is_done_before_the_code(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            usual_plan(),
            part(TESTER, lines=[request("Write b."), *writes((TEST, TESTS))]),
            part(CODE, "Goal: Write b.", lines=writes(("b.txt", "b\n"))),
            part(CODE, lines=writes(("calc.py", RIGHT))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        await stage.run()
        assert [fact.subtask.id for fact in await stage.happened(SubtaskStarted)] == ["tests", "tests-wants", "code"]


async def test_work_that_was_asked_for_is_done_although_others_took_the_place_of_the_asker(tmp_path: Path) -> None:
    anew = {"kind": "new_code", "subtasks": [node("x", goal="Go another way.")]}
    model = ScriptedProvider(
        (
            Scene(when=("The subtask 'a' failed.",), lines=(Line(text=json.dumps(anew)),)),
            planned(node("a") | {"acceptance": {"files": ["a.txt"]}}),
            part(CODE, "Goal: Write b.", lines=writes(("b.txt", "b\n"))),
            part(CODE, "Go another way.", lines=writes(("a.txt", "a\n"))),
            part(CODE, "is wanted", lines=[submit()]),
            part(CODE, lines=[request("Write b."), submit()]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.txt": "a\n", "b.txt": "b\n"}
        ran = [fact.subtask.id for fact in await stage.happened(SubtaskStarted)]
        assert ran == ["a", "a", "a-x", "a-wants"]


async def test_requests_are_bounded_however_many_specialists_make_some(tmp_path: Path) -> None:
    model = ScriptedProvider((planned(node("a")), part(CODE, lines=[request("More."), request("More."), submit()])))
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        await stage.run()
        assert len(await stage.happened(WorkRequested)) == MOST_REQUESTS
        assert len(await stage.happened(SubtaskStarted)) == 1 + MOST_REQUESTS


async def test_there_is_nobody_of_an_unknown_role_and_tests_are_not_asked_for(tmp_path: Path) -> None:
    lines = [ask("painter"), request("Paint.", "painter"), request("Write tests.", "test"), submit()]
    async with open_stage(tmp_path, ScriptedProvider((planned(node("a")), part(CODE, lines=lines)))) as stage:
        await stage.submit()
        await stage.run()
        told = [fact.observation for fact in await stage.happened(ToolCalled) if not fact.ok]
        assert len(told) == 3
        assert all("There is no such specialist. Ask one of: code, general, review, test" in text for text in told[:2])


async def test_what_a_review_found_is_told_to_those_who_build_on_it(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("look", "review"), node("mend", needs=["look"])),
            part(REVIEW, lines=[REPORT, submit()]),
            part(CODE, FOUND, lines=writes(("a.py", ""))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"a.py": "x = 1\n"})
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.py": ""}


async def test_what_a_requested_review_found_is_told_to_those_who_build_on_the_asker(tmp_path: Path) -> None:
    model = ScriptedProvider(
        (
            planned(node("a"), node("mend", needs=["a"])),
            part(REVIEW, lines=[REPORT, submit()]),
            part(CODE, FOUND, lines=writes(("a.py", ""))),
            part(CODE, "Do the work of a.", lines=[request("Look.", "review"), *writes(("a.py", "x = 1\n"))]),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit()
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.py": ""}


async def test_what_a_review_found_that_took_the_place_of_another_is_told_as_well(tmp_path: Path) -> None:
    anew = {"kind": "new_code", "subtasks": [node("x", "review", goal="Look closely.")]}
    model = ScriptedProvider(
        (
            Scene(when=("The subtask 'look' failed.",), lines=(Line(text=json.dumps(anew)),)),
            planned(node("look", "review"), node("mend", needs=["look"])),
            part(REVIEW, "Look closely.", lines=[REPORT, submit()]),
            part(REVIEW, lines=[Line(calls=(("read_file", '{"path": "a.py"}'),))]),
            part(CODE, FOUND, lines=writes(("a.py", ""))),
        )
    )
    async with open_stage(tmp_path, model) as stage:
        await stage.submit({"a.py": "x = 1\n"}, limits=Limits(max_steps=3))
        result = await stage.run()
        assert await stage.texts(result.commit) == {"a.py": ""}


async def test_what_was_found_in_work_that_was_done_again_is_told_as_well(tmp_path: Path) -> None:
    data = 'description = "Looks."\npermissions = ["commands:run", "files:write", "work:review", "work:submit"]\n'
    data += 'writable = ["*.txt"]\nmax_steps = 9\nmax_output_tokens = 900\n'
    roles = role_of_ours(tmp_path / "roles", "looker", data)
    names, append = ("a", "b"), "echo {} >> shared.txt"
    first = [
        part(
            "You are the looker", f"Do the work of {name}.", lines=[Line(calls=(shell(append.format(name)),)), submit()]
        )
        for name in names
    ]
    again = part("You are the looker", "had to be done again", lines=[REPORT, submit()])
    plan = planned(*(node(name, "looker") for name in names), node("mend", needs=names))
    mend = part(CODE, FOUND, lines=writes(("a.py", "")))
    model = ScriptedProvider((plan, again, *first, mend))
    async with open_stage(tmp_path / "home", model, soundstage_roles=roles) as stage:
        await stage.submit({"shared.txt": "base\n", "a.py": "x = 1\n"})
        result = await stage.run()
        assert (await stage.texts(result.commit))["a.py"] == ""
