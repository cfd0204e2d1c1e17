"""How many calls of a tool a second pass over HTTP: a real server in a process of its own, sixteen connections."""

import asyncio
import contextlib
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Figure

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
CONNECTIONS = 16
CALLS = 2000
ROUNDS = 5
ERA = "2026-07-28"
TOOL = "list_tasks"


async def throughput() -> list[Figure]:
    """Calls of ``list_tasks`` with a key, in turns with a server of the bare SDK whose tool does nothing."""
    with tempfile.TemporaryDirectory(prefix="soundstage-bench-") as home:
        environment = {**os.environ, "SOUNDSTAGE_HOME": home}
        added = [str(BIN / "soundstage"), "access", "add", "--scope", "tasks:read"]
        key = subprocess.run(added, env=environment, capture_output=True, text=True, check=True).stdout.strip()
        ours = [str(BIN / "soundstage"), "mcp", "--http", "127.0.0.1:0", "--model", "scripted"]
        bare = [sys.executable, "-m", "bench.mcp_peer"]
        with _serving(ours, environment) as port, _serving(bare, environment) as peer:
            await _calls_a_second(port, key)
            await _calls_a_second(peer, key)
            rounds = [(await _calls_a_second(port, key), await _calls_a_second(peer, key)) for _ in range(ROUNDS)]
    per_second = statistics.median(one for one, _ in rounds)
    share = statistics.median(one / other for one, other in rounds)
    told = f"the bare SDK, without keys, checks or a database, makes {per_second / share:.0f} calls/s"
    return [
        Figure("http_calls_per_s", per_second, "/s", "at least 500"),
        Figure("http_vs_sdk_x", share, "x", told),
    ]


@contextlib.contextmanager
def _serving(argv: list[str], environment: dict[str, str]) -> Iterator[int]:
    """The port of a server that says on standard error where it listens."""
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            for line in server.stderr:
                if said := re.search(r"listening at http://127\.0\.0\.1:(\d+)", line):
                    yield int(said[1])
                    return
            raise SystemExit(f"{argv[0]} did not say where it listens.")
        finally:
            server.terminate()


async def _calls_a_second(port: int, key: str) -> float:
    request = _request(port, key)
    left = iter(range(CALLS))

    async def worker() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            size = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
            if not head.startswith(b"HTTP/1.1 200") or size is None:
                raise SystemExit(f"The server answered: {head.decode()}")
            await reader.readexactly(int(size[1]))
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    return CALLS / (time.perf_counter() - started)


def _request(port: int, key: str) -> bytes:
    """A call as a client of the stateless era makes it."""
    about = {"protocolVersion": ERA, "clientInfo": {"name": "bench", "version": "1"}, "clientCapabilities": {}}
    meta = {f"io.modelcontextprotocol/{name}": value for name, value in about.items()}
    params = {"name": TOOL, "arguments": {}, "_meta": meta}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params})
    head = (
        f"POST /mcp HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json, text/event-stream\r\n"
        f"Content-Type: application/json\r\nAuthorization: Bearer {key}\r\nMcp-Protocol-Version: {ERA}\r\n"
        f"Mcp-Method: tools/call\r\nMcp-Name: {TOOL}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()
