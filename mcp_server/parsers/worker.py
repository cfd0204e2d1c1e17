"""The program of a worker: answers requests about sources until its input ends.

A source can make a parser crash, loop between its own checks of the time, or take gigabytes for a few kilobytes. Then
the kernel ends this process, and whoever asked starts another one.
"""

import contextlib
import json
import resource
import signal
import sys
from typing import Any

from mcp_server.code.mutating import mutants
from mcp_server.code.problems import broken_by, syntax_problems
from mcp_server.code.reading import tags
from mcp_server.parsers.messages import READY, Request, frame, read_request

MEMORY_BYTES = 512 * 2**20
REQUEST_CPU_S = 3.0


def main() -> None:
    """Serves until the input ends."""
    _limit()
    requests, replies = sys.stdin.buffer, sys.stdout.buffer
    replies.write(frame(READY))
    replies.flush()
    while (request := read_request(requests)) is not None:
        signal.setitimer(signal.ITIMER_PROF, REQUEST_CPU_S)
        replies.write(frame(answer(request)))
        replies.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)


def answer(request: Request) -> bytes:
    """The reply to a request: JSON, null where nothing can be said."""
    found: Any = None
    with contextlib.suppress(MemoryError):
        match request.ask:
            case "tags":
                found = tags(request.path, *request.sources)
            case "problems":
                found = syntax_problems(request.path, *request.sources)
            case "mutants":
                found = mutants(request.path, *request.sources)
            case "broken":
                found = broken_by(request.path, *request.sources)
    return json.dumps(found, separators=(",", ":")).encode()


def _limit() -> None:
    """The timer's signal ends the process, and so does memory that is not given. It cannot write files."""
    for limit, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(limit, (most, most))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


if __name__ == "__main__":
    main()
