"""Plain http requests through the proxy: one a connection, framed anew on both sides."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from sandbox.egress.contact import Outcome
from tests.sandbox.egress.loopback import allow, proxy_place, server
from tests.sandbox.egress.test_proxy import get

Reply = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def says(answer: bytes, heard: list[bytes] | None = None) -> Reply:
    """A server that gives one answer, and keeps the connection open when it can."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(head)
        writer.write(answer)
        await writer.drain()
        if b"Content-Length" in answer or b"chunked" in answer:
            await reader.read()

    return reply


async def test_a_plain_request_goes_on_without_the_headers_of_its_hop() -> None:
    heard: list[bytes] = []
    more = "Proxy-Authorization: Basic x\r\nConnection: x-secret, close\r\nX-Secret: 1\r\nX-Kept: 2\r\nTE: trailers\r\n"
    reply = says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: 5\r\nX-A: b\r\n\r\nhi", heard)
    async with server(reply) as port, proxy_place(allow(("localhost", port))) as place:
        answer = await place.ask(get(port, "/simple/?q=1", more))

    (head,) = heard
    assert head.startswith(b"GET /simple/?q=1 HTTP/1.1\r\n")
    assert f"host: localhost:{port}\r\n".encode() in head.lower()
    assert b"connection: close\r\n" in head.lower()
    assert b"x-kept: 2" in head.lower()
    for name in (b"proxy-authorization", b"x-secret", b"te:"):
        assert name not in head.lower()
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.endswith(b"\r\n\r\nhi")
    assert b"keep-alive" not in answer.lower()
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 99\r\n\r\n3\r\nabc\r\n0\r\n\r\n", b"abc"),
        (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
        (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone", b"none"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\ny", b"x"),
    ],
)
async def test_an_answer_comes_back_whole_and_alone_however_it_was_framed(answer: bytes, body: bytes) -> None:
    async with server(says(answer)) as port, proxy_place(allow(("localhost", port))) as place:
        came = await place.ask(get(port, "/").replace(b"HTTP/1.1", b"HTTP/1.0"))

    assert came.partition(b"\r\n\r\n")[2] == body
    assert came.count(b"HTTP/1.1 ") == 1
    assert b"99" not in came


async def test_an_answer_to_head_has_no_body() -> None:
    reply = says(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
    async with server(reply) as port, proxy_place(allow(("localhost", port))) as place:
        came = await place.ask(get(port, method="HEAD"))

    assert came.endswith(b"\r\n\r\n")
    assert b"12" in came


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-server\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000,
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20,
        b"",
    ],
    ids=["ssh", "length", "upgrade", "endless", "hints", "nothing"],
)
async def test_a_server_that_speaks_no_http_is_a_bad_gateway(answer: bytes) -> None:
    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with server(reply) as port, proxy_place(allow(("localhost", port))) as place:
        came = await place.ask(get(port))
        (contact,) = place.proxy.contacts

    assert came.startswith(b"HTTP/1.1 502 ")
    assert contact.outcome is Outcome.UNREACHABLE


async def test_a_redirect_is_handed_to_the_client_and_not_followed() -> None:
    reply = says(b"HTTP/1.1 302 Found\r\nLocation: http://evil.example/\r\nContent-Length: 0\r\n\r\n")
    async with server(reply) as port, proxy_place(allow(("localhost", port))) as place:
        came = await place.ask(get(port))
        again = await place.ask(b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\n\r\n")

    assert b"302 Found" in came
    assert again.startswith(b"HTTP/1.1 403 ")
