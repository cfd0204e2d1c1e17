"""The bare SDK as an MCP server over HTTP: one tool that does nothing; no keys, no checks, no audit log."""

import socket
import sys
from typing import Any

import mcp.types as types
import uvicorn
from mcp.server import Server


async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
    """The one tool."""
    schema: dict[str, Any] = {"type": "object", "properties": {"text": {"type": "string"}}}
    return types.ListToolsResult(tools=[types.Tool(name="list_tasks", input_schema=schema)])


async def call_tool(_context: object, _params: types.CallToolRequestParams) -> types.CallToolResult:
    """Always the same."""
    return types.CallToolResult(content=[types.TextContent(type="text", text="nothing")])


def main() -> None:
    """Serves on a free port, which it names on standard error, until it is ended."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    print(f"listening at http://127.0.0.1:{listening.getsockname()[1]}/mcp", file=sys.stderr, flush=True)
    app = Server("bare", on_list_tools=list_tools, on_call_tool=call_tool).streamable_http_app()
    uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


if __name__ == "__main__":
    main()
