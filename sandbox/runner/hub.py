"""What the activities of a runner share: the selector, and the connection to the host."""

import os
import selectors
from collections.abc import Callable

from . import frames

READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE

Call = Callable[[int], object]


class Hub:
    """Watches file descriptors and sends frames to ``sink``. ``written`` counts the bytes that we wrote ourselves."""

    def __init__(self, sink: int) -> None:
        self._sink = sink
        self._selector = selectors.DefaultSelector()
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
        known = fd in self._selector.get_map()
        if events and known:
            self._selector.modify(fd, events, call)
        elif events:
            self._selector.register(fd, events, call)
        elif known:
            self._selector.unregister(fd)

    def forget(self, fd: int) -> None:
        """Watches the descriptor no longer."""
        if fd in self._selector.get_map():
            self._selector.unregister(fd)

    def serve(self, patience_s: float) -> None:
        """Waits for events, at most that long, and makes their calls."""
        for key, _ in self._selector.select(patience_s):
            # An earlier call may have closed the descriptor, and its number may be somebody else's by now.
            now = self._selector.get_map().get(key.fd)
            if now is not None and now.data == key.data:
                key.data(key.fd)
