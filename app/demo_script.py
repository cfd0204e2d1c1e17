"""The scripted model's part in the demo: what it says when it is asked for a Fibonacci function."""

import json
import textwrap

from domain.errors import UsageError
from gateway.scripted import Line, Scene, ScriptedProvider

DEMO_PROMPT = "Create a fibonacci function with tests"
ANNOUNCEMENT = (
    "No model is set, so the replies are canned (scripted model). The containers, the tests, the coverage and the "
    "verification are real."
)

PLAN = {
    "kind": "new_code",
    "files": [{"path": "fibonacci.py", "signatures": ["def fibonacci(n: int) -> int"]}],
    "subtasks": [
        {
            "id": "tests",
            "role": "test",
            "goal": "Write tests for fibonacci(n) in fibonacci.py: the first numbers, a large one, and ValueError for "
            "negative n.",
            "needs": [],
        },
        {
            "id": "code",
            "role": "code",
            "goal": "Implement fibonacci(n) in fibonacci.py so that its tests pass.",
            "needs": ["tests"],
        },
    ],
}

TESTS = textwrap.dedent(
    '''
    """Tests of fibonacci."""

    import pytest

    from fibonacci import fibonacci


    @pytest.mark.parametrize(
        ("n", "expected"),
        [(0, 0), (1, 1), (2, 1), (3, 2), (4, 3), (5, 5), (10, 55), (20, 6765)],
    )
    def test_small_numbers(n, expected):
        assert fibonacci(n) == expected


    def test_a_large_number_is_exact():
        assert fibonacci(100) == 354224848179261915075


    def test_a_negative_number_is_refused():
        with pytest.raises(ValueError):
            fibonacci(-1)
    '''
).lstrip()

WRONG = textwrap.dedent(
    '''
    """The Fibonacci numbers."""


    def fibonacci(n: int) -> int:
        """The n-th Fibonacci number, counting from fibonacci(0) == 0."""
        current, following = 1, 1
        for _ in range(n):
            current, following = following, current + following
        return current
    '''
).lstrip()

RIGHT = textwrap.dedent(
    '''
    """The Fibonacci numbers."""


    def fibonacci(n: int) -> int:
        """The n-th Fibonacci number, counting from fibonacci(0) == 0. ValueError for negative n."""
        if n < 0:
            raise ValueError(f"n must not be negative, and it is {n}")
        current, following = 0, 1
        for _ in range(n):
            current, following = following, current + following
        return current
    '''
).lstrip()


def demo_model() -> ScriptedProvider:
    """The scripted model of the demo. Its first implementation is wrong, so that the correction is seen."""
    return ScriptedProvider(
        (
            Scene(when=("You are the planner", "ibonacci"), lines=(Line(text=json.dumps(PLAN)),)),
            Scene(
                when=("You are the test specialist", "fibonacci.py"),
                lines=(
                    Line(
                        text="I write the tests from the requirement first.",
                        calls=(_write("tests/test_fibonacci.py", TESTS), ("run_tests", "{}")),
                    ),
                    _submit("Tests for the first numbers, a large one and a negative one; they fail on the stub."),
                ),
            ),
            Scene(
                when=("You are the code specialist", "fibonacci.py", "Verification failed"),
                lines=(
                    Line(
                        text="fibonacci(0) must be 0, so the pair starts one earlier; and negative n was not refused.",
                        calls=(_write("fibonacci.py", RIGHT), ("run_tests", "{}")),
                    ),
                    _submit("Started the pair at (0, 1) and refused negative n."),
                ),
            ),
            Scene(
                when=("You are the code specialist", "fibonacci.py"),
                lines=(
                    Line(text="An iterative implementation.", calls=(_write("fibonacci.py", WRONG),)),
                    _submit("Implemented fibonacci iteratively."),
                ),
            ),
        ),
        announcement=ANNOUNCEMENT,
    )


def check_known(prompt: str) -> None:
    """UsageError unless the script knows the request."""
    if "fibonacci" not in prompt.lower():
        raise UsageError(
            "No model is set, and the scripted model knows only the demo: "
            f'soundstage run "{DEMO_PROMPT}". For real work set OPENAI_API_KEY (and OPENAI_BASE_URL for another '
            "server), or start Ollama, and run it again."
        )


def _write(path: str, content: str) -> tuple[str, str]:
    return "write_file", json.dumps({"path": path, "content": content})


def _submit(summary: str) -> Line:
    return Line(calls=(("submit", json.dumps({"summary": summary})),))
