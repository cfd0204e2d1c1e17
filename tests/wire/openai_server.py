"""A real HTTP server that speaks OpenAI's chat completions on this machine, and breaks the way real ones break.

In an async test::

    async with OpenAIServer([Say("hello"), Refuse(429, headers={"Retry-After": "1"})]) as server:
        ...  # server.url, server.requests

From code without a loop, or for a program in another process: ``with served(answer) as server:``, which runs the
server in a thread, or ``python -m tests.wire.openai_server tests.some.module:answer``, which prints its URL. Replies
are a script, one for each request, or a function from the request's body to a reply.
"""

import asyncio
import contextlib
import importlib
import json
import socket
import struct
import sys
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Self, assert_never

from tests.wire.openai_requests import fault_of

Json = dict[str, Any]
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Say:
    """A proper answer: text, and tool calls as pairs of a name and its arguments, which may be no JSON.

    ``finish`` and ``usage`` None leave that part out; ``extra`` is put into every delta.
    """

    text: str = ""
    calls: Sequence[tuple[str, str]] = ()
    reasoning: str = ""
    finish: str | None = "auto"
    usage: Mapping[str, Any] | None = field(default_factory=lambda: {"prompt_tokens": 11, "completion_tokens": 7})
    extra: Mapping[str, Any] = field(default_factory=dict)

    def events(self, model: str) -> list[bytes]:
        """The server-sent events of the answer, in pieces as a provider sends them."""
        deltas: list[Json] = [{"role": "assistant", "content": None}]
        deltas += [{"reasoning_content": piece} for piece in _pieces(self.reasoning)]
        deltas += [{"content": piece} for piece in _pieces(self.text)]
        for index, (name, arguments) in enumerate(self.calls):
            first = {"index": index, "id": f"call_{index}", "type": "function"}
            deltas.append({"tool_calls": [first | {"function": {"name": name, "arguments": ""}}]})
            pieces = [{"index": index, "function": {"arguments": piece}} for piece in _pieces(arguments)]
            deltas += [{"tool_calls": [piece]} for piece in pieces]
        choices: list[list[Json]] = [
            [{"index": 0, "delta": delta | dict(self.extra), "finish_reason": None}] for delta in deltas
        ]
        if self.finish is not None:
            finish = self.finish if self.finish != "auto" else "tool_calls" if self.calls else "stop"
            choices.append([{"index": 0, "delta": {}, "finish_reason": finish}])
        chunks = [_chunk(model, each) for each in choices]
        if self.usage is not None:
            chunks.append(_chunk(model, []) | {"usage": dict(self.usage)})
        return [*map(event, chunks), DONE]


@dataclass(frozen=True)
class Refuse:
    """An error in OpenAI's form, or with ``body`` in any other."""

    status: int
    message: str = "refused"
    code: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None


class Trouble(StrEnum):
    """What happens in the middle of an answer."""

    HANG = "nothing more comes"
    DRIP = "only comments come, one after the other"
    RESET = "the connection is reset"
    CUT = "the connection ends in the middle of the body"


@dataclass(frozen=True)
class Break:
    """An answer that breaks after so many events; None is before the first byte of the response."""

    trouble: Trouble
    after: int | None = None
    reply: Say = field(default_factory=lambda: Say("A long answer that nobody ever heard the end of."))


@dataclass(frozen=True)
class Raw:
    """A response of 200 with just these bytes."""

    body: bytes
    content_type: str = "text/event-stream"


Reply = Say | Refuse | Break | Raw
Handler = Callable[[Json], Reply]


@dataclass(frozen=True)
class Request:
    """A request as it came; header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        """The body as JSON."""
        found: Json = json.loads(self.body)
        return found


def event(chunk: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(chunk)}\n\n".encode()


def refusing_url() -> str:
    """The URL of a port on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/v1"


class OpenAIServer:
    """The server, while the context lasts. It refuses what OpenAI refuses, such as a tool message nobody asked for."""

    def __init__(self, replies: Sequence[Reply] | Handler = (), models: Sequence[str] | Raw = ("test-model",)) -> None:
        self._replies = replies if callable(replies) else _script(replies)
        self._models = models
        self._connections: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.url = ""
        self.requests: list[Request] = []

    @property
    def chats(self) -> list[Json]:
        """The bodies of the chat requests, in order."""
        return [request.json for request in self.requests if request.method == "POST"]

    async def quiet(self) -> None:
        """Waits until no connection is open."""
        while self._connections:
            await asyncio.wait(self._connections)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for connection in self._connections:
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._server.wait_closed()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            request = await _read(reader)
            self.requests.append(request)
            await _while_connected(self._answer(request, writer), reader)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        match request.method, request.path:
            case "GET", "/v1/models":
                await _send(writer, 200, *_listing(self._models))
            case "POST", "/v1/chat/completions":
                await _carry_out(self._reply(request.json), str(request.json.get("model")), writer)
            case _:
                await _send(writer, 404, b'{"error": {"message": "no such path"}}')

    def _reply(self, body: Json) -> Reply:
        if fault := fault_of(body):
            return Refuse(400, fault, code="invalid_request_error")
        try:
            return self._replies(body)
        except Exception as error:  # noqa: BLE001 - the test reads it in the answer
            return Refuse(400, f"the test's handler failed: {error!r}")


