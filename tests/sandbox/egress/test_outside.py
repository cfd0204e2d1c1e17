"""The way from this machine to a host: pinned addresses, and proxies upstream."""

import asyncio
import socket
from typing import Any

import pytest

from sandbox.egress.contact import Outcome
from sandbox.egress.endpoint import endpoint
from sandbox.egress.limits import EgressLimits
from sandbox.egress.outside import Outside, UpstreamProxies
from sandbox.egress.refusal import HostRefused, HostUnreachable
from tests.sandbox.egress.loopback import allow, proxy_place, server
from tests.sandbox.egress.test_plain import says
from tests.sandbox.egress.test_proxy import connect, get, settled, shout


class Names:
    """A resolver whose answers change, as that of somebody who rebinds a name does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.asked = 0
        self._answers = answers
        loop = asyncio.get_running_loop()
        self._real = loop.getaddrinfo
        monkeypatch.setattr(loop, "getaddrinfo", self._resolve)

    async def _resolve(self, host: str, port: int, **more: Any) -> Any:
        if host.endswith("example"):
            answer = self._answers[min(self.asked, len(self._answers) - 1)]
            self.asked += 1
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answer]
        return await self._real(host, port, **more)


async def test_a_name_is_resolved_once_and_its_address_pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(shout) as port:
        names = Names(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])
        place = endpoint("registry.example", port)
        outside = Outside(allow(("registry.example", port)))
        lines = await asyncio.gather(*(outside.open(place, tunnel=True) for _ in range(5)))
        lines.append(await outside.open(place, tunnel=True))
        for line in lines:
            assert line.writer.get_extra_info("peername")[0] == "127.0.0.1"
            await line.close()

    assert names.asked == 1


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["169.254.169.254"], ["1.1.1.1", "10.0.0.1"]])
async def test_a_default_host_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch, answer: list[str]) -> None:
    Names(monkeypatch, answer)
    outside = Outside(allow(("registry.example", 443), named=False))

    with pytest.raises(HostRefused, match="leads to"):
        await outside.open(endpoint("registry.example", 443), tunnel=True)


async def test_a_host_that_is_not_allowed_is_not_even_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(monkeypatch, ["127.0.0.1"])

    with pytest.raises(HostRefused):
        await Outside(allow()).open(endpoint("data-in-a-name.example", 443), tunnel=True)

    assert names.asked == 0


async def test_a_second_address_is_tried_where_the_first_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    async with server(shout) as port:
        Names(monkeypatch, ["127.0.0.2", "127.0.0.1"])
        monkeypatch.setattr(socket.socket, "connect", _only_first_loopback(socket.socket.connect))
        line = await Outside(allow(("a.example", port))).open(endpoint("a.example", port), tunnel=True)
        await line.close()


def _only_first_loopback(connect: Any) -> Any:
    def guarded(self: socket.socket, address: Any) -> None:
        if address[0] == "127.0.0.2":
            raise ConnectionRefusedError
        connect(self, address)

    return guarded


def forward_proxy(heard: list[bytes], status: str = "200 OK") -> Any:
    """An upstream proxy that answers CONNECT with a status, and then shouts."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(f"HTTP/1.1 {status}\r\nVia: x\r\n\r\n".encode())
        await shout(reader, writer)

    return reply


