"""One command or file transfer under way: its child, its pipes, its limits and its result."""

from __future__ import annotations

import os
import time

from . import frames, meter, process
from .hub import READ, WRITE, Activity, Hub
from .lean import Suppress, signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

CHUNK = 1 << 16
MOST_DRAINED = 4 << 20
DRAIN_S = 0.5
"""How long output is awaited after the child has ended, when somebody still holds its pipes open."""
LONGEST_TALE = 64 << 20
"""Bytes that a transfer may say of itself."""
STUBBORN_S = 1.0
"""How long a child that was ended may take to go."""


class JobLimits:
    """Seconds of wall clock, and bytes of stdout plus stderr, and of the report."""

    def __init__(self, timeout_s: float, output: int, report: int) -> None:
        self.timeout_s, self.output, self.report = timeout_s, output, report


class Job(Activity):
    """A child at work for a request.

    ``kill`` ends what the child started; ``archive`` marks a transfer: its stdout is a tar stream, and what else it
    says is its result.
    """

    def __init__(
        self, number: int, child: process.Child, limits: JobLimits, hub: Hub, kill: Callable[[Job], None]
    ) -> None:
        self.number = number
        self.child = child
        self.archive = False
        self.collected = bytearray()
        self.finish: Callable[[Job], dict[str, Any]] = Job.result
        self.deadline = time.monotonic() + limits.timeout_s
        self.before: meter.Reading | None = None
        self.used: dict[str, Any] = {}
        self._limits, self._hub, self._kill = limits, hub, kill
        self._kinds = {child.stdout: frames.STDOUT, child.stderr: frames.STDERR, child.report: frames.REPORT}
        self._input = bytearray()
        self._input_open, self._input_ended = True, False
        self._started = time.monotonic()
        self._status: int | None = None
        self._ended: str | None = None
        self._written = self._reported = 0
        self._window = frames.WINDOW
        self._wanted = True
        self._watch()

    def _watch(self) -> None:
        for fd in self._kinds:
            self._hub.watch(fd, READ if self._window > 0 else 0, self._on_output)

    def _on_output(self, fd: int) -> bool:
        """Passes on what is there; False when there was nothing."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._hub.forget(fd)
            del self._kinds[fd]
            return False
        kind = self._kinds[fd]
        if self.archive and kind != frames.STDOUT:
            self.collected += data[: max(0, LONGEST_TALE - len(self.collected))]
        elif self._wanted and (kept := data if self.archive else self._within_limits(kind, data)):
            self._hub.send(frames.ARCHIVE if self.archive else kind, self.number, kept)
            self._window -= frames.cost(kept)
            if self._window <= 0:
                self._watch()
        return True

    def _within_limits(self, kind: int, data: bytes) -> bytes:
        if kind == frames.REPORT:
            kept = data[: max(0, self._limits.report - self._reported)]
            self._reported += len(data)
        else:
            kept = data[: max(0, self._limits.output - self._written)]
            self._written += len(data)
        if len(kept) < len(data):
            self._ended = self._ended or "output_limit"
            self._kill(self)
        return kept

    def granted(self, size: int) -> None:
        """The host has taken so much of the output."""
        waited = self._window <= 0
        self._window += size
        if waited and self._window > 0:
            self._watch()
            if self._status is not None:
                self.deadline = time.monotonic() + DRAIN_S

    def fed(self, payload: bytes, last: bool) -> None:
        """Takes input for the child."""
        self._input += payload
        self._input_ended = self._input_ended or last
        self._write()

    def _write(self, _fd: int = -1) -> None:
        """Hands the child what it takes of its input, and closes the pipe when all is handed over."""
        taken = 0
        try:
            while self._input and self._input_open:
                written = os.write(self.child.stdin, memoryview(self._input)[:CHUNK])
                del self._input[:written]
                taken += written
        except BlockingIOError:
            pass
        except BrokenPipeError:
            self._close_input()
        self._hub.written += taken
        if not self._input_open:
            taken += len(self._input)
            self._input.clear()
        elif self._input_ended and not self._input:
            self._close_input()
        if self._input_open:
            self._hub.watch(self.child.stdin, WRITE if self._input else 0, self._write)
        if taken:
            self._hub.send(frames.CREDIT, self.number, taken.to_bytes(4, "big"))

    def _close_input(self) -> None:
        if self._input_open:
            self._input_open = False
            self._hub.forget(self.child.stdin)
            os.close(self.child.stdin)

    def signal(self, number: int) -> None:
        """Sends a signal to the child's process group."""
        if self._status is None:
            with Suppress(OSError):
                os.killpg(self.child.pid, number)

    def cancel(self) -> None:
        """Ends it: the host has no use for it any more."""
        self.end("cancelled")

    def end(self, why: str) -> None:
        """Ends the child and all that it started. Nobody reads the output of one that is cancelled."""
        if why == "cancelled":
            self._wanted = False
            self._window = frames.WINDOW
            self._watch()
        if self._status is None:
            self._ended = self._ended or why
            # The child may not lead its own session yet.
            with Suppress(ProcessLookupError, PermissionError):
                os.kill(self.child.pid, signal.SIGKILL)
        else:
            self.deadline = 0.0
        self._kill(self)

    def exited(self, status: int) -> None:
        """The child is gone: what it left behind goes as well."""
        self._status = status
        self._kill(self)
        self.deadline = time.monotonic() + DRAIN_S

    def tick(self, now: float) -> bool:
        """Ends what is over time; whether nothing more will come."""
        if self._status is None:
            if now >= self.deadline:
                self.end("timeout")
                self.deadline = now + STUBBORN_S
            return False
        return not self._kinds or (now >= self.deadline and self._window > 0)

    @property
    def wakes(self) -> float:
        """When ``tick`` has something to do, in monotonic seconds."""
        return self.deadline if self._status is None or self._window > 0 else float("inf")

    @property
    def exits(self) -> bool:
        """Whether the child is gone."""
        return self._status is not None

    def drain(self) -> None:
        """Passes on what is left in the pipes when somebody still holds them open, and closes them."""
        for fd in list(self._kinds):
            for _ in range(MOST_DRAINED // CHUNK):
                if self._window <= 0 or not self._on_output(fd):
                    break
            self._hub.forget(fd)
        self._close_input()
        with Suppress(OSError):
            os.close(self.child.stdout)
            os.close(self.child.stderr)
            os.close(self.child.report)

    def result(self) -> dict[str, Any]:
        """What the host is told: exit code or signal, why we ended it (if we did), OOM kills, seconds, what it used."""
        assert self._status is not None
        code = os.waitstatus_to_exitcode(self._status)
        return {
            "exit_code": code if code >= 0 else None,
            "signal": -code if code < 0 else None,
            "ended": self._ended,
            "duration_s": time.monotonic() - self._started,
            "output": self._written,
            **self.used,
        }
