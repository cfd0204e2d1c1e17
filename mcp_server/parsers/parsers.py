"""Reading sources in worker processes: one that is kept for single files, several for a whole repository."""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pydantic import TypeAdapter, ValidationError

from mcp_server.code.languages import MAX_SOURCE_BYTES
from mcp_server.code.mutant import Mutant
from mcp_server.code.symbol import Problem, Symbol, Tags
from mcp_server.parsers.messages import Request
from mcp_server.parsers.parser import Job, Parser

MOST_WORKERS = 4
KEPT_WORKERS = 1
WORKER_BYTES = 2**20
"""About as much as a worker reads while another one starts."""

READING_S = 60.0
"""For many sources together: those that are not read by then are left out."""

TAGS: TypeAdapter[Tags | None] = TypeAdapter(Tags | None)
MUTANTS: TypeAdapter[tuple[Mutant, ...] | None] = TypeAdapter(tuple[Mutant, ...] | None)
PROBLEMS: TypeAdapter[tuple[Problem, ...] | None] = TypeAdapter(tuple[Problem, ...] | None)


class Parsers:
    """Answers what is in sources, whatever they are. None: in no language that we read, too large, too slow, or it
    ended its process. Each method raises ParserUnavailable when no process can be started."""

    def __init__(self, reading_s: float = READING_S) -> None:
        self._reading_s = reading_s
        self._idle: list[Parser] = []
        self._single = asyncio.Semaphore(2)
        self._many = asyncio.Lock()
        self._closed = False

    async def tags(self, path: str, source: bytes) -> Tags | None:
        """What a file defines and refers to."""
        return decode_tags(await self._ask(Request("tags", path, (source,))))

    async def syntax_problems(self, path: str, source: bytes) -> tuple[Problem, ...] | None:
        """Where the syntax of a file is broken; () where it is in order."""
        return _problems(await self._ask(Request("problems", path, (source,))))

    async def broken_by(self, path: str, before: bytes, after: bytes) -> tuple[Problem, ...]:
        """The problems of a file that was in order before an edit; () where the edit may be made."""
        return _problems(await self._ask(Request("broken", path, (before, after)))) or ()

    async def mutants(self, path: str, source: bytes) -> tuple[Mutant, ...]:
        """The small changes by which its tests can be tried; () where there are none that we know of."""
        reply = await self._ask(Request("mutants", path, (source,)))
        try:
            found = MUTANTS.validate_json(reply) if reply is not None else None
        except ValidationError:
            found = None
        return tuple(one for one in found or () if 0 <= one.start <= one.end <= len(source))

    async def read(self, files: Sequence[tuple[str, bytes]]) -> dict[int, bytes | None]:
        """The tags of many files by their place in ``files``, for ``decode_tags``; after a time some are missing."""
        replies: dict[int, bytes | None] = {}
        jobs: deque[Job] = deque()
        for number, (path, source) in enumerate(files):
            if len(source) > MAX_SOURCE_BYTES:
                replies[number] = None
            else:
                jobs.append(Job(number, Request("tags", path, (source,))))
        size = sum(len(job.request.sources[0]) for job in jobs)
        count = min(MOST_WORKERS, os.cpu_count() or 1, 1 + size // WORKER_BYTES) if jobs else 0
        async with self._many if count > 1 else self._single:
            with contextlib.suppress(TimeoutError):
                await self._share(jobs, replies, count)
        return replies

    async def close(self) -> None:
        """Ends the processes."""
        self._closed = True
        while self._idle:
            await self._idle.pop().close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _ask(self, request: Request) -> bytes | None:
        if max(map(len, request.sources)) > MAX_SOURCE_BYTES:
            return None
        replies: dict[int, bytes | None] = {}
        async with self._single:
            await self._work(deque([Job(0, request)]), replies)
        return replies[0]

    async def _share(self, jobs: deque[Job], replies: dict[int, bytes | None], count: int) -> None:
        # No TaskGroup: up to Python 3.12 one whose part fails leaves the task marked as cancelled.
        work = [asyncio.create_task(self._work(jobs, replies)) for _ in range(count)]
        try:
            async with asyncio.timeout(self._reading_s):
                await asyncio.gather(*work)
        finally:
            for part in work:
                part.cancel()
            await asyncio.gather(*work, return_exceptions=True)

    async def _work(self, jobs: deque[Job], replies: dict[int, bytes | None]) -> None:
        parser = self._idle.pop() if self._idle else Parser()
        try:
            await parser.work(jobs, replies)
        finally:
            if self._closed or len(self._idle) >= KEPT_WORKERS:
                await parser.close()
            else:
                self._idle.append(parser)


def decode_tags(reply: bytes | None) -> Tags | None:
    """The tags in a worker's reply, or None."""
    try:
        tags = TAGS.validate_json(reply) if reply is not None else None
    except ValidationError:
        return None
    if tags is None or not all(_has_parent(symbol, index) for index, symbol in enumerate(tags.symbols)):
        return None
    return tags


def _has_parent(symbol: Symbol, index: int) -> bool:
    return symbol.parent is None or 0 <= symbol.parent < index


def _problems(reply: bytes | None) -> tuple[Problem, ...] | None:
    try:
        return PROBLEMS.validate_json(reply) if reply is not None else None
    except ValidationError:
        return None