async def test_a_tunnel_goes_through_the_machines_own_proxy_with_its_credentials() -> None:
    heard: list[bytes] = []
    async with server(forward_proxy(heard)) as port:
        upstream = UpstreamProxies(https=f"http://user:w%40rd@127.0.0.1:{port}")
        allowlist = allow(("registry.example", 443), named=False)
        async with proxy_place(allowlist, upstream=upstream) as place, place.client() as client:
            await client.say(connect(443, "registry.example"))
            head = await client.head()
            await client.say(b"hello\n")
            assert await client.reader.readline() == b"HELLO\n"

    (asked,) = heard
    assert head == b"HTTP/1.1 200 Connection established\r\n\r\n"
    assert asked.startswith(b"CONNECT registry.example:443 HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic dXNlcjp3QHJk\r\n" in asked


async def test_a_plain_request_goes_to_the_machines_own_proxy_as_a_whole_url() -> None:
    heard: list[bytes] = []
    async with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", heard)) as port:
        upstream = UpstreamProxies(http=f"http://user:word@127.0.0.1:{port}")
        async with proxy_place(allow(("registry.example", 80)), upstream=upstream) as place:
            answer = await place.ask(b"GET http://registry.example/a HTTP/1.1\r\nHost: x\r\n\r\n")

    assert answer.endswith(b"hi")
    assert heard[0].startswith(b"GET http://registry.example/a HTTP/1.1\r\n")
    assert b"Proxy-Authorization: Basic " in heard[0]


@pytest.mark.parametrize("tunnel", [True, False])
async def test_a_default_host_that_leads_inside_is_refused_before_any_proxy_is_asked(
    tunnel: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []
    async with server(forward_proxy(heard)) as port:
        proxy = f"http://127.0.0.1:{port}"
        Names(monkeypatch, ["8.8.8.8", "10.0.0.1"])
        outside = Outside(allow(("registry.example", 443), named=False), UpstreamProxies(https=proxy, http=proxy))
        with pytest.raises(HostRefused, match="leads to"):
            await outside.open(endpoint("registry.example", 443), tunnel)
    assert heard == []


async def test_a_name_that_only_the_proxy_knows_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def unknown(host: str, port: int, **_: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    async def silent(host: str, port: int, **_: Any) -> Any:
        await asyncio.Event().wait()

    heard: list[bytes] = []
    monkeypatch.setattr("sandbox.egress.outside.LOOKUP_S", 0.05)
    async with server(forward_proxy(heard)) as port:
        upstream = UpstreamProxies(https=f"http://127.0.0.1:{port}")
        for resolver in (unknown, silent):
            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolver)
            outside = Outside(allow(("registry.example", 443), named=False), upstream)
            await (await outside.open(endpoint("registry.example", 443), tunnel=True)).close()
    assert len(heard) == 2


async def test_a_host_in_no_proxy_is_reached_straight() -> None:
    heard: list[bytes] = []
    async with server(says(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", heard)) as port:
        upstream = UpstreamProxies(http="http://nowhere.invalid:1", bypass="localhost, .example")
        async with proxy_place(allow(("localhost", port)), upstream=upstream) as place:
            answer = await place.ask(get(port))

    assert answer.endswith(b"hi")
    assert heard[0].startswith(b"GET / HTTP/1.1")


@pytest.mark.parametrize("status", ["407 Proxy Authentication Required", "403 Forbidden", "nonsense"])
async def test_a_proxy_upstream_that_refuses_is_a_bad_gateway_that_names_it(status: str) -> None:
    async with server(forward_proxy([], status)) as port:
        upstream = UpstreamProxies(https=f"http://user:secret-word@127.0.0.1:{port}")
        async with proxy_place(allow(("registry.example", 443)), upstream=upstream) as place:
            answer = await place.ask(connect(443, "registry.example"))
            (contact,) = await settled(place)

    assert answer.startswith(b"HTTP/1.1 502 ")
    assert status.encode() in answer
    assert b"secret-word" not in answer
    assert contact.outcome is Outcome.UNREACHABLE


@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:1", "http://[::1", "http://a:x", "http://"])
async def test_a_proxy_upstream_of_another_kind_is_named_with_the_variables(proxy: str) -> None:
    outside = Outside(allow(("registry.example", 443)), UpstreamProxies(https=proxy))

    with pytest.raises(HostUnreachable, match="HTTPS_PROXY"):
        await outside.open(endpoint("registry.example", 443), tunnel=True)


async def test_a_host_that_never_answers_is_given_up() -> None:
    async def hang(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.read()

    async with server(hang) as port:
        upstream = UpstreamProxies(https=f"http://127.0.0.1:{port}")
        limits = EgressLimits(connect_s=0.2)
        async with proxy_place(allow(("registry.example", 443)), limits, upstream) as place:
            assert (await place.ask(connect(443, "registry.example"))).startswith(b"HTTP/1.1 504 ")
