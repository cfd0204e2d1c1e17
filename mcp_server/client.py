"""A specialist's end: an MCP client over the in-memory transport."""

import contextlib
import json
import time
from collections.abc import AsyncIterator
from typing import Any, cast

from mcp.client import Client
from mcp.types import RequestParamsMeta, TextContent
from pydantic_core import to_jsonable_python

from domain.base import Value
from domain.chat import ToolSchema
from domain.finding import Finding
from domain.replies import ReplyProblem
from domain.test_outcome import TestOutcome
from domain.text import plain, well_formed
from mcp_server.dispatcher import Dispatcher
from mcp_server.server import PROBLEM, WITHIN, build_server
from mcp_server.session import ToolSession
from mcp_server.tool import EXAMPLE

SUBMIT, RUN_TESTS, REPORT = "submit", "run_tests", "report_findings"
"""The tools whose data a specialist's loop acts on; no other tool speaks for them."""

WRITE_FILE = "write_file"


class Observation(Value):
    """What a tool call showed. ``commit`` is the branch's newest snapshot after it and ``tree`` the hash of its files,
    ``changed`` the paths that it changed, and ``dropped`` the protected paths whose change was undone. ``problem`` says
    that the call was wrong, and that nothing was run. ``tests`` is how the tests ended, where it ran them, and
    ``findings`` what it reported. A ``read_only`` call looked at something and changed nothing."""

    text: str
    ok: bool
    submitted: str | None = None
    artifacts: tuple[str, ...] = ()
    commit: str
    tree: str = ""
    changed: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    problem: ReplyProblem | None = None
    tests: TestOutcome | None = None
    findings: tuple[Finding, ...] = ()
    read_only: bool = False


class Rollback(Value):
    """A branch that went back to a snapshot; ``undone`` are the paths that are other now."""

    commit: str
    tree: str
    undone: tuple[str, ...]


class ToolClient:
    """Lists and calls the tools of a session."""

    def __init__(self, client: Client, session: ToolSession) -> None:
        self._client = client
        self._session = session
        self._examples: dict[str, str] = {}
        self._read_only: frozenset[str] = frozenset()

    @property
    def commit(self) -> str:
        """The branch's newest snapshot."""
        return self._session.commit

    @property
    def tree(self) -> str:
        """The hash of that snapshot's files."""
        return self._session.tree_hash

    async def schemas(self) -> tuple[ToolSchema, ...]:
        """The tools that the role may use, as models take them."""
        listed = await self._client.list_tools()
        self._examples = {tool.name: json.dumps((tool.meta or {}).get(EXAMPLE, {})) for tool in listed.tools}
        self._read_only = frozenset(
            tool.name for tool in listed.tools if tool.annotations is not None and tool.annotations.read_only_hint
        )
        return tuple(
            ToolSchema(name=tool.name, description=tool.description or "", parameters=tool.input_schema)
            for tool in listed.tools
        )

    def example(self, name: str) -> str | None:
        """Valid arguments of a tool among the ``schemas``, as JSON; None for one that is not."""
        return self._examples.get(name)

    async def call(self, name: str, arguments: dict[str, Any], within_s: float | None = None) -> Observation:
        """What the tool answers. An infrastructure error that the tool met is raised.

        A tool that is at work for ``within_s`` seconds is ended; what it changed until then is kept.
        """
        if not can_be_sent(arguments):
            why = "they are nested too deeply, or hold characters that are no text"
            text = f"The arguments of {name} cannot be read: {why}. A valid example: {self.example(name)}"
            problem = ReplyProblem.ARGUMENTS_NOT_VALID
            return Observation(text=plain(text), ok=False, commit=self.commit, tree=self.tree, problem=problem)
        before, changed_before = len(self._session.dropped), len(self._session.changed)
        started = time.monotonic()
        meta = None if within_s is None else cast(RequestParamsMeta, {WITHIN: float(within_s)})
        result = await self._client.call_tool(well_formed(name), arguments, meta=meta)
        if within_s is not None and time.monotonic() - started >= within_s and self._session.failure is None:
            await self._session.sync(f"{name}, ended")
        if self._session.failure is not None:
            raise self._session.failure
        text = "\n".join(block.text for block in result.content if isinstance(block, TextContent))
        structured = result.structured_content or {}
        return Observation(
            text=text,
            ok=not result.is_error,
            submitted=structured.get("submitted") if name == SUBMIT else None,
            artifacts=tuple(structured.get("artifacts") or ()) if name == SUBMIT else (),
            problem=(result.meta or {}).get(PROBLEM),
            tests=structured.get("outcome") if name == RUN_TESTS else None,
            findings=tuple(structured.get("findings") or ()) if name == REPORT else (),
            read_only=name in self._read_only,
            commit=self.commit,
            tree=self.tree,
            changed=tuple(self._session.changed[changed_before:]),
            dropped=tuple(self._session.dropped[before:]),
        )

    async def roll_back(self, commit: str) -> Rollback:
        """Takes the branch and the sandbox back to one of the branch's snapshots."""
        undone = await self._session.roll_back(commit)
        return Rollback(commit=self.commit, tree=self.tree, undone=undone)


def can_be_sent(arguments: dict[str, Any]) -> bool:
    """Whether a transport can carry them."""
    try:
        to_jsonable_python(arguments)
    except ValueError:
        return False
    return True


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
