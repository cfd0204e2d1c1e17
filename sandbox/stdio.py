"""A container's stdio as the engine carries it."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncGenerator
from typing import Literal

HEADER = struct.Struct(">BxxxI")
STDERR = 2
MOST_STDERR = 1 << 16
CHUNK = 1 << 18


class AttachedStream:
    """Unwraps the engine's multiplexed output, which goes on with ``connection`` where ``begun`` ends.

    Source: Docker Engine API, "Attach to a container", stream format.
    """

    def __init__(self, connection: socket.socket, begun: bytes = b"") -> None:
        self._connection = connection
        self._begun = begun
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._buffer = bytearray()
        self._ended = False
        self.stderr = bytearray()

    async def open(self) -> None:
        """Starts to listen."""
        loop, reader = asyncio.get_running_loop(), asyncio.StreamReader(CHUNK)
        reader.feed_data(self._begun)
        transport, protocol = await loop.create_connection(
            lambda: asyncio.StreamReaderProtocol(reader), sock=self._connection
        )
        self._reader, self._writer = reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def read(self) -> bytes:
        """The next bytes of the container's stdout, b"" at the end; its stderr is kept aside, up to 64 KiB."""
        assert self._reader is not None
        while True:
            if data := self._unwrap():
                return data
            if self._ended:
                return b""
            try:
                more = await self._reader.read(CHUNK)
            except OSError:
                more = b""
            self._ended = not more
            self._buffer += more

    def _unwrap(self) -> bytes:
        """The stdout of every piece that is complete."""
        buffer, at, parts = self._buffer, 0, []
        while len(buffer) - at >= HEADER.size:
            stream, length = HEADER.unpack_from(buffer, at)
            start = at + HEADER.size
            if len(buffer) < start + length:
                break
            at = start + length
            if stream == STDERR:
                self.stderr += buffer[start : min(at, start + MOST_STDERR - len(self.stderr))]
            else:
                parts.append(bytes(buffer[start:at]))
        del buffer[:at]
        return b"".join(parts)

    async def both(self) -> AsyncGenerator[tuple[Literal["stdout", "stderr"], bytes]]:
        """Stdout and stderr, piece by piece, to the end."""
        assert self._reader is not None
        while True:
            try:
                stream, length = HEADER.unpack(await self._reader.readexactly(HEADER.size))
                payload = await self._reader.readexactly(length)
            except (asyncio.IncompleteReadError, OSError):
                return
            yield ("stderr" if stream == STDERR else "stdout"), payload

    async def discard(self) -> None:
        """Takes what comes, to the end, and keeps nothing of it."""
        assert self._reader is not None
        with contextlib.suppress(OSError):
            while await self._reader.read(CHUNK):
                pass

    async def write(self, data: bytes) -> None:
        """Hands bytes to the container's stdin."""
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    def end(self) -> None:
        """Says that no more will be written; reading goes on."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.write_eof()

    async def close(self) -> None:
        """Lets go of the connection; the runner sees the end of its input and exits."""
        if self._writer is None:
            self._connection.close()
            return
        self._writer.close()
        with contextlib.suppress(OSError):
            await self._writer.wait_closed()
