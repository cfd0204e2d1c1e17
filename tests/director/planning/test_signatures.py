"""Signatures that stand in a request."""

import inspect
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.evidence.examples.reading import find_examples
from director.planning.signatures import stubs_in, stubs_of
from director.planning.stubs import stub
from domain.plan import StubFile

DEEP = "1" + "+1" * 900
HUMAN_EVAL = '''from typing import List


def has_close_elements(numbers: List[float], threshold: float) -> bool:
    """ Check if in given list of numbers, are any two numbers closer to each other than
    given threshold.
    >>> has_close_elements([1.0, 2.0, 3.0], 0.5)
    False
    """
'''
FOUND = {
    HUMAN_EVAL: ("has_close_elements.py", ["def has_close_elements(numbers: List[float], threshold: float) -> bool"]),
    "Write a function `is_prime(n: int) -> bool`.": ("is_prime.py", ["def is_prime(n: int) -> bool"]),
    "Write a function called gcd(a, b) that returns their divisor.": ("gcd.py", ["def gcd(a, b)"]),
    "In maths/numbers.py implement `def lcm(a, b):` and `gcd(a, b)`": (
        "maths/numbers.py",
        ["def lcm(a, b)", "def gcd(a, b)"],
    ),
    "Implement:\n```python\nclass Stack(object):\n    def push(self, x): ...\n    def pop(self): ...\n```\nwell.": (
        "stack.py",
        ["class Stack(object)", "def Stack.push(self, x)", "def Stack.pop(self)"],
    ),
    "Write:\n\ndef f(x):\n    pass\n\ndef g(x):\n": ("solution.py", ["def f(x)", "def g(x)"]),
    "```py\nasync def fetch(url: str) -> bytes: ...\n```": ("fetch.py", ["async def fetch(url: str) -> bytes"]),
}


@pytest.mark.parametrize(("prompt", "found"), FOUND.items(), ids=[str(at) for at in range(len(FOUND))])
def test_the_signatures_of_a_request_and_their_file(prompt: str, found: tuple[str, list[str]]) -> None:
    (file,) = stubs_in(prompt)
    assert (file.path, list(file.signatures)) == found


@pytest.mark.parametrize(
    "prompt",
    [
        "Create a fibonacci function with tests",
        "`f(2)` must be 4",
        "Use `print(x)` and `len(x)`.",
        "Change `f(a)` in a.py and b.py",
        "Make this quicker:\n```python\ndef f(x):\n    return sorted(x)[0]\n```\n",
        "Write:\n\ndef f(x):\n    pass\n\nand\n\ndef g(x):\n",
        "",
    ],
)
def test_without_a_signature_or_with_several_files_there_is_no_stub(prompt: str) -> None:
    assert stubs_in(prompt) == ()


@pytest.mark.parametrize(
    "definition",
    [
        f"def f(a: {DEEP}): ...",
        f"def f(a) -> {DEEP}: ...",
        f"class A({DEEP}): ...",
        f"class A:\n    def f(self, a: {DEEP}): ...",
        f"def f(a):\n    raise {DEEP}",
    ],
    ids=["parameter", "result", "base", "method", "body"],
)
def test_a_definition_that_is_nested_too_deep_makes_no_stub(definition: str) -> None:
    assert stubs_in(f"Write:\n```python\ndef g(a): ...\n{definition}\n```\n") == ()


def test_a_call_that_is_nested_too_deep_is_left_out() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 150)
    try:
        assert stubs_in(f"Write `g(a)`, not `f(a={'-' * 190}1)`.")[0].signatures == ("def g(a)",)
    finally:
        sys.setrecursionlimit(limit)


def test_a_test_file_that_is_named_is_not_where_the_code_goes() -> None:
    (file,) = stubs_in("Write `add(a, b)` in calc.py, with tests in tests/test_calc.py")
    assert file.path == "calc.py"


@given(
    st.text(max_size=300)
    | st.lists(st.sampled_from(["def f(", "`", "```py\n", "class A:", "\n", "  ", "x)", ":"])).map("".join)
)
def test_whatever_is_found_makes_a_stub_that_compiles(prompt: str) -> None:
    for file in stubs_in(prompt):
        compile(stub(file), file.path, "exec")


def test_a_hostile_prompt_is_read_in_little_time() -> None:
    for filler in ("def f(", "`a(", "```\n", "class A:\n", "a/", "function f(", "\n"):
        stubs_in(filler * 50_000)


@pytest.mark.parametrize(
    ("prompt", "found"),
    [
        ("Write a function fib. fib(10) == 55, fib(0) == 0", ("fib.py", "def fib(a)")),
        ("Write fib in math/numbers.py. fib(10) == 55", ("math/numbers.py", "def fib(a)")),
        ("Implement clamp. clamp(5, 0, 3) == 3\nclamp(1) == 1", ("clamp.py", "def clamp(a, b=None, c=None)")),
        ("Create a function now. now() == 1", ("now.py", "def now()")),
        ("Write two functions. f(1) == 2, g(1) == 3", None),
        ("Write a class. stack.push(1) == 2", None),
        ("Write f. f(x=1) == 2", None),
        ("Write a function that is faster than sorted. sorted([2, 1]) == [1, 2]", None),
        ("Do it in a.py and b.py. Write f. f(1) == 2", None),
        ("Look: f(1) == 2", None),
        ("Write nothing.", None),
    ],
)
def test_the_function_that_only_examples_describe(prompt: str, found: tuple[str, str] | None) -> None:
    made = stubs_of(find_examples(prompt), prompt)
    assert made == ((StubFile(path=found[0], signatures=(found[1],)),) if found else ())
