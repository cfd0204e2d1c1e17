"""A specialist's end: an MCP client over the in-memory transport."""

import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

from mcp.client import Client
from mcp.types import TextContent

from domain.base import Value
from domain.chat import ToolSchema
from domain.replies import ReplyProblem
from mcp_server.dispatcher import Dispatcher
from mcp_server.server import PROBLEM, build_server
from mcp_server.session import ToolSession
from mcp_server.tool import EXAMPLE


class Observation(Value):
    """What a tool call showed. ``commit`` is the branch's newest snapshot after it, ``changed`` the paths that it
    changed, and ``dropped`` the protected paths whose change was undone. ``problem`` says that the call was wrong, and
    that nothing was run."""

    text: str
    ok: bool
    submitted: str | None = None
    artifacts: tuple[str, ...] = ()
    commit: str
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    problem: ReplyProblem | None = None


class ToolClient:
    """Lists and calls the tools of a session."""

    def __init__(self, client: Client, session: ToolSession) -> None:
        self._client = client
        self._session = session
        self._examples: dict[str, str] = {}

    @property
    def commit(self) -> str:
        """The branch's newest snapshot."""
        return self._session.commit

    async def schemas(self) -> tuple[ToolSchema, ...]:
        """The tools that the role may use, as models take them."""
        listed = await self._client.list_tools()
        self._examples = {tool.name: json.dumps((tool.meta or {}).get(EXAMPLE, {})) for tool in listed.tools}
        return tuple(
            ToolSchema(name=tool.name, description=tool.description or "", parameters=tool.input_schema)
            for tool in listed.tools
        )

    def example(self, name: str) -> str | None:
        """Valid arguments of a tool among the ``schemas``, as JSON; None for one that is not."""
        return self._examples.get(name)

    async def call(self, name: str, arguments: dict[str, Any]) -> Observation:
        """What the tool answers. An infrastructure error that the tool met is raised."""
        before, changed_before = len(self._session.dropped), len(self._session.changed)
        result = await self._client.call_tool(name, arguments)
        if self._session.failure is not None:
            raise self._session.failure
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        structured = result.structured_content or {}
        return Observation(
            text=text,
            ok=not result.is_error,
            submitted=structured.get("submitted"),
            artifacts=tuple(structured.get("artifacts") or ()),
            problem=(result.meta or {}).get(PROBLEM),
            commit=self._session.commit,
            changed=tuple(self._session.changed[changed_before:]),
            dropped=tuple(self._session.dropped[before:]),
        )


@contextlib.asynccontextmanager
async def connect(session: ToolSession, dispatcher: Dispatcher) -> AsyncIterator[ToolClient]:
    """A client of a server for the session. What is raised inside comes out as it is."""
    try:
        async with Client(build_server(session, dispatcher)) as client:
            yield ToolClient(client, session)
    except BaseExceptionGroup as group:
        # The transport's task group wraps what passes through it.
        raise _first(group) from None


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
