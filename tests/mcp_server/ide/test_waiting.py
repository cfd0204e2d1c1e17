"""A client that waits for its task: it is asked, it goes away, it comes too late."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mcp.types as types
import pytest
from mcp.shared.exceptions import MCPError

from domain.events import QuestionAnswered, QuestionAsked, SnapshotMade, TaskFinished
from domain.task import TaskStatus
from gateway.scripted import Line, ScriptedProvider
from mcp_server.ide.front import MOST_ROUNDS
from tests.app.test_task_desk import CODE, HANG, careful, facts, slow, when
from tests.director.stage import node, open_stage, part, planned, shell, submit
from tests.mcp_server.ide.front_desk import ERAS, ME, FrontDesk, Told, connected, open_desk, text_of

PROMPT = "Write the module calc."


class Person:
    """Says the same to every question, and remembers them."""

    def __init__(self, action: str, **content: Any) -> None:
        self._result = types.ElicitResult.model_validate({"action": action, "content": content or None})
        self.asked: list[str] = []

    async def __call__(self, params: types.ElicitRequestParams) -> types.ElicitResult | types.ErrorData:
        """The answer."""
        self.asked.append(params.message)
        assert isinstance(params, types.ElicitRequestFormParams)
        assert list(params.requested_schema["properties"]) == ["approve", "note"]
        return self._result


class Sleeper:
    """Never says anything."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.released = asyncio.Event()

    async def __call__(self, params: types.ElicitRequestParams) -> types.ElicitResult | types.ErrorData:
        """Waits for ever."""
        del params
        self.asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.released.set()
        raise AssertionError


async def the_task(desk: FrontDesk) -> str:
    """The id of the one task, as soon as there is one."""
    async with asyncio.timeout(60):
        while True:
            if tasks := (await desk.product.tasks.page(ME, None, None, 10)).tasks:
                return tasks[0].id


async def question_after(desk: FrontDesk, task_id: str, asked: int) -> None:
    """Waits until a task has asked once more than so often."""
    async with asyncio.timeout(60):
        async for event in desk.product.tasks.follow(ME, task_id):
            asked -= isinstance(event.fact, QuestionAsked)
            if asked < 0:
                return


@pytest.mark.parametrize("era", ERAS)
async def test_what_the_task_asks_is_put_to_the_client_while_it_waits(era: str, tmp_path: Path) -> None:
    person = Person("accept", approve=True, note="go\x1b[31m on")
    async with open_desk(tmp_path, careful(), era, person) as desk:
        told = Told()
        result = await desk.call("run_task", told, prompt=PROMPT, approval="destructive", wait=True)
        assert result.structured_content is not None
        assert result.structured_content["status"] == "unchecked"
        task_id = result.structured_content["task_id"]
        (asked,) = person.asked
        assert asked.startswith(f"Task {task_id}: may the code specialist use shell?\n")
        assert "echo done > a.txt" in asked
        (answered,) = await facts(desk.product, task_id, QuestionAnswered)
        assert (answered.approved, answered.by, answered.note) == (True, "local in an IDE", "go on")
        assert (await desk.data("get_patch", task_id=task_id))["paths"] == ["a.txt"]
        assert told.progress == sorted(set(told.progress))
        assert len((await desk.data("list_tasks"))["tasks"]) == 1


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize(
    ("person", "note"),
    [
        (Person("accept", approve=False, note="not in my house"), "not in my house"),
        (Person("decline"), "declined"),
        (Person("cancel"), "the question was closed without an answer"),
        (Person("accept"), "no reason was given"),
        (Person("accept", approve="yes", note=["a"]), "no reason was given"),
    ],
    ids=["no", "decline", "cancel", "nothing", "nonsense"],
)
async def test_only_a_plain_yes_is_one(era: str, person: Person, note: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, careful(), era, person) as desk:
        state = await desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True)
        assert (await desk.data("get_patch", task_id=state["task_id"]))["paths"] == []
        called = (await desk.client.read_resource(f"task://{state['task_id']}/events")).contents[0]
        assert isinstance(called, types.TextResourceContents)
        assert f"shell was not approved ({note}" in called.text


@pytest.mark.parametrize("era", ERAS)
async def test_the_end_of_a_long_command_is_shown_to_whoever_is_asked(era: str, tmp_path: Path) -> None:
    command = f"echo harmless # {'a note. ' * 1000}\necho harm > a.txt"
    lines = [Line(calls=(shell(command),)), submit()]
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))
    person = Person("decline")
    async with open_stage(tmp_path, model) as stage:
        async with connected(stage.product, era) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT, approval="destructive"))["task_id"]
            await when(stage.product, task_id, QuestionAsked)
            result = await desk.call("get_task", task_id=task_id)
            assert result.structured_content is not None
            (question,) = result.structured_content["questions"]
            assert json.loads(question["summary"])["command"] == command
            assert question["summary"] in text_of(result)
            await desk.data("cancel_task", task_id=task_id)
        async with connected(stage.product, era, asked=person) as desk:
            await desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True)
    (asked,) = person.asked
    assert "echo harmless" in asked
    assert "echo harm > a.txt" in asked
    assert "characters left out" in asked
    assert len(asked) < 5000


