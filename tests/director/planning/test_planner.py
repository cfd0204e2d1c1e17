"""Turning a request into a plan."""

import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.settings import Settings
from app.store import open_store
from director.planning.plan_reading import read_plan, settled, without_tests
from director.planning.planner import Planned, make_plan, plan_schema, prompt
from domain.errors import ModelRequestRejected
from domain.files import File
from domain.ledger import Scope
from domain.plan import Plan
from domain.strategy import Planning, Strategy
from domain.task import TaskSpec
from domain.task_kind import TaskKind
from gateway.scripted import Line, Scene, ScriptedProvider
from tests.director.stage import STUB, node
from tests.gateway.house import single

PLAN: dict[str, Any] = {
    "kind": "new_code",
    "files": [STUB],
    "subtasks": [node("tests", "test"), node("code", needs=["tests"])],
}
TEXT = json.dumps(PLAN)
SPEC = TaskSpec(id="t", prompt="Add numbers.", model="m", base_commit="c", strategy=Strategy(planning=Planning.ALWAYS))
BAD = {
    "no json": "I would first write tests.",
    "no subtasks": json.dumps({"kind": "new_code", "subtasks": []}),
    "unknown kind": json.dumps({"kind": "magic", "subtasks": [node("a")]}),
    "unknown role": json.dumps({"kind": "fix", "subtasks": [node("a", "painter")]}),
    "unknown need": json.dumps({"kind": "fix", "subtasks": [node("a", needs=["b"])]}),
    "cycle": json.dumps({"kind": "fix", "subtasks": [node("a", needs=["b"]), node("b", needs=["a"])]}),
    "need of itself": json.dumps({"kind": "fix", "subtasks": [node("a", needs=["a"])]}),
    "same id twice": json.dumps({"kind": "fix", "subtasks": [node("a"), node("a")]}),
    "bad id": json.dumps({"kind": "fix", "subtasks": [node("../a")]}),
    "bad path": json.dumps({**PLAN, "files": [{"path": "../calc.py"}]}),
    "list": "[1, 2]",
}


@contextlib.asynccontextmanager
async def planning(folder: Path) -> AsyncIterator[Any]:
    async with open_store(Settings(soundstage_home=folder)) as store:
        await store.ledger.open(Scope(id="task:t"))

        async def plan(model: ScriptedProvider, spec: TaskSpec = SPEC) -> Planned:
            return await make_plan(single(model, store.ledger), spec, "task:t", {"a.py": File()})

        yield plan


def says(*texts: str) -> ScriptedProvider:
    """A model that answers so, in turn; a planner's conversation never holds its own replies."""
    refused = [Scene(when=("That was no valid plan",), lines=(Line(text=texts[-1]),))] if len(texts) > 1 else []
    return ScriptedProvider((*refused, Scene(when=(), lines=(Line(text=texts[0]),))))


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        f"```json\n{TEXT}\n```",
        f"Here is the plan:\n\n{TEXT}\n\nI hope that it helps.",
        TEXT.replace('"needs": []', '"needs": [],'),
        json.dumps({"reasoning": "First tests.", **PLAN, "subtasks": [{**n, "why": "x"} for n in PLAN["subtasks"]]}),
    ],
    ids=["plain", "fenced", "in prose", "trailing comma", "more fields"],
)
def test_a_plan_is_read_however_it_is_wrapped(text: str) -> None:
    assert read_plan(text) == Plan.model_validate(PLAN)


@pytest.mark.parametrize("text", BAD.values(), ids=BAD)
def test_what_is_no_plan_is_refused_with_the_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w{3}"):
        read_plan(text)


VALUES = st.none() | st.text(max_size=5) | st.integers() | st.lists(st.text(max_size=3), max_size=2)
NODES = st.fixed_dictionaries({}, optional={"id": VALUES, "role": VALUES, "goal": VALUES, "needs": VALUES})
PLANS = st.fixed_dictionaries(
    {}, optional={"kind": VALUES | st.just("fix"), "subtasks": VALUES | st.lists(NODES | VALUES), "files": VALUES}
)


@given(st.text() | PLANS.map(json.dumps) | st.text().map(lambda text: f"{{{text}}}"))
def test_any_answer_is_a_plan_or_is_refused_as_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        read_plan(text)


