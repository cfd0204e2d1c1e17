"""One worker process: started when it is needed, and again after a source has ended it."""

import asyncio
import contextlib
import os
import signal
import sys
from collections import deque
from typing import NamedTuple

from domain.errors import ParserUnavailable
from mcp_server.parsers.messages import LENGTH_BYTES, READY, Request

PROGRAM = "mcp_server.parsers.worker"
AHEAD = 8
"""How many requests a worker has before it, so that it need not wait for the service."""

MAX_REPLY_BYTES = 16 * 2**20
START_S = 30.0
REPLY_S = 30.0
"""Far more than the worker's own limit, which counts the time that it was given and not the time that passed."""


class Job(NamedTuple):
    """A request with the number under which its reply is noted."""

    number: int
    request: Request


class Parser:
    """One process, and what it is asked. It gets no environment but the places of modules, and so no secrets."""

    def __init__(self) -> None:
        self._process: asyncio.subprocess.Process | None = None

    async def work(self, jobs: deque[Job], replies: dict[int, bytes | None]) -> None:
        """Takes jobs from the left until there are none; others may do so, too. None: the source ended the process.

        ParserUnavailable.
        """
        sent: deque[Job] = deque()
        rested = self._process
        try:
            while jobs or sent:
                process = await self._started()
                while jobs and len(sent) < AHEAD:
                    sent.append(jobs.popleft())
                    _stdin(process).write(sent[-1].request.encode())
                reply = await _reply(process, REPLY_S)
                if reply is not None or process is not rested:
                    replies[sent.popleft().number] = reply
                rested = None  # what ended while it rested was ended by no source
                if reply is None:
                    jobs.extendleft(reversed(sent))
                    sent.clear()
                    await self.close()
        finally:
            if sent:
                await self.close()

    async def close(self) -> None:
        """Ends the process."""
        process, self._process = self._process, None
        if process is not None:
            await _end(process)

    async def _started(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            await self.close()
            self._process = await _start()
        return self._process


async def _start() -> asyncio.subprocess.Process:
    places = os.pathsep.join(place for place in sys.path if os.path.isabs(place))
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    # -P: the folder that the service was started in may hold modules of anybody.
    command = (sys.executable, "-P", "-m", PROGRAM)
    environment = {"PYTHONPATH": places}
    try:
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=nothing, env=environment
        )
    except OSError as error:
        raise ParserUnavailable from error
    ready = None
    try:
        ready = await _reply(process, START_S)
    finally:
        if ready != READY:
            await _end(process)
    if ready != READY:
        raise ParserUnavailable
    return process


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        # Not by Process.kill: it collects a process that has ended already, and asyncio then misses it.
        with contextlib.suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
    await process.communicate()


async def _reply(process: asyncio.subprocess.Process, within_s: float) -> bytes | None:
    """The next reply; None when the process has ended, says nothing, or too much."""
    stream = process.stdout
    assert stream is not None
    try:
        async with asyncio.timeout(within_s):
            size = int.from_bytes(await stream.readexactly(LENGTH_BYTES), "big")
            return await stream.readexactly(size) if size <= MAX_REPLY_BYTES else None
    except (asyncio.IncompleteReadError, OSError):  # TimeoutError is an OSError
        return None


def _stdin(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    assert process.stdin is not None
    return process.stdin
