"""An MCP server for one working place: one table, one permission check, one answer for every call."""

import json
from typing import Any

import mcp.types as types
from mcp.server import Server
from pydantic import BaseModel, ValidationError

from domain.errors import HostileOutput, InfrastructureError, SoundstageError
from domain.text import excerpt, one_line, plain
from mcp_server.registry import Registry
from mcp_server.session import ToolSession
from mcp_server.tool import Tool, ToolOutcome, ToolRefused

OBSERVATION_CHARACTERS = 16_000


def build_server(session: ToolSession, registry: Registry) -> "Server[Any]":
    """A server that lists the tools that the session's role may use, and runs them."""

    async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
        permitted = [tool for tool in registry.all() if tool.permission in session.permissions]
        return types.ListToolsResult(tools=[_describe(tool) for tool in permitted])

    async def call_tool(_context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        outcome = await call(session, registry, params.name, params.arguments or {})
        text = excerpt(plain(outcome.text), OBSERVATION_CHARACTERS)
        return types.CallToolResult(
            content=[types.TextContent(type="text", text=text)],
            structured_content={"submitted": outcome.submitted, "artifacts": list(outcome.artifacts)},
            is_error=not outcome.ok,
        )

    return Server("soundstage", on_list_tools=list_tools, on_call_tool=call_tool)


async def call(session: ToolSession, registry: Registry, name: str, arguments: dict[str, Any]) -> ToolOutcome:
    """Checks the permission and the arguments, and runs the tool. Whatever goes wrong becomes an outcome."""
    tool = registry.get(name)
    if tool is None or tool.permission not in session.permissions:
        usable = ", ".join(other.name for other in registry.all() if other.permission in session.permissions)
        why = "is not for your role" if tool else "does not exist"
        return ToolOutcome(text=f"The tool {one_line(name)!r} {why}. Use one of: {usable}.", ok=False)
    try:
        parsed = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        return ToolOutcome(text=_correction(tool, error), ok=False)
    return await _run(session, tool, parsed)


async def _run(session: ToolSession, tool: Tool[Any], arguments: BaseModel) -> ToolOutcome:
    try:
        return await tool.handler(session, arguments)
    except ToolRefused as refusal:
        return ToolOutcome(text=str(refusal), ok=False)
    except ValidationError as error:
        return ToolOutcome(text=_correction(tool, error), ok=False)
    except HostileOutput as refusal:
        return ToolOutcome(text=f"Not kept. {refusal}", ok=False)
    except InfrastructureError as failure:
        # The model can do nothing about it, so it must not be asked to: the loop looks here and stops.
        session.failure = failure
        return ToolOutcome(text=str(failure), ok=False)
    except SoundstageError as error:
        return ToolOutcome(text=str(error), ok=False)


def _correction(tool: Tool[Any], error: ValidationError) -> str:
    problems = "; ".join(
        f"{'.'.join(str(part) for part in problem['loc']) or 'arguments'}: {problem['msg']}"
        for problem in error.errors(include_url=False, include_input=False)[:5]
    )
    return f"The arguments of {tool.name} are wrong: {problems}. A valid example: {json.dumps(tool.example)}"


def _describe(tool: Tool[Any]) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        annotations=types.ToolAnnotations(
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )
