"""What the activities of a runner share: the poll, and the connection to the host."""

from __future__ import annotations

import os
import select

from . import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    Call = Callable[[int], object]

READ, WRITE = select.POLLIN, select.POLLOUT


class Hub:
    """Watches file descriptors and sends frames to ``sink``. ``written`` counts the bytes that we wrote ourselves."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._poll = select.poll()
        self._calls: dict[int, Call] = {}
        self.written = 0

    def send(self, kind: int, number: int, payload: bytes = b"") -> None:
        """Sends one frame."""
        view = memoryview(frames.encode(kind, number, payload))
        while view:
            sent = os.write(self._sink, view)
            self.written += sent
            view = view[sent:]

    def watch(self, fd: int, events: int, call: Call) -> None:
        """Calls ``call`` with the descriptor when one of ``events`` happens; never again when there are none."""
        if events:
            self._calls[fd] = call
            self._poll.register(fd, events)
        else:
            self.forget(fd)

    def forget(self, fd: int) -> None:
        """Watches the descriptor no longer."""
        if self._calls.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def serve(self, patience_s: float) -> None:
        """Waits for events, at most that long, and makes their calls."""
        for fd, call in [(fd, self._calls.get(fd)) for fd, _ in self._poll.poll(patience_s * 1000)]:
            # An earlier call may have closed the descriptor, and its number may be somebody else's by now.
            if call is not None and self._calls.get(fd) == call:
                call(fd)


class Activity:
    """Something under way for a request. What does not concern it is passed over."""

    number: int

    def cancel(self) -> None:
        """The host wants it to end."""

    def fed(self, payload: bytes, last: bool) -> None:
        """Takes input; ``last`` says that no more will come."""

    def granted(self, size: int) -> None:
        """The host has taken so much of its output."""

    def signal(self, number: int) -> None:
        """Takes a signal."""
