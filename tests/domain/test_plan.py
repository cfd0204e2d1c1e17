import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.plan import Plan, StubFile, Subtask
from domain.task_kind import TaskKind

MOST = 32
Graph = list[frozenset[int]]
"""Node number -> the numbers that it needs."""


def plan(graph: Graph, order: list[int] | None = None) -> Plan:
    subtasks = [
        Subtask(id=f"n{number}", role="code", goal="work", needs=tuple(f"n{need}" for need in needs))
        for number, needs in enumerate(graph)
    ]
    return Plan(kind=TaskKind.NEW_CODE, subtasks=tuple(subtasks[number] for number in order or range(len(graph))))


@st.composite
def acyclic(draw: st.DrawFn, least: int = 1) -> Graph:
    """A graph in which every node needs only nodes below it."""
    size = draw(st.integers(min_value=least, max_value=MOST))
    return [frozenset(), *(draw(st.frozensets(st.integers(0, top - 1), max_size=3)) for top in range(1, size))]


@settings(deadline=None)
@given(st.data())
def test_every_acyclic_graph_is_a_plan_in_whatever_order_it_is_told(data: st.DataObject) -> None:
    graph = data.draw(acyclic())
    order = data.draw(st.permutations(range(len(graph))))

    made = plan(graph, list(order))

    assert made.graph() == {f"n{number}": tuple(f"n{need}" for need in needs) for number, needs in enumerate(graph)}
    assert all(made.subtask(subtask.id) is subtask for subtask in made.subtasks)
    assert Plan.model_validate_json(made.model_dump_json()) == made


@settings(deadline=None)
@given(st.data())
def test_a_graph_with_a_circle_of_any_length_is_no_plan(data: st.DataObject) -> None:
    graph = data.draw(acyclic())
    circle = data.draw(st.lists(st.integers(0, len(graph) - 1), min_size=1, max_size=6, unique=True))
    for number, following in zip(circle, [*circle[1:], circle[0]], strict=True):
        graph[number] |= {following}

    with pytest.raises(ValidationError, match="in a circle"):
        plan(graph)


@settings(deadline=None)
@given(acyclic(), st.data())
def test_a_need_that_the_plan_does_not_have_is_refused_by_name(graph: Graph, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, len(graph) - 1))
    graph[number] |= {MOST + 1}

    with pytest.raises(ValidationError, match=rf"n{number} needs \['n{MOST + 1}'\]"):
        plan(graph)


@settings(deadline=None)
@given(acyclic(least=2), st.data())
def test_two_subtasks_of_the_same_id_are_refused(graph: Graph, data: st.DataObject) -> None:
    order = list(range(len(graph) - 1))
    twice = data.draw(st.sampled_from(order))

    with pytest.raises(ValidationError, match="the same id"):
        plan([frozenset()] * len(graph), [*order, twice])


def test_a_plan_has_at_least_one_subtask_and_at_most_32() -> None:
    assert len(plan([frozenset()] * MOST).subtasks) == MOST
    for size in (0, MOST + 1):
        with pytest.raises(ValidationError):
            plan([frozenset()] * size)


@pytest.mark.parametrize("wrong", ["", "A", "a b", "-a", "a" * 41, "a\n", "a/b"])
def test_the_id_of_a_subtask_can_be_part_of_a_branch_name(wrong: str) -> None:
    with pytest.raises(ValidationError):
        Subtask(id=wrong, role="code", goal="work")


def test_a_subtask_that_is_not_there_is_a_key_error() -> None:
    with pytest.raises(KeyError, match="n9"):
        plan([frozenset()]).subtask("n9")


def test_the_path_of_a_stub_is_plain_and_stays_inside() -> None:
    assert StubFile(path="./src/a.py").path == "src/a.py"
    for wrong in ("../a.py", "/a.py", ".git/hooks/x", "a//b", ""):
        with pytest.raises(ValidationError):
            StubFile(path=wrong)
