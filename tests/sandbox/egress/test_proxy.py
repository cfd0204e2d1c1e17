"""The proxy as package clients meet it, over loopback sockets."""

import asyncio

import pytest

from sandbox.egress.allowlist import Allowlist
from sandbox.egress.contact import Contact, Outcome
from sandbox.egress.limits import EgressLimits
from tests.sandbox.egress.loopback import Place, allow, proxy_place, server


async def shout(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answers every line in capitals; says goodbye when the other end has said all."""
    while line := await reader.readline():
        writer.write(line.upper())
        await writer.drain()
    writer.write(b"BYE\n")
    await writer.drain()


def connect(port: int, host: str = "localhost") -> bytes:
    """A request for a tunnel."""
    return f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode()


def get(port: int, path: str = "/", more: str = "", method: str = "GET") -> bytes:
    """A plain request."""
    return f"{method} http://localhost:{port}{path} HTTP/1.1\r\nHost: localhost\r\n{more}\r\n".encode()


def only(place: Place) -> Contact:
    """The only contact in the book."""
    (contact,) = place.proxy.contacts
    return contact


async def settled(place: Place, count: int = 1) -> tuple[Contact, ...]:
    """The book, once so many connections are in it."""
    while sum(contact.connections for contact in place.proxy.contacts) < count:  # noqa: ASYNC110 - tests may poll
        await asyncio.sleep(0.01)
    return place.proxy.contacts


async def test_a_tunnel_passes_bytes_both_ways_and_they_are_counted() -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place:
        async with place.client() as client:
            await client.say(connect(port))
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")
            await client.say(b"hello\n")
            assert await client.reader.readline() == b"HELLO\n"
        (contact,) = await settled(place)

    assert (contact.host, contact.port, contact.outcome) == ("localhost", port, Outcome.PASSED)
    assert contact.sent == 6
    assert contact.received in {6, 10}  # the goodbye may come after the client has gone


async def test_a_client_that_has_said_all_still_gets_the_whole_answer() -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port))
        await client.head()
        await client.say(b"hello\n")
        client.writer.write_eof()

        assert await client.all() == b"HELLO\nBYE\n"


async def test_a_server_that_has_said_all_still_hears_the_client() -> None:
    heard = asyncio.get_running_loop().create_future()

    async def first_word(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"speak\n")
        writer.write_eof()
        heard.set_result(await reader.read())

    async with server(first_word) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port))
        await client.head()
        assert await client.all() == b"speak\n"
        await client.say(b"late")
        client.writer.write_eof()

        assert await heard == b"late"


async def test_a_slow_client_gets_the_whole_of_what_a_server_left_behind() -> None:
    async def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 3_000_000)

    async with server(leave) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port))
        await client.head()
        await asyncio.sleep(0.2)

        assert len(await client.all()) == 3_000_000


async def test_bytes_that_come_with_the_request_go_into_the_tunnel() -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port) + b"early\n")
        await client.head()

        assert await client.reader.readline() == b"EARLY\n"


async def test_a_request_that_comes_byte_by_byte_is_understood() -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        for byte in connect(port):
            await client.say(bytes([byte]))
            await asyncio.sleep(0)

        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_the_end_of_the_server_ends_the_tunnel() -> None:
    async def leave(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"enough")

    async with server(leave) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port))
        await client.head()

        assert await client.all() == b"enough"


async def test_a_host_that_is_not_allowed_is_refused_with_the_remedy_and_in_the_book() -> None:
    async with server(shout) as port, proxy_place(allow(("other.example", port))) as place:
        answer = await place.ask(connect(port))
        contact = only(place)

    status = answer.split(b"\r\n")[0]
    assert status.startswith(b"HTTP/1.1 403 Forbidden: localhost:")
    assert b"SOUNDSTAGE_INSTALL_HOSTS" in answer
    assert contact.outcome is Outcome.REFUSED
    assert (contact.host, contact.port, contact.sent, contact.received) == ("localhost", port, 0, 0)


@pytest.mark.parametrize("named", [True, False])
async def test_a_name_that_leads_inside_is_reached_only_when_the_person_named_it(named: bool) -> None:
    async with (
        server(shout) as port,
        proxy_place(allow(("localhost", port), named=named)) as place,
        place.client() as client,
    ):
        await client.say(connect(port))
        answer = await client.head()

    assert answer.startswith(b"HTTP/1.1 200 " if named else b"HTTP/1.1 403 ")
    assert named or b"loopback" in answer


@pytest.mark.parametrize("host", ["127.0.0.1", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "[::1]", "127.1"])
async def test_a_raw_address_is_refused_where_only_its_name_is_allowed(host: str) -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place:
        answer = await place.ask(connect(port, host))

    assert answer.split(b" ")[1] in {b"400", b"403"}


@pytest.mark.parametrize("host", ["LOCALHOST", "localhost.", "LocalHost."])
async def test_another_spelling_of_an_allowed_host_is_allowed(host: str) -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place, place.client() as client:
        await client.say(connect(port, host))

        assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_a_server_that_is_not_there_is_a_bad_gateway() -> None:
    async with server(shout) as port:
        pass
    async with proxy_place(allow(("localhost", port), ("nowhere.invalid", 443))) as place:
        gone = await place.ask(connect(port))
        unknown = await place.ask(connect(443, "nowhere.invalid"))

    assert gone.startswith(b"HTTP/1.1 502 Bad Gateway: localhost:")
    assert b"cannot be reached from this machine" in gone
    assert b"nowhere.invalid cannot be resolved" in unknown
    assert {contact.outcome for contact in place.proxy.contacts} == {Outcome.UNREACHABLE}


async def test_a_request_that_never_ends_is_answered_after_its_time() -> None:
    async with proxy_place(Allowlist(), EgressLimits(head_s=0.2)) as place, place.client() as client:
        await client.say(b"CONNECT a.example:443 HTT")

        assert (await client.all()).startswith(b"HTTP/1.1 408 ")


async def test_a_head_that_is_too_long_is_refused() -> None:
    async with proxy_place(Allowlist(), EgressLimits(head_bytes=1000)) as place:
        whole = await place.ask(b"CONNECT a.example:443 HTTP/1.1\r\nX: " + b"x" * 1000 + b"\r\n\r\n")
        endless = await place.ask(b"CONNECT a.example:443 HTTP/1.1\r\nX: " + b"x" * 5000)

    assert whole.startswith(b"HTTP/1.1 431 ")
    assert endless.startswith(b"HTTP/1.1 431 ")


async def test_a_connection_without_a_word_is_no_trouble() -> None:
    async with server(shout) as port, proxy_place(allow(("localhost", port))) as place:
        async with place.client() as client:
            client.writer.write_eof()
            assert await client.all() == b""
        async with place.client() as client:
            await client.say(connect(port))
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_nothing_is_sent_anywhere_before_the_whole_request_is_vetted() -> None:
    asked = asyncio.Event()

    async def note(_: asyncio.StreamReader, __: asyncio.StreamWriter) -> None:
        asked.set()

    async with server(note) as port, proxy_place(allow(("localhost", port))) as place:
        for bad in (get(port, more="Transfer-Encoding: chunked\r\n"), get(port) + get(port), get(port, more=" x\r\n")):
            assert (await place.ask(bad)).split(b" ")[1] in {b"400", b"413"}

    assert not asked.is_set()
