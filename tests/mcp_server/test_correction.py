"""What a model is told whose call is wrong."""

import pytest
from pydantic import TypeAdapter, ValidationError

from mcp_server.correction import MEANT, nearest, unknown_tool
from mcp_server.tools import SPECIALIST_TOOLS

NAMES = [tool.name for tool in SPECIALIST_TOOLS]


@pytest.mark.parametrize(
    ("written", "near"),
    [
        ("write-file", "write_file"),
        ("Shell", "shell"),
        ("bash", "shell"),
        ("run_test", "run_tests"),
        ("grep", "search"),
    ],
)
def test_the_nearest_name_comes_first(written: str, near: str) -> None:
    assert nearest(written, NAMES)[0] == near


def test_nothing_is_near_what_nobody_knows_and_what_the_role_lacks_is_not_offered() -> None:
    assert nearest("zzz", NAMES) == []
    assert "shell" not in nearest("bash", ["read_file"])
    assert "Did you mean" not in unknown_tool("zzz", NAMES, exists=False)


def test_every_remembered_name_leads_to_a_tool_and_is_none_itself() -> None:
    assert set(MEANT.values()) <= set(NAMES)
    assert not set(MEANT) & set(NAMES)


def test_every_example_is_what_its_tool_takes() -> None:
    for tool in SPECIALIST_TOOLS:
        try:
            TypeAdapter(tool.arguments).validate_python(tool.example)
        except ValidationError as error:
            pytest.fail(f"{tool.name}: {error}")
