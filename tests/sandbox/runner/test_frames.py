"""Frames, whatever way they are cut."""

from collections.abc import Generator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.runner import frames
from sandbox.runner.frames import HEADER, MAX_FRAME, Decoder, Frame, FrameError, encode

FRAMES = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 2**32 - 1), st.binary(max_size=50)), max_size=8)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """The data in pieces, cut at those places."""
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@settings(deadline=None)
@given(FRAMES, st.lists(st.integers(0, 10_000), max_size=12))
def test_encoded_frames_decode_the_same_however_the_bytes_are_cut(sent: list[Frame], places: list[int]) -> None:
    decoder = Decoder()

    received = [
        frame for piece in cut(b"".join(encode(*frame) for frame in sent), places) for frame in decoder.feed(piece)
    ]

    assert received == sent


@settings(deadline=None)
@given(FRAMES)
def test_encoded_frames_decode_the_same_byte_by_byte(sent: list[Frame]) -> None:
    decoder = Decoder()
    data = b"".join(encode(*frame) for frame in sent)

    assert [frame for byte in data for frame in decoder.feed(bytes([byte]))] == sent


def test_the_largest_frame_passes_and_a_larger_one_is_refused_by_both_ends() -> None:
    assert list(Decoder().feed(encode(frames.DATA, 1, bytes(MAX_FRAME)))) == [(frames.DATA, 1, bytes(MAX_FRAME))]
    with pytest.raises(FrameError, match="longer than"):
        encode(frames.DATA, 1, bytes(MAX_FRAME + 1))
    with pytest.raises(FrameError, match="more than"):
        list(Decoder().feed(HEADER.pack(frames.DATA, 1, MAX_FRAME + 1)))


def test_frames_before_an_oversized_one_are_not_lost() -> None:
    feed = Decoder().feed(encode(frames.DATA, 1, b"good") + HEADER.pack(frames.DATA, 1, 2**32 - 1))

    assert next(feed) == (frames.DATA, 1, b"good")
    with pytest.raises(FrameError):
        next(feed)


def test_a_reader_that_stops_halfway_continues_with_the_next_frame() -> None:
    decoder = Decoder()
    feed = decoder.feed(b"".join(encode(frames.DATA, number) for number in (1, 2, 3)))

    first = next(feed)
    assert isinstance(feed, Generator)
    feed.close()

    assert [first, *decoder.feed(b"")] == [(frames.DATA, number, b"") for number in (1, 2, 3)]


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_nothing_but_a_frame_error(data: bytes) -> None:
    try:
        for _, _, payload in Decoder().feed(data):
            assert len(payload) <= MAX_FRAME
    except FrameError:
        pass
