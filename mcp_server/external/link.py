"""A live connection to an external server. Each part of it has a deadline."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

import mcp.types as types
from mcp.client import Client, ClientSession
from mcp.shared.exceptions import MCPError
from pydantic import ValidationError

from domain.errors import SoundstageError
from domain.text import one_line
from mcp_server.external.config import ServerConfig
from mcp_server.external.definition import Listing, vetted
from mcp_server.external.gate import Flooded, Gate, GatedStreams
from mcp_server.external.stdio import ServerEnded

MOST_PAGES = 8
MOST_LISTED = 4096
MOST_WHY = 600
QUIET = logging.NullHandler()
CLIENT = types.Implementation(name="soundstage", version="1")


class Unreachable(Exception):
    """The server does not do what was asked of it; the message says why, in words that may be its own."""


class Way(Protocol):
    """How a server is started or spoken to."""

    def running(self, gate: Gate) -> AbstractAsyncContextManager["asyncio.Task[None]"]:
        """The server at work behind a gate. The task ends with it, and raises why."""
        ...


class Link:
    """Connects at once, in a task of its own. ``failed`` says why it ended, where nobody wanted it to."""

    def __init__(self, config: ServerConfig, way: Way) -> None:
        # The SDK logs what a server sends that it cannot read: nobody wants that on their terminal.
        for name in ("mcp.client", "mcp.shared"):
            logging.getLogger(name).addHandler(QUIET)
        self._config = config
        self._gate = Gate()
        self._ready: asyncio.Future[ClientSession] = asyncio.get_running_loop().create_future()
        self._wanted = asyncio.Event()
        self._at_work = 0
        self._closing = False
        self.failed: str | None = None
        self._task = asyncio.create_task(self._hold(way))

    @property
    def ended(self) -> bool:
        """Whether it is of no use any more."""
        return self._closing or self.gone or self.failed is not None

    @property
    def gone(self) -> bool:
        """Whether nothing of it is left."""
        return self._task.done()

    @property
    def stale(self) -> bool:
        """Whether the server said that its list of tools has changed. Asking forgets it."""
        changed, self._gate.changed = self._gate.changed, False
        return changed

    async def _hold(self, way: Way) -> None:
        try:
            if missing := [name for name in self._config.variables if name not in self._config.secrets]:
                raise Unreachable(f"the variable {missing[0]} is not set, which servers.toml wants for it")
            async with self._connected(way) as (session, reading):
                self._ready.set_result(session)
                await self._until_idle(reading)
        except Exception as error:  # noqa: BLE001 - whatever a server brings about is its own failure and nobody else's
            self.failed = _why(error)
        finally:
            self._gate.dispose()
            if not self._ready.done():
                self._ready.set_exception(Unreachable(self.failed or "it was closed"))
                self._ready.exception()  # it may be that nobody waits for it

    @contextlib.asynccontextmanager
    async def _connected(self, way: Way) -> AsyncIterator[tuple[ClientSession, "asyncio.Task[None]"]]:
        try:
            async with asyncio.timeout(self._config.connect_s) as deadline:
                async with way.running(self._gate) as reading:
                    mode = "legacy" if self._config.handshake else "auto"
                    client = Client(GatedStreams(self._gate), client_info=CLIENT, cache=None, mode=mode)
                    try:
                        await client.__aenter__()
                    except Exception as error:  # any: it is raised on, as its cause or as itself
                        # The SDK knows that it ended, and not why.
                        if reading.done() and (ended := reading.exception()) is not None:
                            raise ended from error
                        raise
                    deadline.reschedule(None)
                    try:
                        yield client.session, reading
                    finally:
                        await client.__aexit__(None, None, None)
        except TimeoutError:
            raise Unreachable(f"it was not connected within {self._config.connect_s:g} s") from None

    async def _until_idle(self, reading: "asyncio.Task[None]") -> None:
        while True:
            self._wanted.clear()
            waking = asyncio.create_task(self._wanted.wait())
            try:
                done, _ = await asyncio.wait(
                    {reading, waking}, timeout=self._config.idle_s, return_when=asyncio.FIRST_COMPLETED
                )
            finally:
                waking.cancel()
            if reading in done:
                await reading
            if not done and not self._at_work:
                self._closing = True
                return

    async def listing(self) -> Listing:
        """The tools that it offers, vetted. Unreachable."""
        found: list[types.Tool] = []
        cursor: str | None = None
        async with self._asking(self._config.connect_s) as session:
            for _ in range(MOST_PAGES):
                page = await session.list_tools(params=types.PaginatedRequestParams(cursor=cursor))
                found += page.tools
                cursor = page.next_cursor
                if len(found) > MOST_LISTED:
                    raise Unreachable(f"it offers more than {MOST_LISTED} tools")
                if cursor is None:
                    # Millions of bytes of schemas are much work: in a thread it holds up nobody else.
                    return await asyncio.to_thread(vetted, self._config, found)
            raise Unreachable(f"its list of tools has more than {MOST_PAGES} pages")

    async def call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
        """What a tool answers. Unreachable."""
        async with self._asking(self._config.call_s) as session:
            params = types.CallToolRequestParams(name=name, arguments=arguments)
            # Not the SDK's own call: that would run the server's output schema, patterns and all.
            return await session.send_request(types.CallToolRequest(params=params), types.CallToolResult)

    @contextlib.asynccontextmanager
    async def _asking(self, timeout_s: float) -> AsyncIterator[ClientSession]:
        session = await asyncio.shield(self._ready)
        self._at_work += 1
        try:
            async with asyncio.timeout(timeout_s):
                yield session
        except TimeoutError:
            raise Unreachable(f"it did not answer within {timeout_s:g} s") from None
        except MCPError as error:
            if error.code != types.CONNECTION_CLOSED:
                raise Unreachable(f"it answers with an error: {one_line(error.message, MOST_WHY)}") from error
            await asyncio.wait([self._task], timeout=1)
            raise Unreachable(self.failed or "its connection was closed") from error
        except (ValidationError, RuntimeError) as error:
            raise Unreachable("its answer is not what the protocol says") from error
        finally:
            self._at_work -= 1
            self._wanted.set()

    def give_up(self, why: str) -> None:
        """Lets go of a server that failed, without waiting for its end."""
        self.failed = self.failed or why
        self._task.cancel()

    async def close(self) -> None:
        """Lets go of the server; a sandbox of its own ends with it."""
        self._task.cancel()
        await asyncio.wait([self._task])


def _why(error: BaseException) -> str:
    """The innermost reason, in a few words."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    match error:
        case Flooded():
            return "it sent far more than it was asked for, and was cut off"
        case ServerEnded() | Unreachable() | SoundstageError() | MCPError():
            return one_line(str(error), MOST_WHY)
        case _ if isinstance(error.__cause__, SoundstageError):
            return one_line(str(error.__cause__), MOST_WHY)
    return one_line(f"{type(error).__name__}: {error}", MOST_WHY)
