"""Telling clients what changes: tasks that they subscribed to, and the list of tools; in both eras of the protocol."""

import asyncio
import contextlib
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
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
from mcp_server.dispatcher import Dispatcher
from mcp_server.ide.entries import entry
from mcp_server.ide.front import Front
from mcp_server.ide.resources import Address, UnknownResource, address_of
from mcp_server.ide.session import IdeSession

Context = ServerRequestContext[Any, Any]
Tell = Callable[[], Awaitable[None]]
Watched = dict[Address, asyncio.Task[None]]
Seen = dict[Address, tuple[str, int]]
"""Resources with the names that somebody has for them, and the newest events of their tasks."""

MOST_WATCHED = 16
"""How many resources one connection or stream may watch."""

MOST_WATCHED_BY_OWNER = 128
"""How many resources may be watched in the name of one owner, by all connections together."""

BUFFERED = 256
TOLD, WATCHED = "soundstage/told", "soundstage/watched"
"""Where a connection's state says that its client hears of tools, and what it watches."""

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

    def __init__(self, sessions: Callable[[Context], IdeSession], dispatcher: Dispatcher) -> None:
        self._sessions = sessions
        self._dispatcher = dispatcher
        self._watched: Counter[str] = Counter()

    async def initialized(self, context: Context, params: types.NotificationParams | None) -> None:
        """From here on the client of a handshake hears of changes to the tools, until it leaves."""
        del params
        connection = _connection(context)
        if connection.state.setdefault(TOLD, context) is not context:
            return
        changed = connection.exit_stack.enter_context(self._changes())
        task = _begin(_tell(changed, connection.send_tool_list_changed))
        connection.exit_stack.callback(task.cancel)

    async def subscribe(self, context: Context, params: types.SubscribeRequestParams) -> types.EmptyResult:
        """The client of a handshake hears of changes to a resource, until the task ends or it leaves."""
        session, connection = self._sessions(context).facing(Front()), _connection(context)
        try:
            with entry(self._dispatcher, session, "resources/subscribe"):
                address, seq = await _newest(session, params.uri)
                if address not in (watched := _watched(connection)):
                    self._check_room(session.owner, len(watched))
                    told = _watch(session, address, seq, lambda: connection.send_resource_updated(params.uri))
                    watched[address] = self._count(session.owner, _begin(told))
        except UnknownResource:
            raise MCPError(types.INVALID_PARAMS, "Resource not found", {"uri": params.uri}) from None
        return types.EmptyResult()

    def _check_room(self, owner: str, here: int) -> None:
        if here >= MOST_WATCHED:
            raise MCPError(types.INVALID_REQUEST, f"A connection may watch {MOST_WATCHED} resources at most")
        if self._watched[owner] >= MOST_WATCHED_BY_OWNER:
            raise MCPError(types.INVALID_REQUEST, f"{MOST_WATCHED_BY_OWNER} resources are watched in your name already")

    def _count(self, owner: str, task: "asyncio.Task[None]") -> "asyncio.Task[None]":
        """Counts a resource as watched until the task is done."""
        self._watched[owner] += 1
        task.add_done_callback(lambda _: self._watched.subtract({owner: 1}))
        return task

    async def unsubscribe(self, context: Context, params: types.UnsubscribeRequestParams) -> types.EmptyResult:
        """It does not hear of them any more."""
        with contextlib.suppress(UnknownResource):
            if (task := _watched(_connection(context)).pop(_plain_address(params.uri), None)) is not None:
                task.cancel()
        return types.EmptyResult()

    async def listen(
        self, context: Context, params: types.SubscriptionsListenRequestParams
    ) -> types.SubscriptionsListenResult:
        """A stream of changes: those to resources that the caller may see, and to the tools."""
        session, wanted = self._sessions(context), params.notifications
        seen = await self._seen(context, (wanted.resource_subscriptions or ())[:MOST_WATCHED])
        bus = InMemorySubscriptionBus()
        with self._changes() as changed, self._places(session.owner, seen) as held:
            granted = types.SubscriptionFilter(
                tools_list_changed=wanted.tools_list_changed, resource_subscriptions=[uri for uri, _ in held.values()]
            )
            tellers = [_tell(changed, lambda: bus.publish(ToolsListChanged()))]
            tellers += [_watch(session, at, seq, _publisher(bus, uri)) for at, (uri, seq) in held.items()]
            async with _running(tellers):
                handler = ListenHandler(bus, max_buffered_events=BUFFERED)
                return await handler(context, params.model_copy(update={"notifications": granted}))

    async def _seen(self, context: Context, uris: Sequence[str]) -> Seen:
        """Of these resources those that the caller sees, each once."""
        seen: Seen = {}
        for uri in uris:
            session = self._sessions(context).facing(Front())
            with contextlib.suppress(UnknownResource), entry(self._dispatcher, session, "subscriptions/listen"):
                address, seq = await _newest(session, uri)
                seen.setdefault(address, (uri, seq))
        return seen

    @contextlib.contextmanager
    def _places(self, owner: str, seen: Seen) -> Iterator[Seen]:
        """Those of the resources that the owner may still watch, which count meanwhile."""
        room = max(0, MOST_WATCHED_BY_OWNER - self._watched[owner])
        held = dict(itertools.islice(seen.items(), room))
        self._watched[owner] += len(held)
        try:
            yield held
        finally:
            self._watched[owner] -= len(held)

    @contextlib.contextmanager
    def _changes(self) -> Iterator[asyncio.Event]:
        """Is set when the tools change."""
        changed = asyncio.Event()
        stop = self._dispatcher.registry.on_change(changed.set)
        try:
            yield changed
        finally:
            stop()


async def _watch(session: IdeSession, address: Address, after: int, tell: Tell) -> None:
    """Tells of changes to a resource after an event, until the task has ended."""
    turns = TURNS[address.part]
    async for event in session.tasks.follow(session.owner, address.task_id, after):
        if turns is None or event.fact.type in turns:
            await tell()


async def _tell(changed: asyncio.Event, tell: Tell) -> None:
    """Tells of changes; of several at once only once."""
    while True:
        await changed.wait()
        changed.clear()
        await tell()


def _connection(context: Context) -> Connection:
    # The SDK gives handlers no public way to their connection, on which they are to keep what lives as long as it.
    return context.session._connection


def _watched(connection: Connection) -> Watched:
    """What is watched for a connection, until it closes."""
    if WATCHED not in connection.state:
        connection.state[WATCHED] = {}
        connection.exit_stack.callback(_end, connection.state[WATCHED])
    watched: Watched = connection.state[WATCHED]
    for address in [address for address, task in watched.items() if task.done()]:
        del watched[address]
    return watched


def _end(watched: Watched) -> None:
    for task in watched.values():
        task.cancel()


def _begin(work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
    task = asyncio.create_task(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
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


def _plain_address(uri: str) -> Address:
    """What a URI names, the same for each of its spellings. UnknownResource."""
    return address_of(uri).model_copy(update={"after": 0})


async def _newest(session: IdeSession, uri: str) -> tuple[Address, int]:
    """What a URI names, and the newest event of its task. UnknownResource where the caller sees none."""
    address = _plain_address(uri)
    session.about(address.task_id)
    if address.part not in TURNS or not session.may(Permission.SEE_TASKS):
        raise UnknownResource
    try:
        return address, (await session.tasks.get(session.owner, address.task_id)).seq
    except UnknownTask:
        raise UnknownResource from None
