"""The table of tools."""

from typing import Any

import pytest

from mcp_server.registry import Registry
from mcp_server.tool import Tool

TOOLS = Registry().all()


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_example_of_every_tool_is_valid(tool: Tool[Any]) -> None:
    assert tool.arguments.model_validate(tool.example)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_takes_an_object_whose_fields_are_described(tool: Tool[Any]) -> None:
    schema = tool.arguments.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())
    assert tool.description


def test_tools_are_found_by_name_and_listed_in_order() -> None:
    registry = Registry()
    names = [tool.name for tool in registry.all()]
    assert names == sorted(set(names))
    assert names == ["edit_file", "read_file", "run_tests", "search", "shell", "submit", "write_file"]
    assert registry.get("shell") in registry.all()
    assert registry.get("nothing") is None


def test_a_tool_that_only_reads_destroys_nothing() -> None:
    assert {tool.name for tool in TOOLS if tool.read_only} == {"read_file", "search"}
    assert not any(tool.read_only and tool.destructive for tool in TOOLS)
