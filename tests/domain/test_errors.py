import re
from inspect import getdoc

import pytest

from domain import errors
from domain.chat import Usage
from domain.errors import InfrastructureError, ModelOverloaded, SoundstageError, UsageError

CLASSES = sorted(
    (found for found in vars(errors).values() if isinstance(found, type) and issubclass(found, SoundstageError)),
    key=lambda found: found.__name__,
)


def drawn_tree() -> dict[str, str | None]:
    """Class -> the class above it, as the module's docstring draws them."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"    ((?:[│ ]   )*(?:[├└]── )?)([A-Z]\w+)", line)
        if found is not None:
            depth = len(found[1]) // 4
            parents[found[2]] = path[depth - 1] if depth else None
            path[depth:] = [found[2]]
    return parents


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    real = {error.__name__: error.__base__.__name__ if error.__base__ else "" for error in CLASSES}

    assert drawn_tree() == {**real, "SoundstageError": None}


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_the_docstring_of_every_error_is_its_default_message_and_says_what_to_do(error: type[SoundstageError]) -> None:
    own = vars(error).get("__doc__")

    assert own, f"{error.__name__} has no docstring"
    assert str(error()) == own
    assert str(error("the place is known")) == "the place is known"
    assert re.fullmatch(r"[^.]+\. .+", own), "a sentence about what happened, then one about what to do"
    assert "\n" not in own
    assert getdoc(error) == own


@pytest.mark.parametrize("error", CLASSES, ids=lambda error: error.__name__)
def test_the_exit_code_is_2_for_usage_3_for_infrastructure_and_else_1(error: type[SoundstageError]) -> None:
    expected = 2 if issubclass(error, UsageError) else 3 if issubclass(error, InfrastructureError) else 1

    assert error.exit_code == expected


def test_an_overload_remembers_when_to_come_back_a_budget_whose_it_is_and_a_breach_what_it_cost() -> None:
    assert ModelOverloaded(retry_after_s=1.5).retry_after_s == 1.5
    assert ModelOverloaded().retry_after_s is None
    assert errors.BudgetExceeded(scope="task:1").scope == "task:1"
    assert errors.ModelProtocolError(usage=Usage(input_tokens=1)).usage == Usage(input_tokens=1)