@given(st.lists(st.tuples(st.sampled_from(["test", "code"]), st.lists(st.integers(0, 5), max_size=3)), min_size=1))
def test_tests_come_before_all_other_work_where_the_plan_allows_it(shape: list[tuple[str, list[int]]]) -> None:
    # Each node needs only nodes before it, so there is no circle.
    nodes = [
        node(f"n{at}", role, needs=sorted({f"n{need}" for need in needs if need < at}))
        for at, (role, needs) in enumerate(shape[:32])
    ]
    plan = read_plan(json.dumps({"kind": "fix", "subtasks": nodes}))
    assert {subtask.id for subtask in plan.subtasks} == {entry["id"] for entry in nodes}
    for subtask, entry in zip(plan.subtasks, nodes, strict=True):
        assert set(entry["needs"]) <= set(subtask.needs)
        if not any(need for entry in nodes for need in entry["needs"]):
            tests = {other.id for other in plan.subtasks if other.role == "test"}
            assert set(subtask.needs) == (tests if subtask.role == "code" else set())


async def test_a_valid_answer_is_the_plan(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        model = says(TEXT)
        planned = await plan(model)
        assert (planned.plan, planned.fallback, len(planned.calls)) == (Plan.model_validate(PLAN), "", 1)
        (request,) = model.requests
        assert request.json_schema is not None
        assert "Add numbers." in request.messages[1].content
        assert "a.py" in request.messages[1].content


async def test_a_garbled_answer_goes_back_once_with_what_is_wrong(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        model = says(BAD["cycle"], TEXT)
        planned = await plan(model)
        assert planned.fallback == ""
        assert "in a circle" in model.requests[1].messages[-1].content


async def test_garbage_twice_becomes_one_node_with_the_reason(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        planned = await plan(says(BAD["no json"], BAD["unknown role"]))
        (only,) = planned.plan.subtasks
        assert (only.role, only.goal) == ("code", "Add numbers.")
        assert "no roles ['painter']" in planned.fallback
        assert len(planned.calls) == 2


async def test_a_server_that_takes_no_schema_is_asked_without_one(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        model = ScriptedProvider(
            (Scene(when=(), lines=(Line(text=TEXT),)),), faults=[ModelRequestRejected("no schema")]
        )
        assert (await plan(model)).fallback == ""
        assert [request.json_schema is None for request in model.requests] == [False, True]


async def test_a_server_that_refuses_twice_leaves_one_node(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        faults = [ModelRequestRejected("no schema"), ModelRequestRejected("not at all")]
        planned = await plan(ScriptedProvider((), faults=faults))
        assert planned.fallback == "not at all"
        assert len(planned.plan.subtasks) == 1


async def test_the_planner_is_told_of_tests_that_are_there(tmp_path: Path) -> None:
    async with planning(tmp_path) as plan:
        for change in ({"protected_paths": ("tests/test_a.py",)}, {"test_command": "make test"}):
            model = says(TEXT)
            await plan(model, SPEC.model_copy(update=change))
            assert "Plan no test subtask" in model.requests[0].messages[1].content


def test_a_plan_without_tests_keeps_the_rest_of_its_order() -> None:
    plan = read_plan(json.dumps({**PLAN, "subtasks": [*PLAN["subtasks"], node("docs", needs=["code"])]}))
    assert without_tests(plan).graph() == {"code": (), "docs": ("code",)}
    only_tests = read_plan(json.dumps({"kind": "add_tests", "subtasks": [node("tests", "test")]}))
    assert without_tests(only_tests) == only_tests


def test_details_of_a_subtask_that_are_no_good_are_left_out_and_the_rest_is_kept() -> None:
    good = {**node("code"), "inputs": ["a.py"], "acceptance": {"tests": ["test_a.py"], "why": "x"}, "share": 0.5}
    bad = {**node("more"), "inputs": "a.py", "acceptance": {"commands": [1]}, "share": 7, "artifacts": None}
    kept, trimmed = read_plan(json.dumps({**PLAN, "subtasks": [good, bad]})).subtasks
    assert (kept.inputs, kept.acceptance.tests, kept.share) == (("a.py",), ("test_a.py",), 0.5)
    assert (trimmed.inputs, bool(trimmed.acceptance), trimmed.share, trimmed.artifacts) == ((), False, None, ())


@pytest.mark.parametrize(
    ("request_text", "kind"), [("Fix add.", TaskKind.FIX), ("calculator", TaskKind.REFACTOR)], ids=["clear", "open"]
)
def test_a_models_word_on_the_kind_counts_where_the_request_leaves_it_open(request_text: str, kind: TaskKind) -> None:
    said = Plan.model_validate({**PLAN, "kind": "refactor"})
    plan = settled(said, SPEC.model_copy(update={"prompt": request_text}), {"a.py": File()})
    assert plan.kind is kind


def test_the_schema_asks_for_thoughts_first_which_are_no_part_of_the_plan() -> None:
    properties = plan_schema()["properties"]
    assert isinstance(properties, dict)
    assert next(iter(properties)) == "thoughts"
    assert read_plan(json.dumps({"thoughts": "Hm.", **PLAN})) == Plan.model_validate(PLAN)
    assert '"thoughts"' in prompt()
    assert "{roles}" not in prompt()
