"""Requests to allowed hosts, and to no others."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from domain.errors import SoundstageError, UsageError
from mcp_server.web.web import Web, WebRequest, read_hosts
from sandbox.egress.endpoint import Endpoint, endpoint
from sandbox.egress.outside import UpstreamProxies
from sandbox.egress.refusal import BadRequest, HostRefused, HostUnreachable
from tests.mcp_server.web.certificate import trusted_server
from tests.sandbox.egress.loopback import server

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def here(port: int, name: str = "127.0.0.1") -> Endpoint:
    return endpoint(name, port)


def says(*answers: str, heard: list[str] | None = None, end: bool = True) -> Serve:
    """A server that gives these answers in turn, the last one for ever."""
    left = list(answers)

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = next((line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), b":0")
        body = await reader.readexactly(int(size.partition(b":")[2]))
        if heard is not None:
            heard.append((head + body).decode())
        writer.write((left.pop(0) if len(left) > 1 else left[0]).encode())
        await writer.drain()
        if not end:
            await reader.read()

    return reply


def ok(body: str, *headers: str) -> str:
    return "\r\n".join(["HTTP/1.1 200 OK", f"Content-Length: {len(body)}", *headers, "", body])


def found(location: str, status: int = 302) -> str:
    return f"HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"


async def ask(web: Web, url: str, most: int = 1000, timeout_s: float = 10, **more: Any) -> Any:
    return await web.fetch(WebRequest(method=more.pop("method", "GET"), url=url, **more), most, timeout_s)


async def test_a_request_is_sent_as_it_was_asked_for_and_nothing_of_ours_with_it() -> None:
    heard: list[str] = []
    async with server(says(ok("hi", "X-A: b"), heard=heard)) as port:
        answer = await ask(
            Web(inside=[here(port)]), f"http://127.0.0.1:{port}/a?b=c", method="POST", body=b"data",
            headers=(("X-Mine", "1"), ("Host", "evil"), ("Content-Length", "9"), ("Accept", "text/plain")),
        )  # fmt: skip

    assert (answer.status, answer.body, answer.cut, answer.hops) == (200, b"hi", False, ())
    assert ("x-a", "b") in answer.headers
    lines = heard[0].split("\r\n")
    assert lines[0] == "POST /a?b=c HTTP/1.1"
    assert sorted(lines[1:-2]) == sorted([
        f"Host: 127.0.0.1:{port}", "X-Mine: 1", "Accept: text/plain", "User-Agent: soundstage",
        "Accept-Encoding: identity", "Connection: close", "Content-Length: 4",
    ])  # fmt: skip
    assert lines[-1] == "data"


INSIDE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "[::1]",
    "[::ffff:127.0.0.1]", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]",
]  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
async def test_an_inside_address_is_never_reached_even_where_it_is_listed(host: str) -> None:
    with pytest.raises(HostRefused, match=r"No address inside of a network is ever reached\."):
        await ask(Web(read_hosts(f"{host}:80")), f"http://{host}/")


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"], ["::ffff:169.254.169.254"]])
async def test_a_listed_name_that_leads_inside_is_refused(answer: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int, **_: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    with pytest.raises(HostRefused, match="leads to"):
        await ask(Web(read_hosts("a.example")), "http://a.example/")


async def test_what_is_not_listed_is_refused_with_the_remedy() -> None:
    for url in ("http://a.example/", "https://b.example/", "http://127.0.0.1/", "https://a.example:8443/"):
        with pytest.raises(HostRefused, match="SOUNDSTAGE_HTTP_HOSTS"):
            await ask(Web(read_hosts("a.example:443")), url)


@pytest.mark.parametrize(
    ("location", "error"),
    [
        ("http://127.0.0.1:1/", HostRefused),
        ("http://evil.example/", HostRefused),
        ("//evil.example/", HostRefused),
        ("file:///etc/passwd", BadRequest),
        ("http://user:word@{here}/", SoundstageError),
        ("http://2130706433/", SoundstageError),
        ("http://[::1", BadRequest),
    ],
)
async def test_every_hop_of_a_redirect_is_checked(location: str, error: type[Exception]) -> None:
    heard: list[str] = []
    reply = says(found("/next"), found(location), heard=heard)
    async with server(reply) as port:
        with pytest.raises(error):
            await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")
    assert len(heard) == 2


async def test_redirects_are_followed_and_told_and_have_an_end() -> None:
    async with server(says(found("/a"), found("b?c", 307), ok("there"))) as port:
        answer = await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")
    assert (answer.url, answer.body) == (f"http://127.0.0.1:{port}/b?c", b"there")
    assert answer.hops == (f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/a")

    async with server(says(found("/again"))) as port:
        with pytest.raises(BadRequest, match="more than 5 redirects"):
            await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")


SECRETS = tuple((name, "secret") for name in ("Authorization", "Cookie", "X-Api-Key", "Private-Token", "Referer"))


@pytest.mark.parametrize(("status", "method"), [(302, "GET"), (303, "GET"), (307, "POST"), (308, "POST")])
async def test_a_body_follows_only_where_it_must_and_nothing_secret_to_another_host(status: int, method: str) -> None:
    first: list[str] = []
    second: list[str] = []
    async with server(says(ok("x"), heard=second)) as other:
        to = f"http://localhost:{other}/x"
        async with server(says(found("/same", status), found(to, status), heard=first)) as port:
            web = Web(inside=[here(port), here(other, "localhost")])
            headers = (*SECRETS, ("Content-Type", "text/plain"), ("Accept-Language", "en"))
            asking = ask(web, f"http://127.0.0.1:{port}/", method="POST", body=b"data", headers=headers)
            if method == "POST":
                with pytest.raises(BadRequest, match="would take the body to another host"):
                    await asking
            else:
                await asking

    assert first[1].startswith(f"{method} /same "), "the same host"
    assert first[1].count("secret") == len(SECRETS)
    assert ("data" in first[1]) == ("Content-Type" in first[1]) == (method == "POST")
    assert bool(second) == (method == "GET")
    for request in second:
        assert request.startswith("GET /x ")
        assert "Accept-Language: en" in request
        assert not any(word in request for word in ("secret", "data", "Content-Type"))


@pytest.mark.parametrize("status", [307, 308])
async def test_a_request_without_a_body_keeps_its_method_on_the_way_to_another_host(status: int) -> None:
    second: list[str] = []
    async with (
        server(says(ok("x"), heard=second)) as other,
        server(says(found(f"http://localhost:{other}/x", status))) as port,
    ):
        web = Web(inside=[here(port), here(other, "localhost")])
        await ask(web, f"http://127.0.0.1:{port}/", method="DELETE", headers=SECRETS)
    assert second[0].startswith("DELETE /x ")
    assert "secret" not in second[0]


async def test_a_body_that_is_too_long_is_cut_and_a_head_that_is_ends_it() -> None:
    async with server(says("HTTP/1.1 200 OK\r\n\r\n" + "x" * 5000, end=False)) as port:
        answer = await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")
    assert (len(answer.body), answer.cut) == (1000, True)

    async with server(says("HTTP/1.1 200 OK\r\nX: " + "y" * 200_000, end=False)) as port:
        with pytest.raises(HostUnreachable, match="broke off"):
            await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("answer", ["", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_a_server_that_speaks_no_http_is_named(answer: str) -> None:
    async with server(says(answer)) as port:
        with pytest.raises(HostUnreachable, match=r"127\.0\.0\.1"):
            await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_server_that_never_answers_is_given_up(scheme: str) -> None:
    async with server(says("", end=False)) as port:
        with pytest.raises(HostUnreachable, match="took over 0 s"):
            await ask(Web(inside=[here(port)]), f"{scheme}://127.0.0.1:{port}/", timeout_s=0.2)


@pytest.mark.parametrize("headers", [(("X\r\nY", "1"),), (("X", "1\r\nHost: evil"),), (("", "1"),), (("X", "\0"),)])
async def test_headers_that_would_break_the_request_are_refused(headers: tuple[tuple[str, str], ...]) -> None:
    heard: list[str] = []
    async with server(says(ok("x"), heard=heard)) as port:
        with pytest.raises(BadRequest):
            await ask(Web(inside=[here(port)]), f"http://127.0.0.1:{port}/", headers=headers)
    assert heard == []


@asynccontextmanager
async def tls_server(folder: Path, serve: Serve) -> AsyncIterator[tuple[int, Path]]:
    context, bundle = trusted_server(folder)

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await serve(reader, writer)
        writer.close()

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield listening.sockets[0].getsockname()[1], bundle
    finally:
        listening.close()


async def test_https_is_spoken_with_whom_the_bundle_trusts_and_with_nobody_else(tmp_path: Path) -> None:
    async with tls_server(tmp_path, says(ok("secret"), end=False)) as (port, bundle):
        web = Web(inside=[here(port), here(port, "localhost")], ca_bundle=bundle)
        for name in ("localhost", "127.0.0.1"):
            assert (await ask(web, f"https://{name}:{port}/")).body == b"secret"
        with pytest.raises(HostUnreachable, match="TLS"):
            await ask(Web(inside=[here(port)]), f"https://127.0.0.1:{port}/")


async def test_no_redirect_leaves_https(tmp_path: Path) -> None:
    heard: list[str] = []
    async with (
        server(says(ok("x"), heard=heard)) as plain,
        tls_server(tmp_path, says(found(f"http://127.0.0.1:{plain}/"), end=False)) as (port, bundle),
    ):
        with pytest.raises(BadRequest, match="leave https"):
            await ask(Web(inside=[here(port), here(plain)], ca_bundle=bundle), f"https://127.0.0.1:{port}/")
    assert heard == []


async def test_the_machines_own_proxy_is_used_and_its_credentials_go_no_further(tmp_path: Path) -> None:
    seen: list[str] = []
    heard: list[str] = []
    ended = asyncio.Event()
    async with tls_server(tmp_path, says(ok("far"), heard=heard, end=False)) as (port, bundle):

        async def tunnel(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            seen.append((await reader.readuntil(b"\r\n\r\n")).decode())
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
            with suppress(OSError):
                await asyncio.gather(_pump(reader, far_writer), _pump(far_reader, writer))
            far_writer.close()
            ended.set()

        async with server(tunnel) as proxy:
            proxies = UpstreamProxies(https=f"http://me:word@127.0.0.1:{proxy}")
            web = Web((), proxies, bundle, inside=[here(port, "localhost")])
            assert (await ask(web, f"https://localhost:{port}/x")).body == b"far"
            await ended.wait()

    assert seen[0].startswith(f"CONNECT localhost:{port} HTTP/1.1")
    assert "Proxy-Authorization: Basic" in seen[0]
    assert heard[0].startswith("GET /x HTTP/1.1")
    assert "Proxy-Authorization" not in heard[0]


@pytest.mark.parametrize("url", ["http://localhost/latest/meta-data", "https://localhost/", "http://127.0.0.1/"])
async def test_no_proxy_is_asked_for_a_name_that_leads_inside(url: str) -> None:
    heard: list[str] = []
    async with server(says(ok("secret"), heard=heard)) as port:
        proxy = f"http://127.0.0.1:{port}"
        web = Web(read_hosts("localhost 127.0.0.1"), UpstreamProxies(http=proxy, https=proxy))
        with pytest.raises(HostRefused, match="leads to"):
            await ask(web, url)
    assert heard == []


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
    writer.close()


def test_hosts_are_read_from_the_setting() -> None:
    assert [str(one) for one in read_hosts("A.example, b.example:8080 [2606:4700::1]")] == [
        "a.example:443", "a.example:80", "b.example:8080", "[2606:4700::1]:443", "[2606:4700::1]:80",
    ]  # fmt: skip
    assert read_hosts("") == ()
    for wrong in ("https://a.example", "a.example:x", "user@a.example", "*.example"):
        with pytest.raises(UsageError, match="SOUNDSTAGE_HTTP_HOSTS"):
            read_hosts(wrong)
