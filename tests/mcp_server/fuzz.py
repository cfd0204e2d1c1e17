"""Plays random and adversarial calls over every tool, and checks what must hold after each of them."""

import asyncio
import contextlib
import hashlib
import json
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import mcp.types as types
from mcp.client import Client

from domain.audit import AuditVerdict
from domain.files import vet_path
from mcp_server.client import can_be_sent
from mcp_server.parsers.parsers import Parsers
from mcp_server.registry import AnyTool
from mcp_server.repo_map.repo_map import RepoMap
from mcp_server.server import build_server
from mcp_server.tool import ToolLimits
from mcp_server.tools import Means, specialist_tools
from mcp_server.web.web import Web
from sandbox.egress.endpoint import endpoint
from tests.mcp_server.fuzz_values import OUTSIDE, Draws
from tests.mcp_server.place import Place, open_place
from tests.storage.old_repository import OldRepository

SECRET = "the-secret-of-the-folder-outside"
FILES = {
    "app.py": "def f(a, b):\n    return a - b\n", "src/b.py": "x = 1\n", "notes.txt": "a note\n" * 50,
    "test_a.py": "def test_a():\n    pass\n",
}  # fmt: skip
BEGIN = (
    "python3 -c \"import sqlite3; c = sqlite3.connect('app.db'); c.execute('create table items (id, name)'); "
    "c.execute('insert into items values (1, 2)'); c.commit()\"; ln -s {outside} {way}; ln -s {outside}/secret.txt "
    "file_link; ln -s /etc root_link; ln -s loop loop; mkfifo pipe; printf '\\377' > binary.bin; seq 9000"
)
SLOW = {
    "run_tests": 0.005, "format": 0.1, "change_database": 0.15, "query_database": 0.3, "shell": 0.4, "search": 0.5,
    "write_file": 0.6,
}  # fmt: skip
"""How often tools that start programs are drawn, where others are drawn once."""
HOSTILE = (
    b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nX: \x1b[31m\xff\r\nContent-Length: 3\r\n\r\n\xff\x00x"
)
MARGIN = 400


@dataclass
class Played:
    """What came of the calls: how often each tool was called, how they ended, how long they took."""

    calls: Counter[str] = field(default_factory=Counter)
    verdicts: Counter[str] = field(default_factory=Counter)
    unsendable: int = 0
    slowest: list[tuple[float, str, int]] = field(default_factory=list)

    def add(self, other: "Played") -> None:
        """Takes another one in."""
        self.calls += other.calls
        self.verdicts += other.verdicts
        self.unsendable += other.unsendable
        self.slowest = sorted([*self.slowest, *other.slowest])[-5:]


class Fuzz:
    """A place with traps, and a client of it."""

    def __init__(self, place: Place, client: Client, tools: list[AnyTool], outside: Path, urls: list[str]) -> None:
        self._place = place
        self._client = client
        self._tools = {tool.name: tool for tool in tools}
        self._draws = Draws(tools, SLOW, urls)
        self._outside = outside
        self._before = fingerprint(outside)
        self.played = Played()

    async def play(self, seed: int, numbers: Iterable[int]) -> None:
        """Makes the calls of these numbers. AssertionError names the one that broke what must hold."""
        for number in numbers:
            name, arguments = self._draws.call(seed, number)
            started = time.monotonic()
            try:
                result = await self._call(name, arguments)
                if result is not None:
                    self._check(name, result)
            except Exception as error:  # any: it is raised on with the call that it came from
                raise AssertionError(f"{error!r}\nseed {seed}, number {number}: {shown(name, arguments)}") from error
            self.played.slowest = sorted([*self.played.slowest, (time.monotonic() - started, name[:40], number)])[-5:]
            self.played.calls[name if name in self._tools else "(unknown)"] += 1
        await self._check_place()

    async def _call(self, name: str, arguments: dict[str, Any]) -> types.CallToolResult | None:
        """The answer; None where no transport could carry the call, and the specialist's client answered it itself."""
        if can_be_sent({name: arguments}):
            return await self._client.call_tool(name, arguments)
        observation = await self._place.client.call(name, arguments)
        assert not observation.ok
        assert observation.text
        self.played.unsendable += 1
        return None

    def _check(self, name: str, result: types.CallToolResult) -> None:
        (block,) = result.content
        assert isinstance(block, types.TextContent)
        assert block.text
        assert len(block.text) <= ToolLimits().shown + MARGIN
        assert SECRET not in block.text
        assert SECRET not in json.dumps(result.structured_content)
        assert block.text.encode().decode() == block.text
        tool = self._tools.get(name)
        if result.structured_content is not None:
            assert tool is not None
            assert tool.data is not None
            tool.data.model_validate(result.structured_content)
        else:
            assert result.is_error, "an answer that is well has data"
        assert self._place.session.failure is None, self._place.session.failure
        entry = self._place.audit.heard[-1]
        assert entry.verdict is not AuditVerdict.CANCELLED
        self.played.verdicts[str(entry.verdict)] += 1
        self._place.audit.heard.clear()

    async def _check_place(self) -> None:
        """Nothing outside was touched, and the three views of the files agree on plain paths."""
        assert fingerprint(self._outside) == self._before
        tree = await self._place.branch()
        assert self._place.session.tree == tree
        assert all(vet_path(path) for path in tree)
        assert not any(SECRET.encode() in file.content for file in tree.values())


def shown(name: str, arguments: dict[str, Any]) -> str:
    """A call, to be printed."""
    try:
        return f"{name[:60]!r} {repr(arguments)[:2000]}"
    except RecursionError:
        return f"{name[:60]!r} with arguments that are nested too deeply to be shown"


def fingerprint(folder: Path) -> str:
    """A digest of all that is below a folder."""
    found = ((path, path.read_text() if path.is_file() else "") for path in sorted(folder.rglob("*")))
    parts = [f"{path.relative_to(folder)} {text}" for path, text in found]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


@contextlib.asynccontextmanager
async def fuzzing() -> AsyncIterator[Fuzz]:
    """A place of its own, with links that lead out, a history, and a hostile server."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as base:
        folder = Path(base)
        outside = folder / "outside"
        outside.mkdir()
        (outside / "secret.txt").write_text(SECRET)
        old = OldRepository(folder / "old.git")
        head = [old.commit({"app.py": f"x = {at}\n"}, f"m{at}") for at in range(5)][-1]
        listening = await asyncio.start_server(_answer, "127.0.0.1", 0)
        port = listening.sockets[0].getsockname()[1]
        try:
            async with Parsers() as parsers, _open(folder, port, parsers) as (place, tools):
                await place.workspace.came_from(str(old.folder), head)
                begun = await place.call("shell", command=BEGIN.format(outside=outside, way=OUTSIDE))
                assert begun.ok, begun.text
                urls = [f"http://127.0.0.1:{port}/", f"http://127.0.0.1:{port}/\0", f"https://127.0.0.1:{port}/"]
                async with Client(build_server(place.session, place.dispatcher)) as client:
                    yield Fuzz(place, client, tools, outside, urls)
        finally:
            listening.close()


@contextlib.asynccontextmanager
async def _open(folder: Path, port: int, parsers: Parsers) -> AsyncIterator[tuple[Place, list[AnyTool]]]:
    means = Means(
        syntax=parsers,
        repo_map=RepoMap(parsers, folder / "tags.db"),
        web=Web(inside=[endpoint("127.0.0.1", port)]),
    )
    tools = specialist_tools(means)
    async with open_place(folder / "work", FILES, tools=tools) as place:
        yield place, list(tools)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        if (await reader.read(1)).isalpha():  # no TLS
            await reader.readuntil(b"\r\n\r\n")
        writer.write(HOSTILE)
        await writer.drain()
    writer.close()
