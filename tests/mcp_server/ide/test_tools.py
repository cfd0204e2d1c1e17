"""Submitting and steering tasks through MCP, in both eras of the protocol."""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.audit import AuditVerdict
from domain.events import QuestionAsked, SnapshotMade
from domain.task import MAX_PROMPT_BYTES
from gateway.scripted import Line, ScriptedProvider
from mcp_server.caller import Permission
from mcp_server.ide import IDE_TOOLS
from tests.app.test_task_desk import careful, quick, slow, when
from tests.director.stage import RIGHT, TESTS, WRONG, node, open_stage, part, planned, submit, write
from tests.mcp_server.ide.front_desk import ERAS, ME, Told, connected, open_desk, text_of, who

PROMPT = "Write the module calc."
NOWHERE = "0" * 12


@pytest.mark.parametrize("era", ERAS)
async def test_a_person_sees_the_tools_for_people_with_schemas_and_annotations(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        listed = {tool.name: tool for tool in (await desk.client.list_tools()).tools}
        assert sorted(listed) == sorted(tool.name for tool in IDE_TOOLS)
        for tool in listed.values():
            assert tool.output_schema is not None
            assert tool.annotations is not None
            assert tool.annotations.read_only_hint is (tool.name.startswith(("get_", "list_")))
        annotations = listed["cancel_task"].annotations
        assert annotations is not None
        assert annotations.destructive_hint is True
        assert await desk.refused("shell", command="ls")
        assert desk.client.server_capabilities.tools is not None
        assert desk.client.server_capabilities.tools.list_changed


def test_the_examples_of_the_tools_are_valid_arguments() -> None:
    for tool in IDE_TOOLS:
        tool.arguments.model_validate(tool.example)


@pytest.mark.parametrize("era", ERAS)
async def test_who_waits_hears_how_the_task_gets_on_and_gets_its_end(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick(), era) as desk:
        told = Told()
        result = await desk.call("run_task", told, prompt=PROMPT, wait=True, files={"base.txt": "0\n"})
        assert not result.is_error
        state = result.structured_content
        assert state is not None
        assert (state["status"], state["step"], state["cost_usd"]) == ("unchecked", "ended", "0.000000000")
        assert [(one["id"], one["state"]) for one in state["subtasks"]] == [("code", "submitted")]
        assert "get_patch" in text_of(result)
        assert told.progress == sorted(set(told.progress))
        order = ["plan (new_code): code (code)", "code: the code specialist begins", "write_file ✓", "submitted: done"]
        places = [next(at for at, line in enumerate(told.messages) if mark in line) for mark in order]
        assert places == sorted(places)
        assert "tokens, $0.0000]" in told.messages[-1]


@pytest.mark.parametrize("era", ERAS)
async def test_who_does_not_wait_gets_the_id_at_once_and_looks_later(era: str, tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow(), era) as desk:
        state = await desk.data("run_task", prompt=PROMPT)
        assert state["status"] in {"submitted", "running"}
        await when(desk.product, state["task_id"], SnapshotMade)
        running = await desk.data("get_task", task_id=state["task_id"])
        assert (running["status"], running["step"]) == ("running", "code specialist: Do the work of code.")
        ended = await desk.data("cancel_task", task_id=state["task_id"])
        assert (ended["status"], ended["reason"]) == ("cancelled", "local in an IDE cancelled it")
        assert await desk.data("cancel_task", task_id=state["task_id"]) == ended
        assert "a.txt" in (await desk.data("get_patch", task_id=state["task_id"]))["paths"]


async def test_tests_that_are_given_are_protected_and_prove_the_work(tmp_path: Path) -> None:
    lines = [
        Line(calls=(write("calc.py", RIGHT), write("tests/test_calc.py", ""))),
        Line(calls=(("submit", '{"summary": "x"}'),)),
    ]
    model = ScriptedProvider((planned(node("code")), part("You are the code specialist", lines=lines)))
    async with open_desk(tmp_path, model) as desk:
        files = {"calc.py": WRONG, "tests/test_calc.py": TESTS}
        state = await desk.data("run_task", prompt=PROMPT, files=files, tests=["tests/test_calc.py"], wait=True)
        assert (state["status"], state["grade"]) == ("solved", "proven")
        assert "1 passed" in state["evidence"]
        page = await desk.data("get_evidence", task_id=state["task_id"])
        assert page["found"]["passed"]
        assert page["found"]["failed_first"]
        assert [test["outcome"] for test in page["tests"]] == ["passed"]
        assert page["next_offset"] is None
        assert (await desk.data("get_patch", task_id=state["task_id"]))["paths"] == ["calc.py"]


async def test_a_patch_comes_in_pieces_that_make_it_up_exactly(tmp_path: Path) -> None:
    lines = [Line(calls=(write("a.txt", "é\x1b[31m\r\n" * 200),)), submit()]
    model = ScriptedProvider((planned(node("code")), part("You are the code specialist", lines=lines)))
    async with open_desk(tmp_path, model) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
        pieces = ""
        offset: int | None = 0
        while offset is not None:
            result = await desk.call("get_patch", task_id=task_id, offset=offset, limit=333)
            assert "\x1b" not in text_of(result)
            page = result.structured_content
            assert page is not None
            assert page["exact"]
            pieces, offset = pieces + page["patch"], page["next_offset"]
        whole = (await desk.product.tasks.patch(ME, task_id)).content
        assert pieces.encode() == whole
        assert "\x1b[31m\r" in pieces
        beyond = await desk.data("get_patch", task_id=task_id, offset=10**9)
        assert (beyond["patch"], beyond["next_offset"]) == ("", None)


async def test_tasks_are_listed_page_by_page_and_by_status(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        assert (await desk.data("list_tasks")) == {"tasks": [], "next_cursor": None}
        made = [(await desk.data("run_task", prompt=f"{PROMPT} {n}", wait=True))["task_id"] for n in range(3)]
        first = await desk.data("list_tasks", limit=2)
        second = await desk.data("list_tasks", limit=2, cursor=first["next_cursor"])
        assert [task["task_id"] for task in (*first["tasks"], *second["tasks"])] == made[::-1]
        assert second["next_cursor"] is None
        assert (await desk.data("list_tasks", status="running"))["tasks"] == []
        assert "leads nowhere" in await desk.refused("list_tasks", cursor=NOWHERE)


async def test_costs_are_shown_to_those_who_may_see_them_and_nowhere_to_others(tmp_path: Path) -> None:
    async with open_stage(tmp_path, quick()) as stage:
        async with connected(stage.product) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
            table = await desk.data("get_costs", task_id=task_id, by="purpose")
            assert [line["key"] for line in table["lines"]] == ["step", "plan"]
            assert table["total_usd"] == "0.000000000"
        poor = who(permissions=frozenset({Permission.SEE_TASKS, Permission.STEER_TASKS}))
        async with connected(stage.product, caller=poor) as desk:
            assert "get_costs is not for your role" in (await desk.refused("get_costs", task_id=task_id)).replace(
                "'", ""
            )
            told = Told()
            result = await desk.call("run_task", told, prompt=PROMPT, wait=True)
            shown = [json.dumps(result.structured_content), text_of(result), *told.messages]
            shown.append(json.dumps(await desk.data("list_tasks")))
            for uri in (f"task://{task_id}", f"task://{task_id}/events"):
                shown.append((await desk.client.read_resource(uri)).model_dump_json())
            assert not [text for text in shown if "$" in text or "0.000" in text or '"cost": ' in text]


async def test_who_may_only_look_can_steer_nothing(tmp_path: Path) -> None:
    async with open_stage(tmp_path, slow()) as stage:
        async with connected(stage.product) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        async with connected(stage.product, caller=who(permissions=frozenset({Permission.SEE_TASKS}))) as desk:
            names = [tool.name for tool in (await desk.client.list_tools()).tools]
            assert names == ["get_evidence", "get_patch", "get_task", "list_tasks"]
            for name, more in (("run_task", {"prompt": PROMPT}), ("cancel_task", {"task_id": task_id})):
                assert "not for your role" in await desk.refused(name, **more)
            assert (await desk.data("get_task", task_id=task_id))["status"] != "cancelled"


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_task", {}),
    ("cancel_task", {}),
    ("answer_question", {"question_id": "code:1:1:1", "approve": True}),
    ("approve_step", {"question_id": "code:1:1:1", "approve": True}),
    ("get_patch", {}),
    ("get_evidence", {}),
    ("get_costs", {}),
]


@pytest.mark.parametrize("era", ERAS)
async def test_the_task_of_somebody_else_is_answered_as_one_that_there_is_not(era: str, tmp_path: Path) -> None:
    async with open_stage(tmp_path, careful()) as stage:
        async with connected(stage.product, era, who("ann")) as desk:
            task_id = (await desk.data("run_task", prompt=PROMPT, approval="always"))["task_id"]
        async with connected(stage.product, era, who("bob")) as desk:
            for name, more in CALLS:
                said = [
                    (await desk.refused(name, task_id=task, **more)).replace(task, "ID") for task in (task_id, NOWHERE)
                ]
                assert said[0] == said[1]
                assert "There is no task" in said[0]
            assert (await desk.data("list_tasks"))["tasks"] == []
        assert (await stage.product.tasks.get("ann", task_id)).result is None


WRONG_ORDERS: list[tuple[dict[str, Any], str]] = [
    ({"prompt": ""}, "the prompt is empty"),
    ({"prompt": "x" * (MAX_PROMPT_BYTES + 1)}, "longer than 256 KiB"),
    ({"prompt": 1}, "prompt: "),
    ({}, "prompt: Field required"),
    ({"limits": {"max_tokens": 0}}, "limits.max_tokens: "),
    ({"limits": {"wall_clock_s": 1e9}}, "limits.wall_clock_s: "),
    ({"limits": {"budget_usd": -1}}, "limits.budget_usd: "),
    ({"limits": {"budget_usd": "NaN"}}, "limits.budget_usd: "),
    ({"limits": {"speed": 1}}, "limits.speed: "),
    ({"files": {"../a": ""}}, "leaves the workspace"),
    ({"files": {".git/config": ""}}, "version control"),
    ({"files": {"a": "x" * (2**20 + 1)}}, "larger than 1 MiB"),
    ({"files": {f"{n}": "x" * 2**20 for n in range(9)}}, "larger than 8 MiB together"),
    ({"files": {f"{n}": "" for n in range(501)}}, "files: "),
    ({"files": {"a": "", "a/b": ""}}, "a is a file, and a/b needs it to be a folder"),
    ({"tests": ["tests/test_a.py"]}, "no such files to protect"),
    ({"model": "cheapest:,"}, "names no models"),
    ({"approval": "never"}, "approval: "),
    ({"folder": "/"}, "Folders cannot be read here"),
    ({"surprise": 1}, "surprise: Extra inputs"),
]


@pytest.mark.parametrize(("wrong", "problem"), WRONG_ORDERS, ids=[str(wrong)[:40] for wrong, _ in WRONG_ORDERS])
async def test_what_cannot_be_done_is_answered_with_what_is_wrong_and_nothing_is_stored(
    wrong: dict[str, Any], problem: str, tmp_path: Path
) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        arguments = {"prompt": PROMPT, **wrong} if wrong else {}
        said = await desk.refused("run_task", **arguments)
        assert problem in said
        assert len(said) < 5000
        assert (await desk.data("list_tasks"))["tasks"] == []


async def test_whatever_is_answered_is_in_the_audit_log_with_the_task_that_it_was_about(tmp_path: Path) -> None:
    async with open_desk(tmp_path, quick()) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT, wait=True))["task_id"]
        await desk.refused("get_task", task_id="\x1b[31m" + "x" * 50)
        await desk.data("list_tasks")
        await desk.client.read_resource(f"task://{task_id}")
        await desk.client.list_resources()
        await desk.client.get_prompt("review-diff", {"task_id": task_id})
        async with desk.client.listen(resource_subscriptions=[f"task://{task_id}", "task://none"]):
            pass
        await desk.product.store.log.read(task_id)
        await desk.product.store.ledger.spending("x")
        entries = [record.entry for record in await desk.product.store.audit.read()]
        made = [(entry.tool, entry.task_id, entry.verdict) for entry in entries if entry.actor == "local in an IDE"]
        assert made == [
            ("run_task", task_id, AuditVerdict.DONE),
            ("get_task", "x" * 50, AuditVerdict.FAILED),
            ("list_tasks", "", AuditVerdict.DONE),
            ("resources/read", task_id, AuditVerdict.DONE),
            ("resources/list", "", AuditVerdict.DONE),
            ("prompts/get", task_id, AuditVerdict.DONE),
            ("subscriptions/listen", task_id, AuditVerdict.DONE),
            ("subscriptions/listen", "none", AuditVerdict.REFUSED),
        ]
        assert [entry.tool for entry in entries if entry.actor == "code specialist"] == ["write_file", "submit"]


