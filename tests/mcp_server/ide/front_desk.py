"""A person's client for tests: the real MCP transport and server, the whole product behind it, a scripted model."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.client import Client
from mcp.client.session import ClientRequestContext

from app.bootstrap import Soundstage
from gateway.scripted import ScriptedProvider
from mcp_server.caller import Caller, Permission
from mcp_server.ide.server import build_ide_server
from mcp_server.ide.session import PERSON, Folders, IdeSession
from mcp_server.ide.updates import Context
from tests.director.stage import open_stage

ERAS = ["auto", "legacy"]
"""The stateless protocol, and the one with a handshake."""

ME = "local"
Asked = Callable[[types.ElicitRequestParams], Awaitable[types.ElicitResult | types.ErrorData]]


@dataclass
class Told:
    """What a client was told of a call while it ran."""

    progress: list[float] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    async def __call__(self, progress: float, total: float | None, message: str | None) -> None:
        """Remembers it."""
        del total
        self.progress.append(progress)
        self.messages.append(message or "")


@dataclass(frozen=True)
class FrontDesk:
    """A client, the product behind it, the notifications that came by themselves, and what the server knew of each
    request."""

    client: Client
    product: Soundstage
    notified: list[Any]
    contexts: list[Context]

    async def call(self, name: str, told: Told | None = None, **arguments: Any) -> types.CallToolResult:
        """What a tool answers."""
        return await self.client.call_tool(name, arguments, progress_callback=told)

    async def data(self, name: str, **arguments: Any) -> dict[str, Any]:
        """The data that a tool answers with."""
        result = await self.call(name, **arguments)
        assert not result.is_error, text_of(result)
        data: dict[str, Any] | None = result.structured_content
        assert data is not None
        return data

    async def refused(self, name: str, **arguments: Any) -> str:
        """What a tool says when it does nothing."""
        result = await self.call(name, **arguments)
        assert result.is_error
        return text_of(result)


def text_of(result: types.CallToolResult) -> str:
    """What a result says in words."""
    return "\n".join(block.text for block in result.content if isinstance(block, types.TextContent))


def who(owner: str = ME, permissions: frozenset[Permission] = PERSON) -> Caller:
    """Somebody with an IDE."""
    return Caller(actor=f"{owner} in an IDE", owner=owner, permissions=permissions)


@contextlib.asynccontextmanager
async def connected(
    product: Soundstage,
    era: str = "auto",
    caller: Caller | None = None,
    asked: Asked | None = None,
    folders: Folders | None = None,
) -> AsyncIterator[FrontDesk]:
    """A client of the product; ``asked`` answers the questions that are put to it."""
    notified: list[Any] = []
    contexts: list[Context] = []

    def sessions(context: Context) -> IdeSession:
        assert context.method
        contexts.append(context)
        return IdeSession(caller or who(), product.tasks, folders, product.context)

    async def answer(
        context: ClientRequestContext, params: types.ElicitRequestParams
    ) -> types.ElicitResult | types.ErrorData:
        assert asked is not None
        assert context.request_id is not None
        return await asked(params)

    async def hear(message: Any) -> None:
        notified.append(message)

    server = build_ide_server(sessions, product.dispatcher)
    client = Client(
        server, mode=era, message_handler=hear, elicitation_callback=answer if asked is not None else None, cache=None
    )
    async with client:
        yield FrontDesk(client, product, notified, contexts)


@contextlib.asynccontextmanager
async def open_desk(
    home: Path, model: ScriptedProvider, era: str = "auto", asked: Asked | None = None, **settings: Any
) -> AsyncIterator[FrontDesk]:
    """A product of its own, and a client of it."""
    async with open_stage(home, model, **settings) as stage, connected(stage.product, era, asked=asked) as desk:
        yield desk
