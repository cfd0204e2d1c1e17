"""Tools that tell something before they answer, and those that change what is offered."""

import asyncio
from typing import Any

import mcp.types as types
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import PromptsListChanged, ToolsListChanged

from mcp_server.tool import ToolOutcome
from tests.mcp_server.conformance.older import log
from tests.mcp_server.conformance.probe import ProbeSession, fixed, probe

DYNAMIC = fixed("test_dynamic_tool", "comes and goes", "here")
PAUSE_S = 0.05
"""What the suite asks for between two messages."""

RECONNECTION_S = 0.2


async def _log(session: ProbeSession) -> ToolOutcome:
    await log(session.context, "Tool execution started")
    await asyncio.sleep(PAUSE_S)
    await log(session.context, "Tool processing data")
    await asyncio.sleep(PAUSE_S)
    await log(session.context, "Tool execution completed")
    return ToolOutcome(text="logged")


async def _log_once(session: ProbeSession) -> ToolOutcome:
    await log(session.context, "at work")
    return ToolOutcome(text="logged")


async def _progress(session: ProbeSession) -> ToolOutcome:
    for done in (0, 50, 100):
        await session.context.session.report_progress(done, 100, f"Completed step {done} of 100")
        await asyncio.sleep(PAUSE_S)
    return ToolOutcome(text="done")


async def _reconnect(session: ProbeSession) -> ToolOutcome:
    assert session.context.close_sse_stream is not None
    await session.context.close_sse_stream()
    await asyncio.sleep(RECONNECTION_S)
    return ToolOutcome(text="reconnected")


async def _need_sampling(session: ProbeSession) -> ToolOutcome:
    declared = session.context.session.client_capabilities
    if declared is None or declared.sampling is None:
        data: dict[str, Any] = {"requiredCapabilities": {"sampling": {}}}
        session.refusal = MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "The client offers no sampling", data)
    return ToolOutcome(text="The client offers sampling.")


async def _change_tools(session: ProbeSession) -> ToolOutcome:
    session.registry.register(DYNAMIC)
    session.registry.remove(DYNAMIC.name)
    await session.bus.publish(ToolsListChanged())
    return ToolOutcome(text="changed")


async def _change_prompts(session: ProbeSession) -> ToolOutcome:
    await session.bus.publish(PromptsListChanged())
    return ToolOutcome(text="changed")


TELLING_TOOLS = (
    probe("test_tool_with_logging", "logs while it works", _log),
    probe("test_logging_tool", "logs once", _log_once),
    probe("test_tool_with_progress", "tells how it gets on", _progress),
    probe("test_reconnection", "closes its stream and goes on", _reconnect),
    probe("test_missing_capability", "needs a client with sampling", _need_sampling),
    probe("test_trigger_tool_change", "changes the list of tools", _change_tools),
    probe("test_trigger_prompt_change", "changes the list of prompts", _change_prompts),
)
