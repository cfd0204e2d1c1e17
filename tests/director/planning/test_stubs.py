"""Files with the planned names and signatures, on which tests can be seen to fail."""

import ast
import inspect
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.planning.stubs import stub, stub_files
from domain.files import File
from domain.plan import StubFile

PIECES = st.sampled_from(
    ["def ", "class ", "async ", "f", "A", ".", "(", ")", "self", ", ", "x", ": int", " = 1", " -> int", ":", "\n", "*"]
)
SIGNATURES = st.lists(st.text(max_size=30) | st.lists(PIECES, max_size=12).map("".join), max_size=5)


def module(*signatures: str) -> dict[str, Any]:
    """What importing the stub gives."""
    names: dict[str, Any] = {}
    source = stub(StubFile(path="a.py", signatures=signatures))
    exec(compile(source, "a.py", "exec"), names)
    return names


@given(SIGNATURES)
def test_a_stub_always_compiles(signatures: list[str]) -> None:
    source = stub(StubFile(path="a.py", signatures=tuple(signatures)))
    ast.parse(source)
    compile(source, "a.py", "exec")


async def test_functions_and_methods_are_there_and_raise_not_implemented() -> None:
    names = module("def add(a: int, b: int = 2) -> int", "async def fetch(url: str) -> bytes", "class Stack")
    assert str(inspect.signature(names["add"])) == "(a: 'int', b: 'int' = 2) -> 'int'"
    with pytest.raises(NotImplementedError):
        names["add"](1)
    with pytest.raises(NotImplementedError):
        await names["fetch"]("x")
    with pytest.raises(NotImplementedError):
        names["Stack"](1, 2)


def test_methods_join_their_class_wherever_they_stand() -> None:
    names = module(
        "Stack.push(self, item: object) -> None", "class Stack(list)", "def Stack.pop(self) -> object:",
        "async Stack.load(self)", "Queue.put(self, item)", "Stack.__init__(self, size: int)",
    )  # fmt: skip
    stack = names["Stack"]
    assert issubclass(stack, list)
    assert [name for name in ("push", "pop", "load") if not callable(getattr(stack, name, None))] == []
    assert inspect.iscoroutinefunction(stack.load)
    assert list(inspect.signature(stack).parameters) == ["size"]
    assert callable(names["Queue"].put)


DEEP = "1" + "+1" * 900
BAD = ["def f(", "function foo()", "def 1f()", "", "class 3D", "x" * 5, "def f(a, a)", f"def f(a: {DEEP})"]


@pytest.mark.parametrize("bad", BAD, ids=[*map(str, range(len(BAD)))])
def test_an_invalid_signature_is_left_out_and_the_others_stay(bad: str) -> None:
    names = module(bad, "def add(a, b)", "class Stack")
    assert callable(names["add"])
    assert callable(names["Stack"])


@pytest.mark.parametrize(
    ("signature", "name"),
    [
        ("def area(radius: float = DEFAULT_RADIUS) -> float", "area"),
        ("class Color(Enum)", "Color"),
        ("class Shape(ABC)", "Shape"),
        ("class Stack(Generic[T])", "Stack"),
        ("def add(a: int, b: int) -> int: ...", "add"),
        ("def add(a, b): pass", "add"),
    ],
)
def test_a_stub_can_be_imported_although_the_plan_leaves_names_open(signature: str, name: str) -> None:
    assert callable(module(signature)[name])


def test_only_python_files_that_are_not_there_are_stubbed() -> None:
    files = tuple(StubFile(path=path, signatures=("def f()",)) for path in ("a.py", "b.py", "c.txt", "src/d.py"))
    assert set(stub_files(files, {"b.py": File()})) == {"a.py", "src/d.py"}
