"""Examples in requests: what is taken for one, and what is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from director.evidence.examples.reading import MAX_EXAMPLES, find_examples
from domain.task import MAX_PROMPT_BYTES


def told(prompt: str) -> list[str]:
    """The examples as ``call = outcome``."""
    return [f"{one.call} = {one.expected or f'raises {one.raises}'}" for one in find_examples(prompt)]


TAKEN = {
    "f(2) == 4": ["f(2) = 4"],
    "`f(2)` returns 4": ["f(2) = 4"],
    "Write f in calc.py. f(2) == 4, and f(3) returns 9. (f(4) == 16)": ["f(2) = 4", "f(3) = 9"],
    "`f(2)` returns `4`.": ["f(2) = 4"],
    "f(2) -> 4, f(3) -> 9.": ["f(2) = 4", "f(3) = 9"],
    "* `f(2)` => `4`": ["f(2) = 4"],
    "f(2) → 4": ["f(2) = 4"],
    "f(2) ➞ 4": ["f(2) = 4"],
    "f(2) ==> 4": ["f(2) = 4"],
    "fib(10) = 55": ["fib(10) = 55"],
    "f(2)  # 4": ["f(2) = 4"],
    "f(2) // => 4": ["f(2) = 4"],
    "f(2) should return 4": ["f(2) = 4"],
    "f(2) must be 4 and f(3) must be 9": ["f(2) = 4", "f(3) = 9"],
    "assert f(2) == 4": ["f(2) = 4"],
    "    assert f('a b', [1, 2]) == {'x': None}": ["f('a b', [1, 2]) = {'x': None}"],
    "f(-1) raises ValueError": ["f(-1) = raises ValueError"],
    "`f(-1)` should raise a `ValueError`.": ["f(-1) = raises ValueError"],
    "f(-1) throws RangeError": ["f(-1) = raises RangeError"],
    "f(true, null) == false": ["f(True, None) = False"],
    "f({a: 1}) == [1]": ["f({'a': 1}) = [1]"],
    'f(")") == "(\\""': ["f(')') = '(\"'"],
    "f(0.5, scale=2) == -1e3": ["f(0.5, scale=2) = -1000.0"],
    "calc.add(1, 2) == 3": ["add(1, 2) = 3"],
    ">>> f(2)\n4\n>>> f(3)\n9": ["f(2) = 4", "f(3) = 9"],
    ">>> f([1,\n...    2])\n[2,\n 1]": ["f([1, 2]) = [2, 1]"],
    ">>> f(2) == 4\nTrue": ["f(2) = 4"],
    ">>> f(-1)\nTraceback (most recent call last):\n  ...\nValueError: no": ["f(-1) = raises ValueError"],
    'def f(x):\n    """Squares.\n\n    >>> f(2)\n    4\n    """\n': ["f(2) = 4"],
    "`f(n)` squares:\n\n| n | result |\n|---|:-:|\n| 2 | 4 |\n| -1 | ValueError |": [
        "f(2) = 4", "f(-1) = raises ValueError"
    ],
    "| Call | Returns |\n|--|--|\n| `f(2)` | `4` |": ["f(2) = 4"],
    "| a | b | add(a, b) |\n|--|--|--|\n| 1 | 2 | 3 |": ["add(1, 2) = 3"],
    "Current behaviour:\n\n>>> f(2)\n5\n\nExpected:\n\n>>> f(2)\n4": ["f(2) = 4"],
    "- f(2) == 4\n- f(x) must not change its argument": ["f(2) = 4"],
}  # fmt: skip


@pytest.mark.parametrize(("prompt", "expected"), TAKEN.items(), ids=TAKEN)
def test_examples_are_found_in_every_form(prompt: str, expected: list[str]) -> None:
    assert told(prompt) == expected


NOT_TAKEN = (
    "Currently f(2) returns 5.", "f(2) returns 5. It should return 4.", "f(2) returns 5,\nwhich is wrong",
    "f(2) returns 5 instead of 4", "f(2) should return 4 but got 5", "f(2) returns 5 but we want 4",
    "f(2) should not return 4", "f(2) must never be 4", "f(2) doesn't return 4", "f(2) used to return 4",
    "f(2) != 4", "Why does f(2) return 4?", "The bug: f(2) returns 5", "I call it, and I get f(2) == 5",
    ">>> f(2)\n5\n\nThis is wrong.", "This is wrong:\n\n>>> f(2)\n5", "## Actual result\n\n```\n>>> f(2)\n5\n```",
    "| Input | Actual |\n|--|--|\n| f(2) | 5 |", "f(2) == 4\n\nf(2) == 5",
    "f(x) == 4", "f(2) == x", "f(2) == 4 + 1", "f(2) == 4 or 5", "f(2) is 4 times as much", "f(g(2)) == 4",
    "f(2) == 4 if all is well", "if f(2) == 4: pass", "return f(2) == 4", "x = f(2)", "1 + f(2) == 4", "a[f(2) == 4",
    "def f() -> None:", "reset() -> None", "f(2)", "f(2) ==", "f(...) == 4", "f(*[1]) == 1", "f(**{}) == 1",
    "print(f(2))  # 4", ">>> x = f(2)\n>>> x\n4", ">>> f(2)\n", ">>> f(2)\n<object at 0x7f>", "Stack().push(1) == 1",
    "f(2) == 4.5.6", "f(2) = 4x", "a.b.f(2) == 4", "f(2", "f(2]) == 4",
    "| n | result |\n|---|---|\n| 2 | 4 |", "`f` and `g`:\n\n| n | result |\n|---|---|\n| 2 | 4 |",
    "`f(n)`:\n\n| n | notes |\n|---|---|\n| 2 | 4 |", "`f(n)`:\n\n| n | result |\n| 2 | 4 |",
)  # fmt: skip


@pytest.mark.parametrize("prompt", NOT_TAKEN)
def test_what_is_wrong_or_no_literal_is_no_example(prompt: str) -> None:
    assert told(prompt) == []


WORDS = st.sampled_from(
    ["f(", "2", ")", " == ", "4", "\n", "\n\n", ">>> ", "... ", "|", "| n | result |\n|--|--|\n", "`", "returns ",
     "not ", "'", '"', "[", "]", "{", "}", ":", "# ", "```", "raises ", "ValueError",
     "-", "\\", "(" * 300, "9" * 5000, "\0"]
)  # fmt: skip
TEXTS = st.one_of(st.text(), st.lists(WORDS).map("".join), st.binary().map(lambda data: data.decode("latin-1")))


@given(TEXTS)
def test_no_text_makes_it_fail_and_all_that_is_found_are_calls_with_an_outcome(text: str) -> None:
    for example in find_examples(text):
        assert example.function.isidentifier()
        assert bool(example.expected) != bool(example.raises)


@given(TEXTS)
def test_what_is_found_is_found_again_in_its_own_words(text: str) -> None:
    for example in find_examples(text):
        again = (
            f"{example.call} == {example.expected}" if example.expected else f"{example.call} raises {example.raises}"
        )
        assert "\n" in again or [one.call for one in find_examples(again)] == [example.call]


@pytest.mark.parametrize(
    "part", ["f(", "f()", "((((", "f(2) == 4 ", ">>> f(2)\n", "| a | b |\n", "`", "f(2)\n", '"', "#:\n\n"]
)
def test_the_work_grows_with_the_length_of_a_request(part: str) -> None:
    # A quadratic one would take minutes, and end at the test's time limit.
    find_examples((part * MAX_PROMPT_BYTES)[:MAX_PROMPT_BYTES])


def test_there_are_never_too_many() -> None:
    prompt = "\n".join(f"f({number}) == {number}" for number in range(1000))
    assert len(find_examples(prompt)) == MAX_EXAMPLES
