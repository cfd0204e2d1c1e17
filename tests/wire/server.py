"""A real HTTP server on this machine that speaks a provider's dialect, and breaks the way real ones break.

In an async test::

    async with WireServer(OpenAI(), [Say("hello"), Refuse(429, headers={"Retry-After": "1"})]) as server:
        ...  # server.url, server.requests

From code without a loop: ``with served(OpenAI(), answer) as server:``, which runs the server in a thread. For a program
in another process: ``python -m tests.wire.server tests.wire.openai_dialect:OpenAI tests.some.module:answer``, which
prints its URL. Replies are a script, one for each request, or a function from the request's body to a reply.
"""

import asyncio
import contextlib
import importlib
import socket
import sys
import threading
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from tests.wire.connection import Connection
from tests.wire.dialect import Dialect, Purpose
from tests.wire.replies import Handler, Json, Raw, Refuse, Reply, Request, script


class WireServer:
    """The server, while the context lasts. It refuses what the provider refuses, and it keeps connections alive."""

    def __init__(
        self,
        dialect: Dialect,
        replies: Sequence[Reply] | Handler = (),
        models: Sequence[str] | Raw | Refuse = ("test-model",),
    ) -> None:
        self.dialect = dialect
        self._replies = replies if callable(replies) else script(replies)
        self._models = models
        self._connections: set[Connection] = set()
        self._server: asyncio.Server | None = None
        self.url = ""
        self.accepted = 0
        self.requests: list[Request] = []

    @property
    def chats(self) -> list[Json]:
        """The bodies of the requests that had one, in order."""
        return [request.json for request in self.requests if request.method == "POST"]

    async def quiet(self) -> None:
        """Waits until nobody is being answered."""
        while answers := [each.answering for each in self._connections if each.answering is not None]:
            await asyncio.wait(answers)

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._accept, "127.0.0.1", 0, backlog=1024)
        self.url = _url(self.dialect, self._server.sockets[0])
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in list(self._connections):
            connection.abort()
        await self.quiet()
        await self._server.wait_closed()

    def _accept(self) -> Connection:
        self.accepted += 1
        return Connection(self.dialect, self.reply, self._connections)

    def reply(self, request: Request) -> tuple[Reply | Sequence[str], Json]:
        """What to answer to a request, model ids where they are asked for, and the request's body."""
        self.requests.append(request)
        purpose = self.dialect.routes.get((request.method, request.path))
        if purpose is None:
            return Refuse(404, "no such path"), {}
        if purpose is Purpose.LISTING:
            return self._models, {}
        try:
            body = request.json
            fault = self.dialect.fault(purpose, body)
            return (Refuse(400, fault, code="invalid_request_error") if fault else self._replies(body)), body
        except Exception as error:  # noqa: BLE001 - the test reads it in the answer
            return Refuse(400, f"the test's handler failed: {error!r}"), {}


def refusing_url(dialect: Dialect) -> str:
    """The URL of a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return _url(dialect, listener)


@contextlib.contextmanager
def full_url(dialect: Dialect) -> Iterator[str]:
    """The URL of a port whose line of callers is full: whoever calls now is not let in. It needs Linux."""
    with contextlib.ExitStack() as open_ones:
        listener = open_ones.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        open_ones.enter_context(socket.create_connection(listener.getsockname()))
        yield _url(dialect, listener)


def _url(dialect: Dialect, listener: Any) -> str:
    return f"http://127.0.0.1:{listener.getsockname()[1]}{dialect.base_path}"


@contextlib.contextmanager
def served(
    dialect: Dialect, replies: Sequence[Reply] | Handler, models: Sequence[str] | Raw | Refuse = ("test-model",)
) -> Iterator[WireServer]:
    """The server in a thread with a loop of its own, for code without one and for other processes."""
    server = WireServer(dialect, replies, models)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def run() -> None:
        async with server:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), name="wire-server")
    thread.start()
    try:
        assert ready.wait(30), "the server did not start"
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def main(arguments: Sequence[str]) -> None:
    """Serves a dialect with a function, both as ``module:name``, until stdin ends, and prints the URL first."""
    dialect, replies = (_named(each) for each in arguments)
    with served(dialect(), replies) as server:
        print(server.url, flush=True)
        sys.stdin.read()


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(importlib.import_module(module), name)


if __name__ == "__main__":
    main(sys.argv[1:])
