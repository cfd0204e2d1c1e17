"""The HTTP server against clients that take their time, or never come to an end."""

import asyncio
import contextlib
import socket
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator

import pytest
from starlette.types import Receive, Scope, Send

from app import http_protocol
from app.http_protocol import MOST_HEAD_BYTES
from app.http_server import serve_http

HEAD = b"GET / HTTP/1.1\r\nHost: a\r\n"


async def answering(scope: Scope, receive: Receive, send: Send) -> None:
    """Says how long the path was, and what the header ``X-Echo`` holds."""
    if scope["type"] == "lifespan":
        while True:
            kind = (await receive())["type"]
            await send({"type": f"{kind}.complete"})
            if kind == "lifespan.shutdown":
                return
    body = str(len(scope["path"])).encode() + dict(scope["headers"]).get(b"x-echo", b"")
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def connected() -> AsyncIterator[tuple[StreamReader, StreamWriter]]:
    """A client's end of a connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(serve_http(answering, listening))
        try:
            reader, writer = await asyncio.open_connection(*listening.getsockname())
            assert listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            async with asyncio.timeout(60):
                yield reader, writer
            writer.close()
        finally:
            serving.cancel()
            await asyncio.gather(serving, return_exceptions=True)


async def test_requests_on_one_connection_are_answered_in_turn() -> None:
    async with connected() as (reader, writer):
        for _ in range(3):
            writer.write(HEAD + b"\r\n" + HEAD + b"X: " + b"x" * (MOST_HEAD_BYTES - 100) + b"\r\n\r\n")
            for _ in range(2):
                assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(1) == b"1"


@pytest.mark.parametrize("value", [b"a b", b"  a b", b"a b  ", b"\ta b \t "])
async def test_white_space_around_a_header_is_no_part_of_its_value(value: bytes) -> None:
    async with connected() as (reader, writer):
        writer.write(HEAD + b"X-Echo: " + value + b"\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"\r\n\r\n1a b")


@pytest.mark.parametrize("piece", [b"X: y\r\n", b"X: " + b"y" * 1000, b"y" * 1000])
async def test_a_head_without_an_end_is_refused(piece: bytes) -> None:
    async with connected() as (reader, writer):
        start = HEAD if piece.startswith(b"X") else b"GET /"
        writer.write(start + piece * (MOST_HEAD_BYTES // len(piece) + 1))
        assert b" 400 " in await reader.read()


@pytest.mark.parametrize("sent", [b"", b"GET", HEAD, HEAD + b"\r\n" + HEAD])
async def test_a_head_that_does_not_come_in_time_ends_the_connection(
    sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_S", 0.05)
    async with connected() as (reader, writer):
        writer.write(sent)
        answer = await reader.read()
        assert answer.count(b" 200 ") == sent.count(b"\r\n\r\n")
