"""One request under way: its child, its pipes, its limits and its result."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from . import frames, process

CHUNK = 1 << 16
MOST_DRAINED = 4 << 20
DRAIN_S = 0.5
"""How long output is awaited after the child has ended, when somebody still holds its pipes open."""


class JobLimits(NamedTuple):
    """Seconds of wall clock, and bytes of stdout plus stderr, and of the report."""

    timeout_s: float
    output: int
    report: int


class Job:
    """A child at work for a request. ``outputs`` maps each open pipe to the kind of frame its bytes become."""

    def __init__(self, request: int, child: process.Child, limits: JobLimits, archive: bool) -> None:
        self.request = request
        self.child = child
        self.archive = archive
        self.limits = limits
        first = frames.ARCHIVE if archive else frames.STDOUT
        self.outputs = {child.stdout: first, child.stderr: frames.STDERR, child.report: frames.REPORT}
        self.collected = bytearray()
        self.stdin_buffer = bytearray()
        self.stdin_open = True
        self.stdin_ended = False
        self.started = time.monotonic()
        self.deadline = self.started + limits.timeout_s
        self.status: int | None = None
        self.ended: str | None = None
        self._oom_before = process.oom_kills()
        self._written = self._reported = 0
        self._taken = 0

    def read(self, fd: int) -> bytes:
        """Reads what is there, as frames to send; forgets the pipe at its end."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return b""
        if not data:
            del self.outputs[fd]
            return b""
        kind = self.outputs[fd]
        if self.archive and kind != frames.ARCHIVE:
            self.collected += data
            return b""
        data = self._within_limits(kind, data)
        return frames.encode(kind, self.request, data) if data else b""

    def _within_limits(self, kind: int, data: bytes) -> bytes:
        if kind == frames.REPORT:
            kept = data[: max(0, self.limits.report - self._reported)]
            self._reported += len(data)
        elif kind == frames.ARCHIVE:
            return data
        else:
            kept = data[: max(0, self.limits.output - self._written)]
            self._written += len(data)
        if len(kept) < len(data):
            self.ended = self.ended or "output_limit"
            process.kill_everything(self.child.pid)
        return kept

    def write_stdin(self) -> None:
        """Hands the child what it takes of its input, and closes the pipe when all is handed over."""
        try:
            while self.stdin_buffer and self.stdin_open:
                written = os.write(self.child.stdin, memoryview(self.stdin_buffer)[:CHUNK])
                del self.stdin_buffer[:written]
                self._taken += written
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.close_stdin()
        if not self.stdin_open:
            self._taken += len(self.stdin_buffer)
            self.stdin_buffer.clear()
        elif self.stdin_ended:
            self.close_stdin()

    def credit(self) -> int:
        """How many bytes of input were taken since the last call."""
        taken, self._taken = self._taken, 0
        return taken

    def drain(self) -> Iterator[bytes]:
        """The frames of what is in the pipes at the end, when somebody still holds them open."""
        for fd in list(self.outputs):
            for _ in range(MOST_DRAINED // CHUNK):
                frame = self.read(fd)
                if not frame or fd not in self.outputs:
                    break
                yield frame

    def close_stdin(self) -> None:
        """Lets the child see the end of its input."""
        if self.stdin_open:
            self.stdin_open = False
            os.close(self.child.stdin)

    def end(self, why: str) -> None:
        """Ends the child and all that it started."""
        if self.status is None:
            self.ended = self.ended or why
            # The child may not lead its own session yet.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.child.pid, signal.SIGKILL)
        process.kill_everything(self.child.pid)

    def exited(self, status: int) -> None:
        """The child is gone: what it left behind goes as well."""
        self.status = status
        process.kill_everything(self.child.pid)
        self.deadline = time.monotonic() + DRAIN_S

    @property
    def done(self) -> bool:
        """Whether nothing more will come."""
        return self.status is not None and (not self.outputs or time.monotonic() >= self.deadline)

    def close(self) -> None:
        """Closes every pipe that is still open."""
        self.close_stdin()
        for fd in (self.child.stdout, self.child.stderr, self.child.report):
            with contextlib.suppress(OSError):
                os.close(fd)

    def result(self) -> dict[str, Any]:
        """What the host is told: exit code or signal, why we ended it (if we did), OOM kills, seconds."""
        assert self.status is not None
        code = os.waitstatus_to_exitcode(self.status)
        return {
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "ended": self.ended,
            "oom_kills": process.oom_kills() - self._oom_before,
            "duration_s": time.monotonic() - self.started,
        }