async def test_every_answer_fits_the_schema_that_its_tool_promises(tmp_path: Path) -> None:
    """The client checks each answer against the schemas that it has listed."""
    async with open_desk(tmp_path, careful()) as desk:
        await desk.client.list_tools()
        task_id = (await desk.data("run_task", prompt=PROMPT, approval="destructive"))["task_id"]
        question: QuestionAsked = await when(desk.product, task_id, QuestionAsked)
        calls: list[tuple[str, dict[str, Any]]] = [
            ("get_task", {"task_id": task_id}),
            ("answer_question", {"task_id": task_id, "question_id": question.question_id, "approve": True}),
            ("list_tasks", {}),
            ("get_patch", {"task_id": task_id}),
            ("get_evidence", {"task_id": task_id}),
            ("get_costs", {"task_id": task_id}),
            ("cancel_task", {"task_id": task_id}),
        ]
        for name, arguments in calls:
            assert await desk.data(name, **arguments)


async def test_many_look_at_once_while_a_task_runs(tmp_path: Path) -> None:
    async with open_desk(tmp_path, slow()) as desk:
        task_id = (await desk.data("run_task", prompt=PROMPT))["task_id"]
        await when(desk.product, task_id, SnapshotMade)
        states = await asyncio.gather(*(desk.data("get_task", task_id=task_id) for _ in range(50)))
        assert {state["status"] for state in states} == {"running"}


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
KEYS = [
    "task_id", "question_id", "approve", "note", "offset", "limit", "cursor", "status", "by", "prompt", "files",
    "folder", "tests", "model", "limits", "approval", "install", "test_command",
]  # fmt: skip
TEXTS = st.text(max_size=64) | st.just("task-1")
LIKELY = {
    "question_id": TEXTS, "approve": st.booleans(), "offset": st.integers(0, 2**80), "prompt": TEXTS,
    "limit": st.integers(1, 100), "cursor": TEXTS, "files": st.dictionaries(TEXTS, TEXTS, max_size=3),
}  # fmt: skip
NAMES = st.sampled_from([tool.name for tool in IDE_TOOLS]) | st.text(max_size=20)
ARGUMENTS = st.one_of(
    st.dictionaries(st.sampled_from(KEYS), JSON, max_size=4),
    st.fixed_dictionaries({"task_id": TEXTS}, optional=LIKELY),
    st.fixed_dictionaries(
        {"prompt": TEXTS}, optional={"files": LIKELY["files"], "model": TEXTS, "test_command": TEXTS}
    ),
)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(st.tuples(NAMES, ARGUMENTS), max_size=30))
def test_any_call_with_any_arguments_gets_an_answer(calls: list[tuple[str, dict[str, Any]]]) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with open_desk(Path(folder), quick()) as desk:
                for name, arguments in calls:
                    result = await desk.client.call_tool(name, arguments)
                    assert text_of(result)
                    assert text_of(result).encode()
                assert (await desk.data("list_tasks"))["next_cursor"] is None

    asyncio.run(play())
