"""MCP over standard input and output: one client, which started this process."""

import asyncio
import contextlib
import os
import queue
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any, cast

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server

MOST_LINE_BYTES = 32 * 2**20
"""Of a longer line only the beginning is read, which is no message then."""

CHUNK_BYTES = 64 * 1024
AHEAD = 16
"""How many chunks are read before somebody needs them."""


async def serve_stdio(server: Server[Any]) -> None:
    """Serves the client at the other end until it leaves.

    Whatever else this process and its children print meanwhile goes to standard error. Neither a client that says
    nothing nor one that does not read holds up the end of the process.
    """
    with _standard_streams() as (stdin, stdout):
        lines, output = _Lines(stdin), _Output(stdout)
        streams = cast("anyio.AsyncFile[str]", lines), cast("anyio.AsyncFile[str]", output)
        try:
            async with stdio_server(*streams) as (incoming, outgoing):
                await server.run(incoming, outgoing, server.create_initialization_options())
        except* BrokenPipeError:
            pass  # the client has left without waiting for its answers


@contextlib.contextmanager
def _standard_streams() -> Iterator[tuple[int, int]]:
    """The descriptors of the client; those that everybody knows lead elsewhere meanwhile."""
    sys.stdout.flush()
    stdin, stdout = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    try:
        os.dup2(nothing, 0)
        os.dup2(2, 1)
        yield stdin, stdout
    finally:
        sys.stdout.flush()
        os.dup2(stdin, 0)
        os.dup2(stdout, 1)
        os.close(nothing)


class _Lines:
    """The lines of a descriptor, read in a thread that may wait for ever without anybody waiting for it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._loop = asyncio.get_running_loop()
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue(AHEAD)
        threading.Thread(target=self._read, name="stdin", daemon=True).start()

    def _read(self) -> None:
        with contextlib.suppress(RuntimeError):  # the event loop has ended meanwhile
            while True:
                try:
                    chunk = os.read(self._descriptor, CHUNK_BYTES)
                except OSError:
                    chunk = b""
                asyncio.run_coroutine_threadsafe(self._chunks.put(chunk), self._loop).result()
                if not chunk:
                    return

    async def __aiter__(self) -> AsyncIterator[str]:
        """Line by line, up to the end of the input."""
        parts: list[bytes] = []
        size = 0
        while chunk := await self._chunks.get():
            *ended, rest = chunk.split(b"\n")
            for line in ended:
                yield b"".join((*parts, line)).decode(errors="replace")
                parts, size = [], 0
            if size < MOST_LINE_BYTES:
                parts.append(rest)
                size += len(rest)
        if any(parts):
            yield b"".join(parts).decode(errors="replace")


class _Output:
    """Writes to a descriptor in a thread, as one that nobody reads would hold up everything."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._texts: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        threading.Thread(target=self._write, name="stdout", daemon=True).start()

    async def write(self, text: str) -> None:
        """Returns when all of it has left. OSError."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._texts.put((text.encode(), written))
        await written

    async def flush(self) -> None:
        """Nothing is kept back."""

    def _write(self) -> None:
        while True:
            text, written = self._texts.get()
            problem: OSError | None = None
            try:
                while text:
                    text = text[os.write(self._descriptor, text) :]
            except OSError as error:
                problem = error
            with contextlib.suppress(RuntimeError):  # the event loop has ended meanwhile
                written.get_loop().call_soon_threadsafe(_settle, written, problem)


def _settle(written: "asyncio.Future[None]", problem: OSError | None) -> None:
    if written.done():
        return
    if problem is None:
        written.set_result(None)
    else:
        written.set_exception(problem)
