"""External servers at a URL: real ones of the SDK, and hostile ones byte by byte."""

import asyncio
import contextlib
import gzip
import json
import socket
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from mcp.server import MCPServer
from pydantic import SecretStr

from mcp_server.external.config import ServerConfig
from mcp_server.external.http import RemoteServer
from mcp_server.external.link import Unreachable
from mcp_server.external.server import ExternalServer
from tests.mcp_server.external.stage import Clock
from tests.sandbox.egress.loopback import Serve, server


def configured(port: int, **more: Any) -> ServerConfig:
    """A server on this machine."""
    settings = {"url": f"http://127.0.0.1:{port}/mcp", "inside": True, "connect_s": 20.0, "call_s": 20.0} | more
    return ServerConfig(name="web", **settings)


@contextlib.asynccontextmanager
async def reached(config: ServerConfig) -> AsyncIterator[ExternalServer]:
    """It, as tools reach it."""
    external = ExternalServer(config, RemoteServer(config), clock=Clock())
    try:
        yield external
    finally:
        await external.close()


@contextlib.asynccontextmanager
async def real_server(heard: list[str] | None = None) -> AsyncIterator[int]:
    """A server of the SDK on loopback; gives its port."""
    tools = MCPServer("real", log_level="ERROR")

    @tools.tool()
    async def double(number: int) -> int:
        """Twice as much."""
        return 2 * number

    app = tools.streamable_http_app()

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        if heard is not None and scope["type"] == "http":
            heard.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        await app(scope, receive, send)

    running = uvicorn.Server(uvicorn.Config(noting, log_level="error", ws="none"))
    listening = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(running.serve(sockets=[listening]))
    try:
        yield listening.getsockname()[1]
    finally:
        running.should_exit = True
        await serving


async def test_a_tool_of_a_server_at_a_url_is_listed_and_called_with_the_key_that_is_meant_for_it() -> None:
    heard: list[str] = []
    async with real_server(heard) as port:
        config = configured(port, bearer_from="ITS_KEY", secrets={"ITS_KEY": SecretStr("key-of-mine")})
        async with reached(config) as external:
            (tool,) = (await external.listing()).tools
            assert tool.description == "Twice as much."
            outcome = await external.call(tool, {"number": 21})
    assert outcome.ok
    assert "42" in outcome.text
    assert set(heard) == {"Bearer key-of-mine"}
    assert "key-of-mine" not in repr(config) + config.model_dump_json()


def answers(head: str, body: bytes = b"", more: bytes = b"", hits: list[bytes] | None = None) -> Serve:
    """A server that says the same to everyone, and ``more`` for ever."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if hits is not None:
            hits.append(request)
        with contextlib.suppress(OSError):
            writer.write(f"HTTP/1.1 {head}\r\n\r\n".encode() + body)
            while more:
                writer.write(more)
                await writer.drain()
            await writer.drain()

    return serve


CHUNK = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
EVENT = b'data: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'
EVENTS = f"{len(EVENT) * 500:x}\r\n".encode() + EVENT * 500 + b"\r\n"


@pytest.mark.parametrize(
    ("head", "more"),
    [
        ("200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked", CHUNK),
        ("200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked", CHUNK),
        ("200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked", EVENTS),
        ("200 OK\r\nX-Long: ", b"x" * 65536),
    ],
)
async def test_an_answer_without_an_end_is_cut_off(head: str, more: bytes) -> None:
    async with server(answers(head, more=more)) as port, reached(configured(port)) as external:
        with pytest.raises(Unreachable) as caught:
            await external.listing()
    assert "was not connected within" not in str(caught.value)


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("200 OK\r\nContent-Type: text/html\r\nContent-Length: 2", b"hi"),
        ("200 OK\r\nContent-Type: application/json\r\nContent-Length: 10004", b"[" * 10004),
        ("500 Oh\r\nContent-Length: 0", b""),
        ("202 Accepted\r\nContent-Length: 0", b""),
        ("200 OK\r\nContent-Length: 9999", b"x"),
        ("gibberish", b""),
    ],
)
async def test_an_answer_that_is_none_is_a_failure_that_is_told(head: str, body: bytes) -> None:
    async with server(answers(head, body)) as port, reached(configured(port)) as external:
        with pytest.raises(Unreachable) as caught:
            await external.listing()
    assert "was not connected within" not in str(caught.value)


async def test_a_packed_answer_is_never_unpacked() -> None:
    packed = gzip.compress(b" " * 200_000_000, compresslevel=1)
    head = f"200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}"
    async with server(answers(head, packed)) as port, reached(configured(port)) as external:
        with pytest.raises(Unreachable, match="answers in an encoding that it was not asked for"):
            await external.listing()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_to_another_place_is_not_followed(status: int) -> None:
    hits: list[bytes] = []
    async with server(answers("200 OK\r\nContent-Length: 0", hits=hits)) as other:
        for target in (f"http://127.0.0.1:{other}/mcp", "http://169.254.169.254/latest/meta-data/"):
            head = f"{status} Moved\r\nLocation: {target}\r\nContent-Length: 0"
            async with server(answers(head)) as port, reached(configured(port)) as external:
                with pytest.raises(Unreachable):
                    await external.listing()
    assert hits == []


async def test_an_inside_address_is_reached_only_where_the_configuration_says_so() -> None:
    hits: list[bytes] = []
    async with server(answers("200 OK\r\nContent-Length: 0", hits=hits)) as port:
        for host in ("127.0.0.1", "localhost"):
            config = configured(port, url=f"http://{host}:{port}/mcp", inside=False)
            async with reached(config) as external:
                with pytest.raises(Unreachable, match="inside = true"):
                    await external.listing()
    assert hits == []


async def test_a_server_that_never_answers_is_given_up_at_its_deadline() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(silent) as port, reached(configured(port, connect_s=0.5)) as external:
        with pytest.raises(Unreachable, match="not connected within"):
            await external.listing()


async def test_no_stream_of_what_nobody_asked_for_is_opened() -> None:
    """A server of the handshake era may push messages over a GET: it is never asked for them."""
    methods: list[str] = []

    async def old(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        methods.append(head.split()[0].decode())
        size = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        asked = json.loads(await reader.readexactly(int(size.partition(b":")[2])))
        result: dict[str, Any] = {"tools": []}
        if asked["method"] == "initialize":
            info = {"name": "old", "version": "1"}
            result = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}, "serverInfo": info}
        body = json.dumps({"jsonrpc": "2.0", "id": asked.get("id"), "result": result}).encode()
        status = "404 Not Found" if asked["method"] == "server/discover" else "200 OK"
        if "id" not in asked:
            status, body = "202 Accepted", b""
        writer.write(
            f"HTTP/1.1 {status}\r\nMcp-Session-Id: one\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()

    async with server(old) as port, reached(configured(port)) as external:
        assert (await external.listing()).tools == ()
    assert set(methods) == {"POST"}
