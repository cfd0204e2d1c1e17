"""The frames that travel over the runner's stdin and stdout.

A frame is a 9-byte header (kind: u8, request: u32, length: u32, big-endian) and ``length`` bytes.
"""

import struct
from collections.abc import Iterator

HEADER = struct.Struct(">BII")
MAX_FRAME = 1 << 20
"""Bytes of payload in one frame, at most."""

REQUEST, DATA, END, CANCEL, PART = 1, 2, 3, 4, 5
"""To the runner: a request (JSON), bytes that belong to it, their end, and a wish to end it. PART frames hold the
beginning of a request that is too long for one frame."""

STDOUT, STDERR, REPORT, ARCHIVE, RESULT, CREDIT = 16, 17, 18, 19, 20, 21
"""From the runner: what the command wrote, a tar stream, and the result (JSON), which is the last frame. CREDIT says
how many bytes of DATA were taken (u32)."""

WINDOW = 4 << 20
"""Bytes of DATA that may be on their way without credit: a program that does not read must not block the channel."""

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
