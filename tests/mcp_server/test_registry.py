"""The table of tools."""

import json

import pytest

from domain.errors import Conflict
from mcp_server.registry import AnyTool, Registry
from mcp_server.tools import SPECIALIST_TOOLS

TOOLS = SPECIALIST_TOOLS


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_example_of_every_tool_is_valid(tool: AnyTool) -> None:
    assert tool.arguments.model_validate(tool.example)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_every_tool_takes_an_object_whose_fields_are_described(tool: AnyTool) -> None:
    schema = tool.arguments.model_json_schema()
    assert schema["type"] == "object"
    assert schema["additionalProperties"] is False
    assert all(field.get("description") for field in schema["properties"].values())
    assert tool.description


def test_what_every_request_to_a_model_carries_is_short_and_repeats_nothing() -> None:
    for tool in TOOLS:
        schema = tool.described.input_schema
        assert not {"title", "description"} & set(schema)
        assert not any("title" in field for field in schema["properties"].values())
        assert len(tool.description) + len(json.dumps(schema)) < 1_000, tool.name


def test_tools_are_found_by_name_and_listed_in_order() -> None:
    registry = Registry(TOOLS)
    names = [tool.name for tool in registry.all()]
    assert names == sorted(set(names))
    assert {"edit_file", "read_file", "run_tests", "search", "shell", "submit", "write_file"} <= set(names)
    assert registry.get("shell") in registry.all()
    assert registry.get("nothing") is None


def test_a_tool_that_only_reads_destroys_nothing() -> None:
    assert {tool.name for tool in TOOLS if tool.read_only} == {
        "ask_specialist", "git_history", "outline", "query_database", "read_artifact", "read_file", "repo_map",
        "search", "search_docs",
    }  # fmt: skip
    assert not any(tool.read_only and tool.destructive for tool in TOOLS)


def test_tools_come_and_go_and_who_listens_is_told_each_time() -> None:
    registry = Registry()
    told: list[int] = []
    leave = registry.on_change(lambda: told.append(len(registry.all())))

    registry.register(*TOOLS)
    registry.remove("shell", "nothing")
    registry.remove("shell")
    leave()
    registry.remove("search")

    assert told == [len(TOOLS), len(TOOLS) - 1]
    assert registry.get("shell") is registry.get("search") is None


def test_a_name_is_given_once_and_tools_come_together_or_not_at_all() -> None:
    registry = Registry(TOOLS[:1])

    for tools in (TOOLS, (TOOLS[1], TOOLS[1])):
        with pytest.raises(Conflict, match="already"):
            registry.register(*tools)
        assert registry.all() == [TOOLS[0]]
