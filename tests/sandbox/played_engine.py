"""An engine that a test plays: it tells its version, and then breaks off."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

UPGRADED = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"
VERSION = b'{"Version": "1.0", "ApiVersion": "1.41", "MinAPIVersion": "1.12"}'


def answer(body: bytes, headers: bytes = b"Content-Type: application/json\r\n") -> bytes:
    """An HTTP answer with that body."""
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (headers, len(body), body)


BROKEN_ANSWERS = {
    "nothing": b"",
    "half a header": b"HTTP/1.1 20",
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "half a body": answer(b"[]").replace(b"Length: 2", b"Length: 200"),
    "half a chunk": b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{"stat',
    "no JSON": answer(b"<html>proxy</html>"),
    "an error page": b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\nConnection: close\r\n\r\noops",
}


@contextlib.asynccontextmanager
async def played_engine(folder: Path, broken: bytes, proper: Mapping[bytes, bytes] | None = None) -> AsyncIterator[str]:
    """An engine that tells its version properly and answers everything else with ``broken``; yields its address.

    ``proper`` holds more answers, by what the first line of their request contains.
    """
    answers = {b"/version": answer(VERSION), **(proper or {})}

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, OSError):
            head = await reader.readuntil(b"\r\n\r\n")
            first = head.split(b"\r\n")[0]
            writer.write(next((proper for part, proper in answers.items() if part in first), broken))
            await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()

    path = folder / "engine.sock"
    async with await asyncio.start_unix_server(serve, path):
        yield f"unix://{path}"
