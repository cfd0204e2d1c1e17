"""MCP over standard input and output, with a process of its own at the other end."""

import asyncio
import json
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import mcp.types as types
import pytest
from mcp.client import Client
from mcp.client.stdio import StdioServerParameters

PROGRAM = ["-m", "tests.mcp_server.transports.program"]
PATIENCE_S = 60.0
SERVER = StdioServerParameters(command=sys.executable, args=PROGRAM)


@asynccontextmanager
async def serving() -> AsyncIterator[Process]:
    """The program, spoken to without a client."""
    process = await asyncio.create_subprocess_exec(sys.executable, *PROGRAM, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(PATIENCE_S):
            yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: Process, line: bytes) -> None:
    """Sends a line."""
    assert process.stdin is not None
    process.stdin.write(line + b"\n")
    await process.stdin.drain()


async def heard(process: Process) -> dict[str, Any]:
    """The next message that is not about a line that was no message."""
    assert process.stdout is not None
    while True:
        message: dict[str, Any] = json.loads(await process.stdout.readline())
        if message.get("id") == "hello":
            return message


def hello() -> bytes:
    """The first request of a client with a handshake."""
    client = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    return json.dumps({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": client}).encode()


@pytest.mark.parametrize("era", ["auto", "legacy"])
async def test_what_a_tool_prints_is_no_part_of_the_protocol(era: str) -> None:
    async with Client(SERVER, mode=era) as client:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["chatter"]
        for text in ("one", "zwölf\n\u2028☃", ""):
            result = await client.call_tool("chatter", {"text": text})
            (block,) = result.content
            assert isinstance(block, types.TextContent)
            assert block.text == text


async def test_megabytes_pass_both_ways_at_once() -> None:
    async with Client(SERVER) as client:
        text = "a line of a file\n" * 100_000
        results = await asyncio.gather(*(client.call_tool("chatter", {"text": text, "times": 2}) for _ in range(4)))
        assert [len(result.content[0].text) for result in results] == [2 * len(text)] * 4  # type: ignore[union-attr] # all of them are text


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"nonsense",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"{}",
        b'{"jsonrpc": "2.0", "id": 1, "method": 3}',
        b"x" * (33 << 20),
    ],
    ids=["nothing", "words", "bytes", "depth", "empty", "wrong", "endless"],
)
async def test_a_line_that_is_no_message_does_no_harm(line: bytes) -> None:
    async with serving() as process:
        await said(process, line)
        await said(process, hello())
        assert (await heard(process))["result"]["serverInfo"]["name"] == "chatter"


async def test_it_ends_when_the_client_leaves() -> None:
    async with serving() as process:
        await said(process, hello())
        await heard(process)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        assert await process.stdout.read() == b"served\n"  # standard output leads where it led before
        assert await process.wait() == 0


async def test_a_silent_client_does_not_hold_up_the_end() -> None:
    async with serving() as process:
        await said(process, hello())
        await heard(process)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() != 0


async def test_a_client_that_does_not_read_does_not_hold_up_the_end() -> None:
    reading, writing = os.pipe()
    process = await asyncio.create_subprocess_exec(sys.executable, *PROGRAM, stdin=PIPE, stdout=writing, stderr=PIPE)
    os.close(writing)
    try:
        async with asyncio.timeout(PATIENCE_S):
            await said(process, hello())
            assert await asyncio.to_thread(os.read, reading, 16) == b'{"jsonrpc":"2.0"'
            call = {"name": "chatter", "arguments": {"text": "x" * 1000, "times": 1000}}
            await said(process, b'{"jsonrpc": "2.0", "method": "notifications/initialized"}')
            await said(
                process, json.dumps({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": call}).encode()
            )
            assert process.stderr is not None
            while b"by a child" not in await process.stderr.readline():
                pass
            process.send_signal(signal.SIGTERM)
            assert await process.wait() != 0
    finally:
        os.close(reading)
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_the_last_line_needs_no_end() -> None:
    async with serving() as process:
        out, _ = await process.communicate(hello())
        assert json.loads(out.splitlines()[0])["id"] == "hello"
