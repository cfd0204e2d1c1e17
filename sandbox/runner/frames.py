"""The frames that travel over the runner's stdin and stdout.

A frame is a 9-byte header (kind: u8, request: u32, length: u32, big-endian) and ``length`` bytes.
"""

from __future__ import annotations

import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

HEADER = struct.Struct(">BII")
MAX_FRAME = 1 << 20
"""Bytes of payload in one frame, at most."""

REQUEST, DATA, END, CANCEL, PART, GRANT, BEAT, SIGNAL = 1, 2, 3, 4, 5, 6, 7, 8
"""To the runner: a request (JSON), bytes that belong to it, their end, a wish to end it, the beginning of a request
that is too long for one frame, how much of its output was taken (u32), a sign of life, and a signal's number (u8)."""

STDOUT, STDERR, REPORT, ARCHIVE, RESULT, CREDIT, OPENED, BYTES, ENDED = 16, 17, 18, 19, 20, 21, 22, 23, 24
"""From the runner: what the command wrote, a tar stream, and the result (JSON), which is the last frame. CREDIT says
how much DATA was taken (u32). OPENED announces a connection, which has a number of its own (u32); BYTES came over it,
and ENDED says that no more will."""

WINDOW = 4 << 20
"""What may be under way without credit, per request and direction: who does not read must not block the channel."""

OVERHEAD = 64
"""What a frame costs of a window besides its payload, so that tiny frames cannot fill the memory either."""

FIRST_CONNECTION = 1 << 31
"""Numbers from here on are given by the runner, to connections; those below by the host, to requests."""

Frame = tuple[int, int, bytes]


class FrameError(ValueError):
    """The bytes are no frame."""


def encode(kind: int, request: int, payload: bytes = b"") -> bytes:
    """The bytes of one frame; ValueError when the payload is too long."""
    if len(payload) > MAX_FRAME:
        raise FrameError(f"a frame of {len(payload)} bytes is longer than {MAX_FRAME}")
    return HEADER.pack(kind, request, len(payload)) + payload


class Decoder:
    """Cuts a byte stream into frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Every frame that is complete after ``data``."""
        buffer = self._buffer
        buffer += data
        at = 0
        try:
            while len(buffer) - at >= HEADER.size:
                kind, request, length = HEADER.unpack_from(buffer, at)
                if length > MAX_FRAME:
                    raise FrameError(f"a frame announces {length} bytes, more than {MAX_FRAME}")
                end = at + HEADER.size + length
                if len(buffer) < end:
                    break
                payload = bytes(buffer[at + HEADER.size : end])
                at = end
                yield kind, request, payload
        finally:
            del buffer[:at]


def cost(payload: bytes) -> int:
    """What a frame takes of a window."""
    return len(payload) + OVERHEAD
