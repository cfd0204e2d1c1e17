"""A container's stdio as the engine carries it: however the bytes are cut, the same comes out."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.stdio import HEADER, MOST_STDERR, STDERR, AttachedStream

STDOUT = 1
PIECES = st.lists(st.tuples(st.sampled_from([STDOUT, STDERR]), st.binary(max_size=300)), max_size=12)


def carried(pieces: list[tuple[int, bytes]]) -> bytes:
    """The engine's stream of those pieces."""
    return b"".join(HEADER.pack(stream, len(data)) + data for stream, data in pieces)


def joined(pieces: list[tuple[int, bytes]], wanted: int) -> bytes:
    """What one stream says in all."""
    return b"".join(data for stream, data in pieces if stream == wanted)


@contextlib.asynccontextmanager
async def attached(data: bytes, cuts: list[int]) -> AsyncIterator[AttachedStream]:
    """A stream whose bytes come in portions, and then end."""
    ours, engine = socket.socketpair()
    ours.setblocking(False)
    stream = AttachedStream(ours)
    await stream.open()

    async def say() -> None:
        reader, writer = await asyncio.open_connection(sock=engine)
        ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
        for start, end in zip([0, *ends], ends, strict=False):
            writer.write(data[start:end])
            await writer.drain()
            await asyncio.sleep(0)
        writer.close()
        await writer.wait_closed()
        del reader

    saying = asyncio.create_task(say())
    try:
        yield stream
    finally:
        await saying
        await stream.close()


async def all_of(stream: AttachedStream) -> bytes:
    """What ``read`` gives to the end."""
    parts = []
    while data := await stream.read():
        parts.append(data)
    return b"".join(parts)


@settings(max_examples=80, deadline=None)
@given(PIECES, st.lists(st.integers(0, 4000), max_size=12))
def test_however_the_stream_is_cut_the_same_bytes_come_out(pieces: list[tuple[int, bytes]], cuts: list[int]) -> None:
    async def listen() -> None:
        async with attached(carried(pieces), cuts) as stream:
            assert await all_of(stream) == joined(pieces, STDOUT)
            assert stream.stderr == joined(pieces, STDERR)
            assert await stream.read() == b""

    asyncio.run(listen())


@settings(max_examples=80, deadline=None)
@given(PIECES, st.lists(st.integers(0, 4000), max_size=12))
def test_however_the_stream_is_cut_both_streams_come_out_piece_by_piece(
    pieces: list[tuple[int, bytes]], cuts: list[int]
) -> None:
    async def listen() -> None:
        async with attached(carried(pieces), cuts) as stream:
            seen = [(name, data) async for name, data in stream.both()]
            assert seen == [("stderr" if kind == STDERR else "stdout", data) for kind, data in pieces]

    asyncio.run(listen())


@settings(max_examples=40, deadline=None)
@given(PIECES.filter(bool), st.integers(1, 20))
def test_a_stream_that_breaks_off_gives_every_piece_that_was_complete(
    pieces: list[tuple[int, bytes]], missing: int
) -> None:
    *whole, last = pieces
    cut = carried(pieces)[: max(len(carried(whole)), len(carried(pieces)) - missing)]
    complete = pieces if len(cut) == len(carried(pieces)) else whole

    async def listen() -> None:
        async with attached(cut, []) as stream:
            assert await all_of(stream) == joined(complete, STDOUT)
        async with attached(cut, []) as stream:
            assert len([name async for name, _ in stream.both()]) == len(complete)

    asyncio.run(listen())
    assert last


async def test_a_large_stream_comes_out_whole_and_of_errors_only_the_beginning_is_kept() -> None:
    pieces = [(STDOUT, b"o" * 32_768), (STDERR, b"e" * 32_768)] * 100

    async with attached(carried(pieces), []) as stream:
        assert await all_of(stream) == joined(pieces, STDOUT)
        assert stream.stderr == b"e" * MOST_STDERR


async def test_the_end_of_what_is_written_is_seen_while_reading_goes_on() -> None:
    ours, engine = socket.socketpair()
    ours.setblocking(False)
    stream = AttachedStream(ours)
    await stream.open()
    reader, writer = await asyncio.open_connection(sock=engine)

    await stream.write(b"question")
    stream.end()
    assert await reader.read() == b"question"
    writer.write(carried([(STDOUT, b"answer")]))
    writer.close()
    await writer.wait_closed()

    assert await all_of(stream) == b"answer"
    await stream.close()
