"""What a model is told whose call is wrong: the mistake, what is right, and an example."""

import json
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.text import one_line
from mcp_server.tool import Tool

SHOWN_PROBLEMS = 5
SHOWN_NAMES = 2
ALIKE = 0.6
COMPARED_CHARACTERS = 64
MEANT = {
    "bash": "shell",
    "cat": "read_file",
    "create_file": "write_file",
    "done": "submit",
    "execute": "shell",
    "execute_command": "shell",
    "finish": "submit",
    "grep": "search",
    "open_file": "read_file",
    "pytest": "run_tests",
    "replace": "edit_file",
    "run": "shell",
    "run_command": "shell",
    "save_file": "write_file",
    "str_replace": "edit_file",
    "terminal": "shell",
}
"""Tools as models remember them from elsewhere."""


def unknown_tool(name: str, usable: Sequence[str], exists: bool) -> str:
    """What to say about a tool that the role cannot use: the nearest ones first, then all."""
    near = nearest(name, usable)
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    why = "is not for your role" if exists else "does not exist"
    return f"The tool {one_line(name)!r} {why}. Use one of: {', '.join(usable)}.{meant}"


def nearest(name: str, names: Sequence[str]) -> list[str]:
    """The names most like ``name``, in meaning or in letters."""
    written = name[:COMPARED_CHARACTERS].strip().lower().replace("-", "_")
    meant = [MEANT[written]] if MEANT.get(written) in names else []
    alike = get_close_matches(written, names, SHOWN_NAMES, ALIKE)
    return list(dict.fromkeys([*meant, *alike]))[:SHOWN_NAMES]


def against_schema(error: ValidationError) -> bool:
    """Whether arguments break the tool's schema, and not only a rule that the schema cannot tell."""
    return any(problem["type"] != "value_error" for problem in error.errors(include_url=False, include_input=False))


def wrong_arguments(tool: Tool[Any, Any], error: ValidationError) -> str:
    """What to say about arguments that the tool does not take: each field's problem and schema, and an example."""
    fields: dict[str, Any] = tool.arguments.model_json_schema().get("properties", {})
    problems = error.errors(include_url=False, include_input=False)[:SHOWN_PROBLEMS]
    lines = "\n".join(f"- {_problem(problem, fields)}" for problem in problems)
    return (
        f"The arguments of {tool.name} are wrong, so it did nothing:\n{lines}\nA valid example: {_json(tool.example)}"
    )


def _problem(problem: ErrorDetails, fields: dict[str, Any]) -> str:
    place = ".".join(one_line(str(part)) for part in problem["loc"]) or "arguments"
    field = str(problem["loc"][0]) if problem["loc"] else ""
    said = f"{place}: {problem['msg']}."
    if field in fields:
        shown = {key: value for key, value in fields[field].items() if key != "title"}
        return f"{said} Its schema: {_json(shown)}"
    near = nearest(field, list(fields))
    meant = f" Did you mean {' or '.join(near)}?" if near else ""
    return f"{said}{meant} The fields are: {', '.join(fields)}."


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
