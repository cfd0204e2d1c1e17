"""A server over standard input and output, for tests. Its tool prints, as programs for people do."""

import asyncio
import os
import signal
import sys
from typing import Any

import mcp.types as types
from mcp.server import Server

from mcp_server.transports.stdio import serve_stdio


async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
    """The one tool."""
    return types.ListToolsResult(tools=[types.Tool(name="chatter", input_schema={"type": "object"})])


async def call_tool(_context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
    """Prints in every way that there is, and answers with what it was given, so many times."""
    print("printed")
    os.write(1, b"written\n")
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "print('by a child')")
    await child.wait()
    given: dict[str, Any] = params.arguments or {}
    text = str(given.get("text", "")) * int(given.get("times", 1))
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)])


async def main() -> None:
    """Serves until the client leaves, or until it is ended: whoever starts it may have it ignore SIGINT."""
    serving = asyncio.ensure_future(serve_stdio(Server("chatter", on_list_tools=list_tools, on_call_tool=call_tool)))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, serving.cancel)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
    print("served", flush=True)