@contextlib.contextmanager
def served(replies: Sequence[Reply] | Handler, models: Sequence[str] | Raw = ("test-model",)) -> Iterator[OpenAIServer]:
    """The server in a thread with a loop of its own, for code without one and for other processes."""
    server = OpenAIServer(replies, models)
    ready = threading.Event()
    loop = asyncio.new_event_loop()
    ended = asyncio.Event()

    async def run() -> None:
        async with server:
            ready.set()
            await ended.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()), name="openai-server")
    thread.start()
    try:
        assert ready.wait(30), "the server did not start"
        yield server
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join()
        loop.close()


def _script(replies: Sequence[Reply]) -> Handler:
    left = list(replies)

    def following(_body: Json) -> Reply:
        return left.pop(0) if left else Refuse(400, "the test's script has no more replies")

    return following


def _chunk(model: str, choices: list[Json]) -> Json:
    common = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": model}
    return common | {"choices": choices, "usage": None}


def _pieces(text: str, size: int = 7) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def _listing(models: Sequence[str] | Raw) -> tuple[bytes, Mapping[str, str]]:
    if isinstance(models, Raw):
        return models.body, {"content-type": models.content_type}
    data = [{"id": name, "object": "model", "created": 1, "owned_by": "test"} for name in models]
    return json.dumps({"object": "list", "data": data}).encode(), {}


async def _read(reader: asyncio.StreamReader) -> Request:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = head[0].split(" ", 2)
    pairs = (line.split(":", 1) for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Request(method, path, headers, body)


async def _while_connected(answering: Coroutine[Any, Any, None], reader: asyncio.StreamReader) -> None:
    work, departure = asyncio.ensure_future(answering), asyncio.ensure_future(reader.read(1))
    try:
        await asyncio.wait({work, departure}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (work, departure):
            task.cancel()
        results = await asyncio.gather(work, departure, return_exceptions=True)
    if isinstance(results[0], Exception):
        raise results[0]


async def _send(
    writer: asyncio.StreamWriter, status: int, body: bytes, headers: Mapping[str, str] | None = None
) -> None:
    fields = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in {**fields, **(headers or {})}.items())
    writer.write(f"HTTP/1.1 {status} Test\r\n{lines}\r\n".encode() + body)
    await writer.drain()


async def _carry_out(reply: Reply, model: str, writer: asyncio.StreamWriter) -> None:
    match reply:
        case Say():
            await _stream(writer, reply.events(model), None)
        case Refuse():
            error = {"message": reply.message, "type": "test", "param": None, "code": reply.code}
            body = json.dumps({"error": error}).encode() if reply.body is None else reply.body
            await _send(writer, reply.status, body, reply.headers)
        case Raw():
            await _send(writer, 200, reply.body, {"content-type": reply.content_type})
        case Break(after=None):
            await _break(writer, reply.trouble)
        case Break():
            await _stream(writer, reply.reply.events(model)[: reply.after], reply.trouble)
        case _:
            assert_never(reply)


async def _stream(writer: asyncio.StreamWriter, events: Sequence[bytes], trouble: Trouble | None) -> None:
    fields = "content-type: text/event-stream\r\ntransfer-encoding: chunked\r\nconnection: close\r\n"
    writer.write(f"HTTP/1.1 200 OK\r\n{fields}\r\n".encode())
    for each in events:
        await _write_piece(writer, each)
    if trouble is not None:
        await _break(writer, trouble)
    else:
        await _write_piece(writer, b"")


async def _write_piece(writer: asyncio.StreamWriter, piece: bytes) -> None:
    writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
    await writer.drain()


async def _break(writer: asyncio.StreamWriter, trouble: Trouble) -> None:
    match trouble:
        case Trouble.HANG:
            await asyncio.Event().wait()
        case Trouble.DRIP:
            async for comment in _drops():
                await _write_piece(writer, comment)
        case Trouble.RESET:
            # What was written may be on its way still; with a reset it could be lost, which no test wants.
            await asyncio.sleep(0.02)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
        case Trouble.CUT:
            await writer.drain()


async def _drops() -> AsyncIterator[bytes]:
    while True:
        yield b": still working\n\n"
        await asyncio.sleep(0.01)


def main(arguments: Sequence[str]) -> None:
    """Serves the function ``module:function`` until stdin ends, and prints the URL first."""
    module, _, name = arguments[0].partition(":")
    with served(getattr(importlib.import_module(module), name)) as server:
        print(server.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    # The function's module imports this one by its name: its replies are of that module's classes, not of __main__'s.
    importlib.import_module("tests.wire.openai_server").main(sys.argv[1:])
