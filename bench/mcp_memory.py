"""What a call of a tool costs over the in-memory transport: schema, permission, approval, deadline and audit entry."""

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.client import Client
from mcp.server import Server
from pydantic import Field

from bench.measure import Figure
from domain.base import Value
from domain.errors import InfrastructureError
from mcp_server.caller import Caller, Permission
from mcp_server.dispatcher import Dispatcher
from mcp_server.registry import Registry
from mcp_server.server import build_server
from mcp_server.tool import Tool, ToolOutcome
from mcp_server.tools import SPECIALIST_TOOLS
from storage.audit import SqlAudit
from storage.database import Database
from storage.writer import Writer

CALLS = 1000
SHOWN = {"path": "src/parser.py", "lines": 40}


class _Arguments(Value):
    path: str
    lines: int = Field(default=10, ge=1, le=1000)


class _Session:
    """Implements ``mcp_server.caller.Session``."""

    caller = Caller(actor="bench", permissions=frozenset(Permission), task_id="task", subtask_id="one")
    failure: InfrastructureError | None = None
    dropped: tuple[str, ...] = ()

    async def keep(self, text: str) -> str | None:
        """Nothing is long."""
        del text
        return None


async def _nothing(_session: _Session, arguments: _Arguments) -> ToolOutcome:
    return ToolOutcome(text="nothing", data=arguments)


NOTHING = Tool(
    name="nothing", description="Does nothing.", session=_Session, arguments=_Arguments, data=_Arguments,
    permission=Permission.READ, handler=_nothing, example=SHOWN, read_only=True,
)  # fmt: skip


async def overhead() -> list[Figure]:
    """A call from the client's side until the result is there, in turns with the same call of the bare SDK."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "bench.db")
        await database.prepare()
        writer = Writer(database.writer)
        dispatcher = Dispatcher(Registry((*SPECIALIST_TOOLS, NOTHING)), SqlAudit(database, writer))
        try:
            async with Client(build_server(_Session(), dispatcher)) as ours, Client(_bare()) as bare:
                found = [(await _seconds(ours.call_tool), await _seconds(bare.call_tool)) for _ in range(CALLS)]
        finally:
            await writer.close()
            await database.close()
    through, direct = sorted(one for one, _ in found), sorted(other for _, other in found)
    p50, plain = through[CALLS // 2] * 1e3, direct[CALLS // 2] * 1e3
    return [
        Figure("inmemory_call_p50_ms", p50, "ms", "at most 1"),
        Figure("inmemory_over_sdk_ms", p50 - plain, "ms", f"the bare SDK, without any check, takes {plain:.2f} ms"),
        Figure("inmemory_call_p95_ms", through[int(CALLS * 0.95)] * 1e3, "ms"),
    ]


async def _seconds(call: Callable[[str, dict[str, Any]], Awaitable[object]]) -> float:
    started = time.perf_counter()
    await call("nothing", SHOWN)
    return time.perf_counter() - started


def _bare() -> Server[Any]:
    """The same tool, which nobody looks after."""

    async def list_tools(_context: object, _params: object) -> types.ListToolsResult:
        return types.ListToolsResult(tools=[NOTHING.described])

    async def call_tool(_context: object, _params: object) -> types.CallToolResult:
        text = types.TextContent(type="text", text="nothing")
        return types.CallToolResult(content=[text], structured_content=SHOWN)

    return Server("bare", on_list_tools=list_tools, on_call_tool=call_tool)
