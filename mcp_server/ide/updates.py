"""Telling clients what changes: tasks that they subscribed to, and the list of tools; in both eras of the protocol."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any

import mcp.types as types
from mcp.server.connection import Connection
from mcp.server.context import ServerRequestContext
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler
from mcp.shared.exceptions import MCPError
from mcp.shared.subscriptions import ResourceUpdated, ToolsListChanged

from domain.errors import UnknownTask
from domain.progress import STANDING
from mcp_server.caller import Permission
from mcp_server.ide.resources import UnknownResource, address_of
from mcp_server.ide.session import IdeSession
from mcp_server.registry import Registry

Context = ServerRequestContext[Any, Any]
Tell = Callable[[], Awaitable[None]]

MOST_WATCHED = 16
"""How many resources one connection or stream may watch."""

MOST_WATCHED_IN_ALL = 128
BUFFERED = 256

TURNS = {
    "": STANDING,
    "events": None,
    "patch": frozenset({"branch_merged", "task_finished"}),
    "evidence": frozenset({"verification_finished", "task_finished"}),
    "artifacts": frozenset({"task_finished"}),
}
"""The types of the facts that change a resource, by its part; None stands for all."""


class Updates:
    """Watches the registry, and the event logs of tasks while somebody subscribes to them."""

    def __init__(self, sessions: Callable[[Context], IdeSession], registry: Registry) -> None:
        self._sessions = sessions
        self._registry = registry
        self._watched = 0

    async def initialized(self, context: Context, params: types.NotificationParams | None) -> None:
        """From here on the client of a handshake hears of changes to the tools, until it leaves."""
        del params
        connection = _connection(context)
        changed = connection.exit_stack.enter_context(self._changes())
        _keep(connection, _tell(changed, connection.send_tool_list_changed))

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """The client of a handshake hears of changes to a resource, until the task ends or it leaves."""
        session, connection = self._sessions(context), _connection(context)
        uri, watched = params.uri, _watched(connection)
        seq = await _newest(session, uri)
        if seq is None:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": uri})
        if uri not in watched:
            if len(watched) >= MOST_WATCHED:
                raise MCPError(types.INVALID_REQUEST, f"A connection may watch {MOST_WATCHED} resources at most")
            watching = self._watch(session, uri, seq, lambda: connection.send_resource_updated(uri))
            watched[uri] = _keep(connection, watching)
        return types.EmptyResult()

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """It does not hear of them any more."""
        if (task := _watched(_connection(context)).pop(params.uri, None)) is not None:
            task.cancel()
        return types.EmptyResult()

    async def listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """A stream of changes: those to resources that the caller may see, and to the tools."""
        session, wanted = self._sessions(context), params.notifications
        seen = {uri: await _newest(session, uri) for uri in (wanted.resource_subscriptions or ())[:MOST_WATCHED]}
        known = {uri: seq for uri, seq in seen.items() if seq is not None}
        granted = types.SubscriptionFilter(
            tools_list_changed=wanted.tools_list_changed, resource_subscriptions=list(known)
        )
        bus = InMemorySubscriptionBus()
        with self._changes() as changed:
            tellers = [_tell(changed, lambda: bus.publish(ToolsListChanged()))]
            tellers += [self._watch(session, uri, seq, _publisher(bus, uri)) for uri, seq in known.items()]
            async with _running(tellers):
                handler = ListenHandler(bus, max_buffered_events=BUFFERED)
                return await handler(context, params.model_copy(update={"notifications": granted}))

    @contextlib.contextmanager
    def _changes(self) -> Iterator[asyncio.Event]:
        """Is set when the tools change."""
        changed = asyncio.Event()
        stop = self._registry.on_change(changed.set)
        try:
            yield changed
        finally:
            stop()

    async def _watch(self, session: IdeSession, uri: str, after: int, tell: Tell) -> None:
        """Tells of changes to a resource after an event, until the task has ended."""
        address = address_of(uri)
        turns = TURNS[address.part]
        if self._watched >= MOST_WATCHED_IN_ALL:
            # Nobody is promised an update: whoever gets none has to look.
            return
        self._watched += 1
        try:
            async for event in session.tasks.follow(session.owner, address.task_id, after):
                if turns is None or event.fact.type in turns:
                    await tell()
        finally:
            self._watched -= 1


async def _tell(changed: asyncio.Event, tell: Tell) -> None:
    """Tells of changes; of several at once only once."""
    while True:
        await changed.wait()
        changed.clear()
        await tell()


def _connection(context: Context) -> Connection:
    # The SDK gives handlers no public way to their connection, on which they are to keep what lives as long as it.
    return context.session._connection


def _watched(connection: Connection) -> "dict[str, asyncio.Task[None]]":
    watched: dict[str, asyncio.Task[None]] = connection.state.setdefault("soundstage/watched", {})
    for uri in [uri for uri, task in watched.items() if task.done()]:
        del watched[uri]
    return watched


def _keep(connection: Connection, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    """Works in the background until the connection closes."""
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    connection.exit_stack.callback(task.cancel)
    return task


@contextlib.asynccontextmanager
async def _running(works: list[Coroutine[Any, Any, None]]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _publisher(bus: InMemorySubscriptionBus, uri: str) -> Tell:
    return lambda: bus.publish(ResourceUpdated(uri))


async def _newest(session: IdeSession, uri: str) -> int | None:
    """The newest event of the task that a URI is about; None where the caller sees no such resource."""
    try:
        address = address_of(uri)
        if address.part not in TURNS or not session.may(Permission.SEE_TASKS):
            return None
        return (await session.tasks.get(session.owner, address.task_id)).seq
    except (UnknownResource, UnknownTask):
        return None