@pytest.mark.parametrize("era", ERAS)
async def test_a_question_is_seen_and_answered_where_the_client_cannot_be_asked(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, careful(), era) as desk:
        waiting = asyncio.create_task(desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True))
        task_id = await the_task(desk)
        await when(desk.product, task_id, QuestionAsked)
        result = await desk.call("get_task", task_id=task_id)
        assert result.structured_content is not None
        (question,) = result.structured_content["questions"]
        assert (question["tool"], question["actor"]) == ("shell", "code specialist")
        assert "question_id 'code:1:1:1'" in text_of(result)
        unknown = await desk.refused("answer_question", task_id=task_id, question_id="x", approve=True)
        assert "waits for no such answer" in unknown
        state = await desk.data("answer_question", task_id=task_id, question_id=question["question_id"], approve=True)
        assert state["questions"] == []
        again = await desk.refused(
            "answer_question", task_id=task_id, question_id=question["question_id"], approve=False
        )
        assert "waits for no such answer" in again
        assert (await waiting)["status"] == "unchecked"
        late = await desk.refused("approve_step", task_id=task_id, question_id=question["question_id"], approve=True)
        assert "asks nothing now" in late


async def test_only_the_question_that_somebody_saw_is_approved_and_only_in_so_many_words(tmp_path: Path) -> None:
    lines = [Line(calls=(shell("echo harmless"),)), Line(calls=(shell("echo harm > a.txt"),)), submit()]
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=lines)))
    async with open_desk(tmp_path, model) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, approval="destructive"))["task_id"]
        await question_after(desk, task_id, 0)
        seen = {"task_id": task_id, "question_id": "code:1:1:1"}
        for incomplete in ({"task_id": task_id, "approve": True}, seen):
            assert "required" in (await desk.refused("approve_step", **incomplete)).lower()
        await desk.data("approve_step", **seen, approve=True)
        await question_after(desk, task_id, 1)
        assert "asks something else now" in await desk.refused("approve_step", **seen, approve=True)
        await desk.data("approve_step", task_id=task_id, question_id="code:1:1:2", approve=False)
        await when(desk.product, task_id, TaskFinished)
        assert (await desk.data("get_patch", task_id=task_id))["paths"] == []


async def test_no_client_answers_by_itself(tmp_path: Path) -> None:
    async with open_desk(tmp_path, careful()) as desk:
        tools = {tool.name: tool for tool in (await desk.client.list_tools()).tools}
        for name in ("answer_question", "approve_step"):
            annotations = tools[name].annotations
            assert annotations is not None
            assert annotations.destructive_hint


async def test_of_several_things_one_has_to_be_named(tmp_path: Path) -> None:
    parts = [part(CODE, f"Do the work of {name}.", lines=[Line(calls=(shell("ls"),)), submit()]) for name in "ab"]
    async with open_desk(tmp_path, ScriptedProvider((planned(node("a"), node("b")), *parts))) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, approval="destructive"))["task_id"]
        asked = 0
        async for event in desk.product.tasks.follow(ME, task_id):
            asked += isinstance(event.fact, QuestionAsked)
            if asked == 2:
                break
        several = await desk.refused("approve_step", task_id=task_id, question_id="a:1:1:1", approve=True)
        assert "asks 2 things" in several


@pytest.mark.parametrize("era", ERAS)
async def test_several_questions_are_put_one_after_the_other_or_together(era: str, tmp_path: Path) -> None:
    parts = [
        part(
            "You are the code specialist",
            f"Do the work of {name}.",
            lines=[Line(calls=(shell(f"touch {name}"),)), submit()],
        )
        for name in ("a", "b", "c")
    ]
    person = Person("accept", approve=True)
    model = ScriptedProvider((planned(*map(node, "abc")), *parts))
    async with open_desk(tmp_path, model, era, person) as desk:
        state = await desk.data("run_task", prompt=PROMPT, approval="always", wait=True)
        assert (await desk.data("get_patch", task_id=state["task_id"]))["paths"] == ["a", "b", "c"]
        # A shell and a submit each.
        assert len(person.asked) == 6
        assert len(set(person.asked)) == 4


async def test_a_client_that_would_be_asked_too_often_is_told_to_answer_by_itself(tmp_path: Path) -> None:
    calls = [Line(calls=(shell(f"touch {number}"),)) for number in range(MOST_ROUNDS + 3)]
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[*calls, submit()])))
    person = Person("accept", approve=True)
    async with open_desk(tmp_path, model, "auto", person) as desk:
        state = await desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True)
        assert len(person.asked) == MOST_ROUNDS
        assert (state["status"], len(state["questions"])) == ("running", 1)


