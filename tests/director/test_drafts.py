"""When a file is asked for as a whole."""

from typing import Any

import pytest

from director.drafts import draft_terms, drafts_do
from director.order import Order
from domain.evidence import Failure, FailureKind
from domain.files import File
from domain.plan import Plan, StubFile, Subtask
from domain.task_kind import TaskKind
from specialists.draft_terms import DraftTerms

CODE = Subtask(id="code", role="code", goal="Write add.")
TESTS = Subtask(id="tests", role="test", goal="Write tests.")
FIX = Subtask(id="fix-1", role="code", goal="Mend it.")
STUB = StubFile(path="calc.py", signatures=("def add(a, b)",))
PLAN = Plan(kind=TaskKind.NEW_CODE, subtasks=(TESTS, CODE), files=(STUB,), language="python")
PROMPT = "Write add. It adds."
BROKEN = Failure(kind=FailureKind.ASSERTION, test_id="test_calc.py::test_add", message="assert 6 == 5")


class Tested:
    """What a verifier says of the tests."""

    tests = frozenset({"test_calc.py", "test_more.py"})


class Untested:
    """The same where there are none."""

    tests: frozenset[str] = frozenset()


def terms(order: Order, plan: Plan = PLAN, verifier: Any = Tested) -> DraftTerms | None:
    return draft_terms(plan, order, verifier, PROMPT, {"calc.py": File(content=b"def add(a, b): return a * b\n")})


def test_the_one_new_file_is_asked_for_with_all_tests() -> None:
    wanted = ("test_calc.py", "test_more.py")
    made = DraftTerms(path="calc.py", request=PROMPT, signatures=STUB.signatures, tests=wanted)
    assert terms(Order(subtask=CODE)) == made
    other = CODE.model_copy(update={"goal": "Only a part."})
    assert terms(Order(subtask=other)) == made.model_copy(update={"request": f"Only a part.\n\n{PROMPT}"})


def test_a_correction_shows_the_file_and_what_is_wrong_with_it() -> None:
    found = terms(Order(subtask=FIX, failure=BROKEN, attempt=1))
    assert found is not None
    assert found.present == "def add(a, b): return a * b\n"
    assert "assert 6 == 5" in found.failure
    assert found.request == PROMPT


@pytest.mark.parametrize(
    "order",
    [
        Order(subtask=TESTS),
        Order(subtask=CODE, attempt=2),
        Order(subtask=CODE, lease=2),
        Order(subtask=CODE, reads_from="abc"),
        Order(subtask=CODE, failure=BROKEN, attempt=2),
        Order(subtask=FIX),
    ],
    ids=["tests", "again", "after a loss", "a question", "sent back", "not planned"],
)
def test_other_orders_are_no_matter_of_drafts(order: Order) -> None:
    assert terms(order) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"kind": TaskKind.FIX},
        {"language": "go"},
        {"files": ()},
        {"files": (STUB, StubFile(path="more.py"))},
        {"subtasks": (CODE, CODE.model_copy(update={"id": "more"}))},
    ],
    ids=["a fix", "another language", "no file", "two files", "two writers"],
)
def test_other_plans_are_no_matter_of_drafts(changed: dict[str, Any]) -> None:
    assert terms(Order(subtask=CODE), PLAN.model_copy(update=changed)) is None


@pytest.mark.parametrize(
    ("prompt", "alone"),
    [
        ("Write a Python function `slug(text)`. slug('A b') == 'a-b'", True),
        ("Write a command line tool around `slug(text)`. slug('A b') == 'a-b'", False),
        ("Write `slug(text)` and a README that explains it.", False),
        ("Write `slug(text)`, and use it in a web app.", False),
        ('Complete it:\n```python\ndef slug(text):\n    "Names files of an application."\n```', True),
        ('def slug(text):\n    "Names files of an application."\n', True),
    ],
)
def test_a_request_that_may_want_more_than_the_file_is_no_matter_of_drafts(prompt: str, alone: bool) -> None:
    verifier: Any = Tested
    assert drafts_do(PLAN, verifier, prompt) is alone


def test_where_nothing_judges_a_draft_there_is_none() -> None:
    nothing: Any = Untested
    assert terms(Order(subtask=CODE), verifier=nothing) is None
    assert not drafts_do(PLAN, nothing, PROMPT)
