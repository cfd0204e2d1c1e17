"""What bounds the proxy: bytes, connections, time and memory."""

import asyncio

import psutil

from sandbox.egress.allowlist import Allowlist
from sandbox.egress.contact import MOST_KINDS, ContactBook, Outcome
from sandbox.egress.endpoint import endpoint
from sandbox.egress.limits import EgressLimits
from tests.sandbox.egress.loopback import allow, proxy_place, server
from tests.sandbox.egress.test_proxy import connect, settled, shout

MIB = 1024 * 1024


async def pour(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Sends zeros for as long as somebody takes them."""
    while True:
        writer.write(bytes(1 << 16))
        await writer.drain()


async def hush(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """Takes everything and says nothing."""
    await reader.read()


async def test_all_connections_together_carry_no_more_bytes_than_the_limit() -> None:
    limits = EgressLimits(bytes_in_all=MIB)
    async with server(pour) as port, proxy_place(allow(("localhost", port)), limits) as place:
        taken = 0
        for _ in range(3):
            async with place.client() as client:
                await client.say(connect(port))
                await client.head()
                taken += len(await client.all())
        contacts = await settled(place, 3)

    assert taken <= MIB
    assert place.proxy.exhausted
    assert {contact.outcome for contact in contacts} == {Outcome.CUT}
    assert sum(contact.received for contact in contacts) <= MIB


async def test_what_the_sandbox_sends_counts_as_well() -> None:
    limits = EgressLimits(bytes_in_all=1000)
    async with server(shout) as port, proxy_place(allow(("localhost", port)), limits) as place:
        async with place.client() as client:
            await client.say(connect(port))
            await client.head()
            await client.say(b"x" * 2000)
            assert await client.all() == b""

        assert place.proxy.exhausted


async def test_too_many_connections_at_once_are_turned_away_and_there_is_room_again_later() -> None:
    limits = EgressLimits(connections=2)
    async with server(shout) as port, proxy_place(allow(("localhost", port)), limits) as place:
        async with place.client() as first, place.client() as second:
            for client in (first, second):
                await client.say(connect(port))
                await client.head()
            assert (await place.ask(connect(port))).startswith(b"HTTP/1.1 503 ")
        await settled(place, 3)
        async with place.client() as client:
            await client.say(connect(port))
            assert (await client.head()).startswith(b"HTTP/1.1 200 ")


async def test_connections_are_counted_over_the_whole_phase() -> None:
    async with proxy_place(Allowlist(), EgressLimits(connections_in_all=2)) as place:
        answers = [await place.ask(connect(443, "a.example")) for _ in range(3)]

    assert [answer.split(b" ")[1] for answer in answers] == [b"403", b"403", b"503"]


async def test_a_tunnel_in_which_nothing_moves_is_cut() -> None:
    async with (
        server(hush) as port,
        proxy_place(allow(("localhost", port)), EgressLimits(idle_s=0.2)) as place,
        place.client() as client,
    ):
        await client.say(connect(port))
        await client.head()
        assert await client.all() == b""
        (contact,) = await settled(place)

    assert contact.outcome is Outcome.CUT
    assert "Nothing moved" in contact.why


async def test_a_tunnel_in_which_something_moves_is_not_idle() -> None:
    async def tick(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        for _ in range(20):
            writer.write(b".")
            await writer.drain()
            await asyncio.sleep(0.1)

    async with (
        server(tick) as port,
        proxy_place(allow(("localhost", port)), EgressLimits(idle_s=1.0)) as place,
        place.client() as client,
    ):
        await client.say(connect(port))
        await client.head()
        assert await client.all() == b"." * 20


async def test_a_connection_does_not_outlive_its_time() -> None:
    async with (
        server(pour) as port,
        proxy_place(allow(("localhost", port)), EgressLimits(connection_s=0.3)) as place,
        place.client() as client,
    ):
        await client.say(connect(port))
        await client.head()
        while await client.reader.read(1 << 20):
            pass
        (contact,) = await settled(place)

    assert contact.outcome is Outcome.CUT
    assert "lasted longer" in contact.why


async def test_a_client_that_does_not_read_costs_no_memory() -> None:
    limits = EgressLimits(bytes_in_all=1 << 40)
    process = psutil.Process()
    async with (
        server(pour) as port,
        proxy_place(allow(("localhost", port)), limits) as place,
        place.client() as client,
    ):
        await client.say(connect(port))
        await client.head()
        before = process.memory_info().rss
        await asyncio.sleep(0.5)
        grown = process.memory_info().rss - before

    assert grown < 16 * MIB


async def test_the_end_of_the_phase_cuts_what_is_open_and_the_book_knows() -> None:
    async with server(hush) as port:
        async with proxy_place(allow(("localhost", port))) as place, place.client() as client:
            await client.say(connect(port))
            await client.head()
        (contact,) = place.proxy.contacts

    assert contact.outcome is Outcome.CUT


def test_the_book_stays_small_however_many_hosts_are_asked_for() -> None:
    book = ContactBook()
    for number in range(10_000):
        book.add(endpoint(f"h{number}.example", 443), Outcome.REFUSED, "no")

    contacts = book.contacts()
    assert len(contacts) <= MOST_KINDS + 4
    assert sum(contact.connections for contact in contacts) == 10_000


async def test_a_client_that_leaves_in_the_middle_of_a_download_is_in_nobodys_way() -> None:
    async with server(pour) as port, proxy_place(allow(("localhost", port)), EgressLimits()) as place:
        for _ in range(3):
            async with place.client() as client:
                await client.say(connect(port))
                await client.head()
                await client.reader.readexactly(1000)
                client.writer.transport.abort()

        async with place.client() as client:
            await client.say(connect(port))
            assert b"200" in await client.head()
            assert len(await client.reader.readexactly(1000)) == 1000