@pytest.mark.parametrize("era", ERAS)
async def test_a_client_that_cannot_ask_after_all_leaves_the_question_open(era: str, tmp_path: Path) -> None:
    asked = asyncio.Event()

    async def broken(params: types.ElicitRequestParams) -> types.ElicitResult | types.ErrorData:
        del params
        asked.set()
        return types.ErrorData(code=types.INTERNAL_ERROR, message="no window")

    async with open_desk(tmp_path, careful(), era, broken) as desk:
        waiting = asyncio.create_task(desk.call("run_task", prompt=PROMPT, approval="destructive", wait=True))
        task_id = await the_task(desk)
        await when(desk.product, task_id, QuestionAsked)
        # Before it, somebody else's answer would spare the client the question.
        await asked.wait()
        await desk.data("approve_step", task_id=task_id, question_id="code:1:1:1", approve=True)
        await when(desk.product, task_id, TaskFinished)
        if era == "legacy":
            assert not (await waiting).is_error
        else:
            with pytest.raises(MCPError, match="no window"):
                await waiting


async def test_a_question_that_somebody_else_answers_is_taken_back_from_the_client(tmp_path: Path) -> None:
    sleeper = Sleeper()
    model = ScriptedProvider((planned(node("code")), part(CODE, lines=[HANG])))
    async with open_desk(tmp_path, model, "legacy", sleeper) as desk:
        waiting = asyncio.create_task(desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True))
        async with asyncio.timeout(60), connected(desk.product) as other:
            await sleeper.asked.wait()
            task_id = await the_task(desk)
            await other.data("approve_step", task_id=task_id, question_id="code:1:1:1", approve=True)
            await sleeper.released.wait()
            await other.data("cancel_task", task_id=task_id)
        assert (await waiting)["status"] == "cancelled"


@pytest.mark.parametrize("era", ERAS)
async def test_a_request_that_is_cancelled_cancels_its_task(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow(), era) as desk:
        waiting = asyncio.create_task(desk.call("run_task", prompt=PROMPT, wait=True))
        task_id = await the_task(desk)
        await when(desk.product, task_id, SnapshotMade)
        waiting.cancel()
        await asyncio.wait({waiting})
        finished: TaskFinished = await when(desk.product, task_id, TaskFinished)
        assert finished.result.status is TaskStatus.CANCELLED
        assert finished.result.reason == "local in an IDE went away while waiting for it"
        assert (await desk.data("get_patch", task_id=task_id))["paths"] == ["a.txt"]


@pytest.mark.parametrize("era", ERAS)
@pytest.mark.parametrize("asked", [None, Sleeper], ids=["at work", "while it is asked"])
async def test_a_client_that_vanishes_while_it_waits_takes_its_task_along_where_it_cannot_come_back(
    era: str, asked: Callable[[], Sleeper] | None, tmp_path: Path
) -> None:
    async with open_stage(tmp_path, slow() if asked is None else careful()) as stage:
        sleeper = asked() if asked is not None else None
        async with connected(stage.product, era, asked=sleeper) as desk:
            policy = "auto" if sleeper is None else "destructive"
            waiting = asyncio.create_task(desk.call("run_task", prompt=PROMPT, approval=policy, wait=True))
            task_id = await the_task(desk)
            await when(stage.product, task_id, SnapshotMade if sleeper is None else QuestionAsked)
            if sleeper is not None:
                await sleeper.asked.wait()
            if era == "auto":
                # In this era a client in the same process leaves by ending its call.
                waiting.cancel()
        await asyncio.wait({waiting})
        view = await stage.product.tasks.get(ME, task_id)
        if era == "legacy" or sleeper is not None:
            # A connection may come back, or the request was answered with the question, so that nobody waits.
            open_ones = 0 if sleeper is None else 1
            assert (view.summary.status, len(view.questions)) == (TaskStatus.RUNNING, open_ones)
        else:
            finished: TaskFinished = await when(stage.product, task_id, TaskFinished)
            assert finished.result.status is TaskStatus.CANCELLED


@pytest.mark.parametrize("era", ERAS)
async def test_a_task_can_be_cancelled_while_a_question_is_open(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, careful(), era) as desk:
        waiting = asyncio.create_task(desk.data("run_task", prompt=PROMPT, approval="destructive", wait=True))
        task_id = await the_task(desk)
        await when(desk.product, task_id, QuestionAsked)
        state = await desk.data("cancel_task", task_id=task_id)
        assert (state["status"], state["questions"]) == ("cancelled", [])
        assert (await waiting)["status"] == "cancelled"
        late = await desk.refused("approve_step", task_id=task_id, question_id="code:1:1:1", approve=True)
        assert "asks nothing" in late
