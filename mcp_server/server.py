"""An MCP server for one session: it lists the tools that its caller may use, and calls them."""

from typing import Any

import mcp.types as types
from mcp.server import Server

from mcp_server.caller import Session
from mcp_server.dispatcher import Dispatcher
from mcp_server.tool import ToolOutcome

PROBLEM = "soundstage/problem"
"""Where the result of a call that was wrong says how, in its ``_meta``."""

WITHIN = "soundstage/within"
"""Where a call says in its ``_meta`` in how many seconds it must end, if that is less than its tool may take."""


def build_server(session: Session, dispatcher: Dispatcher) -> "Server[Any]":
    """A server of the tools; resources and prompts are added by whoever serves people."""

    async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[tool.described for tool in dispatcher.registry.usable(session)])

    async def call_tool(_context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        within_s = (params.meta or {}).get(WITHIN)
        if not isinstance(within_s, float):
            return as_result(await dispatcher.call(session, params.name, params.arguments or {}))
        return as_result(await dispatcher.call(session, params.name, params.arguments or {}, within_s))

    return Server("soundstage", on_list_tools=list_tools, on_call_tool=call_tool)


def as_result(outcome: ToolOutcome) -> types.CallToolResult:
    """An outcome as MCP has it."""
    shown = [types.TextContent(type="text", text=outcome.text)] if outcome.text or not outcome.blocks else []
    return types.CallToolResult(
        content=[*shown, *outcome.blocks],
        structured_content=None if outcome.data is None else outcome.data.model_dump(mode="json"),
        is_error=not outcome.ok,
        _meta=None if outcome.problem is None else {PROBLEM: outcome.problem.value},
    )
