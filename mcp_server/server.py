"""An MCP server for one working place: one table, one permission check, one answer for every call."""

from typing import Any

import mcp.types as types
from mcp.server import Server
from pydantic import BaseModel, ValidationError

from domain.errors import HostileOutput, InfrastructureError, SoundstageError
from domain.replies import ReplyProblem
from domain.text import excerpt, plain
from mcp_server.correction import against_schema, unknown_tool, wrong_arguments
from mcp_server.registry import Registry
from mcp_server.session import ToolSession
from mcp_server.tool import EXAMPLE, Tool, ToolOutcome, ToolRefused

OBSERVATION_CHARACTERS = 16_000
STRUCTURED = {"submitted", "artifacts", "problem"}


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
            structured_content=outcome.model_dump(mode="json", include=STRUCTURED),
            is_error=not outcome.ok,
        )

    return Server("soundstage", on_list_tools=list_tools, on_call_tool=call_tool)


async def call(session: ToolSession, registry: Registry, name: str, arguments: dict[str, Any]) -> ToolOutcome:
    """Checks the permission and the arguments, and runs the tool. Whatever goes wrong becomes an outcome."""
    tool = registry.get(name)
    if tool is None or tool.permission not in session.permissions:
        usable = [other.name for other in registry.all() if other.permission in session.permissions]
        text = unknown_tool(name, usable, exists=tool is not None)
        return ToolOutcome(text=text, ok=False, problem=ReplyProblem.UNKNOWN_TOOL)
    try:
        parsed = tool.arguments.model_validate(arguments)
    except ValidationError as error:
        problem = ReplyProblem.ARGUMENTS_NOT_VALID if against_schema(error) else None
        return ToolOutcome(text=wrong_arguments(tool, error), ok=False, problem=problem)
    return await _run(session, tool, parsed)


async def _run(session: ToolSession, tool: Tool[Any], arguments: BaseModel) -> ToolOutcome:
    try:
        return await tool.handler(session, arguments)
    except ToolRefused as refusal:
        return ToolOutcome(text=str(refusal), ok=False)
    except ValidationError as error:
        return ToolOutcome(text=wrong_arguments(tool, error), ok=False)
    except HostileOutput as refusal:
        return ToolOutcome(text=f"Not kept. {refusal}", ok=False)
    except InfrastructureError as failure:
        # The model can do nothing about it, so it must not be asked to: the loop looks here and stops.
        session.failure = failure
        return ToolOutcome(text=str(failure), ok=False)
    except SoundstageError as error:
        return ToolOutcome(text=str(error), ok=False)


def _describe(tool: Tool[Any]) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.arguments.model_json_schema(),
        _meta={EXAMPLE: tool.example},
        annotations=types.ToolAnnotations(
            read_only_hint=tool.read_only,
            destructive_hint=tool.destructive,
            idempotent_hint=tool.idempotent,
            open_world_hint=False,
        ),
    )
